-- one row per number of draws × accepted draws: how many of a share's questions have so many
with

pool as (

    select max(rank) + 1 as questions

    from ledger

),

per_question as (

    select
        counted.draws,
        ledger.rank,
        count(*) filter (where ledger.accepted) as accepted

    from ledger

    cross join pool

    inner join counted
        on
            ledger.rollout < counted.draws
            and ledger.rank < ceil(counted.share * pool.questions)

    group by all

),

final as (

    select
        draws,
        accepted,
        count(*) as questions

    from per_question

    group by all

    order by draws, accepted

)

select * from final
