-- one row per ledger (strategy × density × teacher × protocol) × question, its rollouts below the largest budget
with

responses as (

    select * from ledger

    where rollout between 0 and getvariable('budget') - 1

),

final as (

    select
        strategy,
        density,
        teacher,
        protocol,
        question_id,
        min(rank) as rank,
        max(rank) as highest_rank, -- the same, unless the ledger is broken
        count(*) as responses,
        bit_count(bitstring_agg(rollout, 0, getvariable('budget') - 1)) as rollouts, -- distinct ones
        max(rollout) + 1 as ends, -- the same number, unless one is missing before
        count(*) filter (where accepted) as accepted,
        min(rollout) filter (where accepted) as first_accepted, -- null where none is
        max(rollout) filter (where accepted) as last_accepted -- likewise

    from responses

    group by all

)

select * from final
