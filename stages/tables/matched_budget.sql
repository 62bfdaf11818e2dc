-- one row per student × density × pair of cuts with equal N: fixed-source synthesis (fss, the smaller share
-- asked more often) against source expansion (se, the larger share); differences are fss − se
with

compared as (

    select * from comparisons

    where matched = 'budget'

),

final as (

    select
        compared.student,
        compared.left_density as density,
        compared.sample_budget,
        fss.share as fss_share,
        fss.budget as fss_budget,
        se.share as se_share,
        se.budget as se_budget,
        fss.loss_mean as fss_loss,
        se.loss_mean as se_loss,
        compared.loss_difference, -- nats per answer token
        compared.loss_low, -- 95 % interval
        compared.loss_high,
        compared.loss_p,
        compared.loss_p_holm,
        fss.accuracy_mean as fss_accuracy,
        se.accuracy_mean as se_accuracy,
        compared.accuracy_difference,
        compared.accuracy_low,
        compared.accuracy_high,
        compared.accuracy_p,
        compared.accuracy_p_holm,
        fss.accepted as fss_accepted,
        se.accepted as se_accepted,
        fss.covered as fss_covered,
        se.covered as se_covered,
        fss.prompt_tokens + fss.completion_tokens as fss_teacher_tokens,
        se.prompt_tokens + se.completion_tokens as se_teacher_tokens,
        fss.cost_usd as fss_cost_usd,
        se.cost_usd as se_cost_usd,
        fss.seeds,
        fss.items

    from compared

    inner join cells as fss
        on
            compared.student = fss.student
            and compared.left_density = fss.density
            and compared.left_share = fss.share
            and compared.left_budget = fss.budget

    inner join cells as se
        on
            compared.student = se.student
            and compared.right_density = se.density
            and compared.right_share = se.share
            and compared.right_budget = se.budget

    order by compared.student, density, compared.sample_budget, fss_share, se_share

)

select * from final
