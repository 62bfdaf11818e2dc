-- one row per student × density × share × budget (base models: density and share null, budget 0)
with

measured as (

    select
        student,
        density,
        share,
        budget,
        count(*) as seeds,
        any_value(items) as items, -- the same for every seed
        avg(loss) as loss_mean, -- nats per answer token, over training seeds
        stddev_samp(loss) as loss_std,
        avg(accuracy) as accuracy_mean, -- exact match, all items alike
        stddev_samp(accuracy) as accuracy_std

    from seeds

    group by all

),

pooled_expansion as (

    select * from expansion

    where benchmark is null

),

final as (

    select
        measured.student,
        measured.density,
        measured.share,
        measured.budget,
        draws.questions,
        draws.sample_budget,
        draws.accepted,
        draws.acceptance,
        draws.covered,
        draws.prompt_tokens,
        draws.completion_tokens,
        draws.cost_usd,
        measured.loss_mean,
        measured.loss_std,
        measured.accuracy_mean,
        measured.accuracy_std,
        measured.seeds,
        measured.items,
        pooled_expansion.gained, -- items, averaged over seeds
        pooled_expansion.lost,
        pooled_expansion.gained_majority,
        pooled_expansion.lost_majority,
        pooled_expansion.mcnemar_p -- of the majority over seeds against the base model, exact, two-sided

    from measured

    left join draws
        on
            measured.density = draws.density
            and measured.share = draws.share
            and measured.budget = draws.budget

    left join pooled_expansion
        on
            measured.student = pooled_expansion.student
            and measured.density = pooled_expansion.density
            and measured.share = pooled_expansion.share
            and measured.budget = pooled_expansion.budget

    order by measured.student, measured.density nulls first, measured.share desc, measured.budget

)

select * from final
