-- one row per student × share × budget × pair of densities with equal N: the sparser pool against the denser
-- one; differences are sparse − dense
with

compared as (

    select * from comparisons

    where matched = 'density'

),

final as (

    select
        compared.student,
        sparse.density as sparse_density,
        dense.density as dense_density,
        compared.sample_budget,
        sparse.share,
        sparse.budget,
        sparse.loss_mean as sparse_loss,
        dense.loss_mean as dense_loss,
        compared.loss_difference, -- nats per answer token
        compared.loss_low, -- 95 % interval
        compared.loss_high,
        compared.loss_p,
        compared.loss_p_holm,
        sparse.accuracy_mean as sparse_accuracy,
        dense.accuracy_mean as dense_accuracy,
        compared.accuracy_difference,
        compared.accuracy_low,
        compared.accuracy_high,
        compared.accuracy_p,
        compared.accuracy_p_holm,
        sparse.accepted as sparse_accepted,
        dense.accepted as dense_accepted,
        sparse.covered as sparse_covered,
        dense.covered as dense_covered,
        sparse.prompt_tokens + sparse.completion_tokens as sparse_teacher_tokens,
        dense.prompt_tokens + dense.completion_tokens as dense_teacher_tokens,
        sparse.cost_usd as sparse_cost_usd,
        dense.cost_usd as dense_cost_usd,
        sparse.seeds,
        sparse.items

    from compared

    inner join cells as sparse
        on
            compared.student = sparse.student
            and compared.left_density = sparse.density
            and compared.left_share = sparse.share
            and compared.left_budget = sparse.budget

    inner join cells as dense
        on
            compared.student = dense.student
            and compared.right_density = dense.density
            and compared.right_share = dense.share
            and compared.right_budget = dense.budget

    order by compared.student, sparse_density, dense_density, compared.sample_budget, sparse.share desc

)

select * from final
