-- one row per student × density × share × budget, over all items (benchmark null) and per benchmark:
-- boundary expansion, the items that the base model missed and the student answers, and the reverse
with

scores as (

    select * from item_scores

),

base as (

    select
        student,
        benchmark,
        item_id,
        correct

    from scores

    where density is null

),

students as (

    select
        student,
        density,
        share,
        budget,
        benchmark,
        item_id,
        count(*) as seeds,
        count(*) filter (where correct) as right_seeds

    from scores

    where density is not null

    group by all

),

joined as (

    select
        students.*,
        base.correct as base_correct,
        students.right_seeds / students.seeds as right_share,
        2 * students.right_seeds > students.seeds as mostly_right -- more than half of the seeds

    from students

    inner join base
        on
            students.student = base.student
            and students.benchmark = base.benchmark
            and students.item_id = base.item_id

),

final as (

    select
        student,
        density,
        share,
        budget,
        benchmark,
        coalesce(sum(right_share) filter (where not base_correct), 0) as gained, -- items, averaged over seeds
        coalesce(sum(1 - right_share) filter (where base_correct), 0) as lost,
        count(*) filter (where mostly_right and not base_correct) as gained_majority, -- items
        count(*) filter (where not mostly_right and base_correct) as lost_majority

    from joined

    group by grouping sets (
        (student, density, share, budget),
        (student, density, share, budget, benchmark)
    )

    order by student, density, share desc, budget, benchmark nulls first

)

select * from final
