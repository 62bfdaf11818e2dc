-- one row per law, over all curves (teacher × student × domain × share)
with

final as (

    select
        law,
        count(*) as curves,
        count(predicted) as forecasts,
        median(abs(relative_error)) as median_error, -- |predicted − measured| / measured, of the forecasts
        max(abs(relative_error)) as max_error,
        count(low) as intervals,
        count(*) filter (where covered) as covered,
        count(*) filter (where covered) / count(*) as covered_share -- of all curves

    from law_errors

    group by law

    order by median_error nulls last, law

)

select * from final
