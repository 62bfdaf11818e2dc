-- one row per teacher × student × domain × share × law: its forecast of the held-out budget and what was
-- measured there
with

final as (

    select * from forecasts

    order by teacher, student, domain, share desc, law

)

select * from final
