-- one row per teacher × student × pair of cuts of the mixed source with equal N: a fixed question set asked more
-- often against more questions asked once; differences are fixed − more
with

compared as (

    select * from mixed_pairs

),

final as (

    select
        fixed.teacher,
        fixed.student,
                fixed.sample_budget,
        fixed.share as fixed_share,
        fixed.budget as fixed_budget,
        more.share as more_share,
        more.budget as more_budget,
        fixed.loss_mean as fixed_loss,
        more.loss_mean as more_loss,
        compared.loss_difference, -- nats per answer token
        compared.loss_low, -- 95 % interval
        compared.loss_high,
        compared.loss_p,
        compared.loss_p_holm,
        fixed.accuracy_mean as fixed_accuracy,
        more.accuracy_mean as more_accuracy,
        compared.accuracy_difference,
        compared.accuracy_low,
        compared.accuracy_high,
        compared.accuracy_p,
        compared.accuracy_p_holm,
        fixed.accepted as fixed_accepted,
        more.accepted as more_accepted,
        fixed.covered as fixed_covered,
        more.covered as more_covered,
        fixed.teacher_tokens as fixed_teacher_tokens,
        more.teacher_tokens as more_teacher_tokens,
        fixed.seeds,
        fixed.items

    from compared

    inner join cells as fixed
        on compared.left = fixed.cell

    inner join cells as more
        on compared.right = more.cell

    order by fixed.teacher, fixed.student, fixed.sample_budget, fixed.share, more.share

)

select * from final
