-- one row per teacher × student × domain, and per domain over all pairs (teacher and student null): the line
-- through the differences fss − se against log2 N, and where it is 0
with

final as (

    select
        teacher,
        student,
        domain,
        budgets, -- sample budgets that the line goes through
        slope, -- nats per answer token and doubling of N
        slope_low, -- 95 % interval
        slope_high,
        slope_p,
        status,
        crossing, -- N; null outside the tried range
        low, -- N below which fss is better; null if at none that was tried
        high -- N above which se is better

    from lines

    order by domain, teacher nulls first, student nulls first

)

select * from final
