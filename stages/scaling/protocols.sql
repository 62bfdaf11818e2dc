-- one row per domain × protocol × what it has in common with plain rejection sampling (held_equal: samples,
-- tokens of the teacher, or responses per question, which is listed and not tested); differences are
-- protocol − plain
with

compared as (

    select * from audits

),

final as (

    select
        ours.protocol,
        compared.held_equal,
        ours.domain,
        ours.teacher,
        ours.student,
        ours.share,
        ours.budget, -- teacher calls per question
        plain.budget as plain_budget,
        ours.sample_budget, -- N: teacher calls, counted
        plain.sample_budget as plain_sample_budget,
        ours.teacher_tokens,
        plain.teacher_tokens as plain_teacher_tokens,
        ours.acceptance, -- of calls
        plain.acceptance as plain_acceptance,
        ours.examples,
        plain.examples as plain_examples,
        ours.loss_mean as loss,
        plain.loss_mean as plain_loss,
        compared.loss_difference, -- nats per answer token
        compared.loss_low, -- 95 % interval
        compared.loss_high,
        compared.loss_p,
        compared.loss_p_holm,
        ours.accuracy_mean as accuracy,
        plain.accuracy_mean as plain_accuracy,
        compared.accuracy_difference,
        compared.accuracy_low,
        compared.accuracy_high,
        compared.accuracy_p,
        compared.accuracy_p_holm,
        ours.seeds,
        ours.items

    from compared

    inner join cells as ours
        on compared.left = ours.cell

    inner join cells as plain
        on compared.right = plain.cell

    order by compared.held_equal = 'responses', ours.protocol, compared.held_equal, ours.domain

)

select * from final
