-- one row per ledger (strategy × density × teacher × protocol): its size, and the first question with each flaw
with

questions as (

    select
        asked.*,
        stopping.stops,
        -- rollouts below the largest budget that it must have: all, but where it ended with an acceptance
        case when accepted >= stops then ends else getvariable('budget') end as due

    from asked

    left join stopping
        on asked.protocol = stopping.protocol

),

final as (

    select
        strategy,
        density,
        teacher,
        protocol,
        stops, -- accepted responses with which a question ends; null where none does
        count(*) as questions,
        count(distinct rank) as ranks,
        max(highest_rank) as highest_rank,
        min(question_id) filter (where highest_rank > rank) as moved,
        min(question_id) filter (where responses > rollouts) as repeated,
        min(rollouts) filter (where rollouts < due) as fewest_rollouts,
        min(question_id) filter (where rollouts < due) as short,
        min(question_id) filter (where accepted > stops or accepted = stops and last_accepted < ends - 1) as beyond

    from questions

    group by all

    order by strategy, density, teacher, protocol

)

select * from final
