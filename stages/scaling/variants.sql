-- one row per ledger drawn at another temperature, or judged by another threshold; the first is as the study
-- has it
with

final as (

    select
        teacher,
        domain,
        protocol,
        temperature,
        tolerance, -- relative, of a number against its reference
        rectified_error, -- (predicted − measured) / measured at the held-out budget
        rectified_covered,
        combination_error,
        combination_covered,
        coverage_status,
        a, -- per-question success is Beta(a, b), but for a share pi that is never solved
        a_low,
        a_high,
        b,
        b_low,
        b_high,
        pi,
        pi_low,
        pi_high,
        unsolved_predicted, -- share of questions at the held-out budget
        unsolved_observed

    from varied

    order by place

)

select * from final
