-- one row per student × density × budget, all questions of the pool asked (share 1)
with

final as (

    select
        student,
        density,
        budget,
        sample_budget,
        seeds,
        loss_mean, -- nats per answer token
        loss_std,
        accuracy_mean,
        accuracy_std

    from cells

    where share = 1

    order by student, density, budget

)

select * from final
