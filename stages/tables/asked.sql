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
        min(rollout) filter (where accepted) as first_accepted -- null where none is

    from responses

    group by all

)

select * from final
