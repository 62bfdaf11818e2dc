-- one row per claim × domain × sample budget × contrast: the mean difference first − second over all
-- teacher–student pairs, and one-sided tests of it
with

final as (

    select
        claim,
        domain,
        sample_budget,
        first,
        second,
        pairs,
        difference, -- nats per answer token; above 0 the second has the lower loss
        low, -- 95 % interval
        high,
        margin, -- a smaller difference counts as none
        p_equal, -- within the margin
        p_apart, -- beyond it, on either side
        p_better, -- above 0
        p_short -- below the margin

    from contrasts

    order by place

)

select * from final
