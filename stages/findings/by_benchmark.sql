-- one row per student × target × training-token budget × benchmark: the mean over training seeds
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
        benchmark,
        seed,
        count(*) as items,
        sum(answer_loss) / sum(answer_tokens) as loss, -- nats per answer token, over its items
        avg(correct::integer) as accuracy -- exact match, over its items

    from scores

    where strategy <> 'base'

    group by all

),

base as (

    select
        student,
        benchmark,
        sum(answer_loss) / sum(answer_tokens) as base_loss,
        avg(correct::integer) as base_exact_match

    from scores

    where strategy = 'base'

    group by all

),

measured as (

    select
        student,
        target,
        strategy,
        density,
        tokens,
        benchmark,
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
        measured.benchmark,
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
        on
            measured.student = base.student
            and measured.benchmark = base.benchmark

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
        measured.tokens,
        measured.benchmark

)

select * from final
