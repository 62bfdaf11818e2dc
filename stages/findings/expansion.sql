-- one row per student × target × training-token budget, over all items (benchmark null) and per benchmark:
-- boundary expansion, the items that the base model missed and the student answers, and the reverse
with

scores as (

    select * from study_scores

),

base as (

    select
        student,
        benchmark,
        item_id,
        correct

    from scores

    where strategy = 'base'

),

students as (

    select
        student,
        target,
        strategy,
        density,
        tokens,
        benchmark,
        item_id,
        count(*) as seeds,
        count(*) filter (where correct) as right_seeds

    from scores

    where strategy <> 'base'

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

counted as (

    select
        student,
        target,
        strategy,
        density,
        tokens,
        benchmark,
        any_value(seeds) as seeds,
        count(*) as items,
        coalesce(sum(right_share) filter (where not base_correct), 0) as gained, -- items, mean over seeds
        coalesce(sum(1 - right_share) filter (where base_correct), 0) as lost,
        count(*) filter (where mostly_right and not base_correct) as gained_majority, -- items
        count(*) filter (where not mostly_right and base_correct) as lost_majority

    from joined

    group by grouping sets (
        (student, target, strategy, density, tokens),
        (student, target, strategy, density, tokens, benchmark)
    )

),

final as (

    select
        counted.*,
        counted.gained - counted.lost as net, -- items, mean over seeds
        counted.gained_majority - counted.lost_majority as net_majority, -- items
        gains.net_low, -- interval over items × seeds
        gains.net_high,
        gains.mcnemar_p, -- of the majority over seeds against the base model, exact, two-sided
        gains.mcnemar_p_holm -- over the targets of one student, token budget and benchmark

    from counted

    left join gains
        on
            counted.student = gains.student
            and counted.target = gains.target
            and counted.tokens = gains.tokens
            and counted.benchmark is not distinct from gains.benchmark

    order by
        counted.student,
        counted.density nulls last,
        counted.target,
        counted.tokens,
        counted.benchmark nulls first

)

select * from final
