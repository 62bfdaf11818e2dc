-- one row per student × target × training-token budget: the mean over training seeds, all benchmarks pooled
with

scores as (

    select * from study_scores

),

per_seed as (

    select
        student,
        target,
        strategy,
        density,
        tokens,
        seed,
        count(*) as items,
        sum(answer_loss) / sum(answer_tokens) as loss, -- nats per answer token, over all items alike
        avg(correct::integer) as accuracy -- exact match, over all items alike

    from scores

    where strategy <> 'base'

    group by all

),

base as (

    select
        student,
        sum(answer_loss) / sum(answer_tokens) as base_loss,
        avg(correct::integer) as base_exact_match

    from scores

    where strategy = 'base'

    group by student

),

measured as (

    select
        student,
        target,
        strategy,
        density,
        tokens,
        count(*) as seeds,
        any_value(items) as items, -- the same for every seed
        avg(loss) as eval_loss,
        stddev_samp(loss) as eval_loss_std,
        avg(accuracy) as exact_match,
        stddev_samp(accuracy) as exact_match_std

    from per_seed

    group by all

),

final as (

    select
        measured.student,
        measured.target,
        measured.strategy,
        measured.density, -- dex; null where the strategy has no level
        measured.tokens, -- budget of training tokens
        measured.seeds,
        measured.items,
        measured.eval_loss,
        measured.eval_loss_std,
        measured.exact_match,
        measured.exact_match_std,
        base.base_loss,
        base.base_exact_match,
        trained.parameters,
        trained.active_parameters,
        trained.tokens_shown -- tokens really trained on, mean over seeds

    from measured

    inner join base
        on measured.student = base.student

    inner join trained
        on
            measured.student = trained.student
            and measured.target = trained.target
            and measured.tokens = trained.tokens

    order by
        trained.parameters,
        measured.student,
        measured.density nulls last,
        measured.target,
        measured.tokens

)

select * from final
