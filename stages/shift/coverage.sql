-- one row per teacher × domain × share × budget of the grid: how much of the source its draws have covered
with

drawn as (

    select
        grid.teacher,
        grid.domain,
        grid.share,
        grid.budget,
        ledger.question_id,
        count(*) filter (where ledger.accepted) as accepted, -- distinct texts: repetitions are rejected
        count(*) filter (where ledger.reason = 'duplicate') as repeated,
        count(distinct ledger.answer) filter (where ledger.accepted) as answers,
        count(*) as draws

    from grid

    inner join ledger
        on
            grid.teacher = ledger.teacher
            and grid.domain = ledger.domain
            and ledger.rollout < grid.budget
            and ledger.rank < grid.questions

    group by all

),

final as (

    select
        teacher,
        domain,
        share,
        budget,
        count(*) as questions,
        cast(sum(draws) as bigint) as draws,
        count(*) filter (where accepted > 0) as covered,
        count(*) filter (where accepted > 0) / count(*) as covered_share,
        cast(sum(accepted) as bigint) as distinct_responses,
        cast(sum(repeated) as bigint) as repeated_responses,
        sum(accepted) / nullif(count(*) filter (where accepted > 0), 0) as per_covered_question,
        sum(answers) / nullif(count(*) filter (where accepted > 0), 0) as answers_per_covered_question

    from drawn

    group by all

    order by teacher, domain, share, budget

)

select * from final
