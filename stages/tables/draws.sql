-- one row per density × share × budget: what a cut pays the teacher for, and what it gets
with

cuts as (

    select distinct
        density,
        share,
        budget

    from grid

),

responses as (

    select * from ledger

),

pools as (

    select
        density,
        max(rank) + 1 as questions

    from responses

    group by density

),

paid as (

    -- shares are nested by rank and rounded up to a whole question, budgets are nested by rollout
    select
        cuts.share,
        cuts.budget,
        responses.*

    from cuts

    inner join pools
        on cuts.density = pools.density

    inner join responses
        on
            cuts.density = responses.density
            and responses.rollout < cuts.budget
            and responses.rank < ceil(cuts.share * pools.questions)

),

final as (

    select
        density,
        share,
        budget,
        count(distinct question_id) as questions,
        count(*) as sample_budget, -- N = |Q|·r, counted
        count(*) filter (where accepted) as accepted,
        avg(accepted::integer) as acceptance,
        count(distinct question_id) filter (where accepted) as covered, -- questions with an accepted draw
        sum(prompt_tokens)::bigint as prompt_tokens,
        sum(completion_tokens)::bigint as completion_tokens,
        case when count(cost_usd) = count(*) then sum(cost_usd) end as cost_usd -- unknown if any is

    from paid

    group by all

    order by density, share desc, budget

)

select * from final
