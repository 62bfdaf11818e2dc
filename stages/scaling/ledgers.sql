-- one row per ledger (teacher × domain × protocol): all the calls that the study pays for, each counted once
with

final as (

    select * exclude (place) from totals

    order by place

)

select * from final
