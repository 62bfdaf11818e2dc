-- one row per budget of draws × draws made × accepted ones: how many of a share's questions have so many,
-- repetitions of a right answer included; fewer draws are made of a question that its protocol ended
with

pool as (

    select max(rank) + 1 as questions

    from ledger

),

per_question as (

    select
        counted.draws,
        ledger.rank,
        count(*) as made,
        -- a right answer in words that were drawn before was a success too
        count(*) filter (where ledger.accepted or ledger.reason = 'duplicate') as accepted

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
        made,
        accepted,
        count(*) as questions

    from per_question

    group by all

    order by draws, made, accepted

)

select * from final
