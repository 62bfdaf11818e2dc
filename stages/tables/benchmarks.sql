-- one row per student × density × share × budget × benchmark (base models: density and share null, budget 0)
with

scores as (

    select * from item_scores

),

per_seed as (

    select
        student,
        density,
        share,
        budget,
        benchmark,
        seed,
        count(*) as items,
        sum(answer_loss) / sum(answer_tokens) as loss,
        avg(correct::integer) as accuracy

    from scores

    group by all

),

measured as (

    select
        student,
        density,
        share,
        budget,
        benchmark,
        any_value(items) as items, -- the same for every seed
        count(*) as seeds,
        avg(accuracy) as accuracy_mean, -- exact match, over training seeds
        stddev_samp(accuracy) as accuracy_std,
        avg(loss) as loss_mean, -- nats per answer token
        stddev_samp(loss) as loss_std

    from per_seed

    group by all

),

final as (

    select
        measured.*,
        expansion.gained, -- items, averaged over seeds
        expansion.lost,
        expansion.gained_majority,
        expansion.lost_majority,
        expansion.mcnemar_p -- not adjusted for the number of rows

    from measured

    left join expansion
        on
            measured.student = expansion.student
            and measured.density = expansion.density
            and measured.share = expansion.share
            and measured.budget = expansion.budget
            and measured.benchmark = expansion.benchmark

    order by
        measured.student,
        measured.density nulls first,
        measured.share desc,
        measured.budget,
        measured.benchmark

)

select * from final
