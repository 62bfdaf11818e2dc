-- one row per teacher × student × domain × pair of cuts with equal N: fewer questions asked more often (fss)
-- against more questions (se); differences are fss − se
with

compared as (

    select * from matched_pairs

),

final as (

    select
        fss.teacher,
        fss.student,
        fss.domain,
        fss.sample_budget,
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
        fss.teacher_tokens as fss_teacher_tokens,
        se.teacher_tokens as se_teacher_tokens,
        fss.seeds,
        fss.items

    from compared

    inner join cells as fss
        on compared.left = fss.cell

    inner join cells as se
        on compared.right = se.cell

    order by fss.teacher, fss.student, fss.domain, fss.sample_budget, fss.share, se.share

)

select * from final
