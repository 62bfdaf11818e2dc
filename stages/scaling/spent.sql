-- one row: what a limit of teacher tokens pays for among a share of a ledger's questions, in whole calls, in
-- the order of rollout and rank
with

pool as (

    select max(rank) + 1 as questions

    from ledger

),

spending as (

    select
        ledger.*,
        cut.token_limit,
        sum(ledger.prompt_tokens + ledger.completion_tokens) over (
            order by ledger.rollout, ledger.rank
            rows unbounded preceding
        ) as spent

    from ledger

    cross join pool

    cross join cut

    where ledger.rank < ceil(cut.share * pool.questions)

),

paid as (

    select * from spending

    where spent <= token_limit

),

final as (

    select
        count(distinct paid.rank) as questions,
        count(*) as sample_budget, -- calls
        count(*) = (select count(*) from spending) as whole, -- the limit would pay for more
        count(*) filter (where accepted) as accepted,
        count(distinct rank) filter (where accepted) as covered,
        coalesce(sum(prompt_tokens), 0)::bigint as prompt_tokens,
        coalesce(sum(completion_tokens), 0)::bigint as completion_tokens,
        coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint as tokens,
        case
            when count(cost_usd) = count(*) then sum(round(1e12 * cost_usd)::hugeint) / 1e12
        end as cost_usd -- unknown if any is

    from paid

)

select * from final
