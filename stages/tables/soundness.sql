-- one row per ledger (strategy × density × teacher × protocol): its size, and the first question with each flaw
with

final as (

    select
        strategy,
        density,
        teacher,
        protocol,
        count(*) as questions,
        count(distinct rank) as ranks,
        max(highest_rank) as highest_rank,
        min(question_id) filter (where highest_rank > rank) as moved,
        min(question_id) filter (where responses > rollouts) as repeated,
        min(rollouts) as fewest_rollouts,
        min(question_id) filter (where rollouts < getvariable('budget')) as short

    from asked

    group by all

    order by strategy, density, teacher, protocol

)

select * from final
