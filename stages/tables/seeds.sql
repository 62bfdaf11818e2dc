-- one row per student × density × share × budget × training seed (base models: density and share null, budget 0)
with

scores as (

    select * from item_scores

),

final as (

    select
        student,
        density,
        share,
        budget,
        seed,
        count(*) as items,
        sum(answer_loss) / sum(answer_tokens) as loss, -- nats per answer token, over all items alike
        avg(correct::integer) as accuracy -- exact match, over all items alike

    from scores

    group by all

    order by student, density nulls first, share desc, budget, seed

)

select * from final
