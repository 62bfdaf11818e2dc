-- one row per ledger (strategy × density × teacher × protocol) × share × budget: what a cut pays the teacher
-- for, and what it gets
with

responses as (

    select
        *,
        -- whole picodollars: a sum of floats would depend on the order in which threads add them
        try_cast(round(1e12 * cost_usd) as bigint) as cost

    from ledger

),

pools as (

    select
        strategy,
        density,
        teacher,
        protocol,
        max(rank) + 1 as questions

    from asked

    group by all

),

shares as (

    -- nested by rank, and rounded up to a whole question
    select
        pools.* replace (ceil(share * pools.questions)::bigint as questions),
        share

    from pools

    cross join (select distinct share from cuts)

),

bands as (

    -- what each share adds to the next smaller one: every response is in one band at most
    select
        *,
        lag(questions, 1, 0) over (
            partition by strategy, density, teacher, protocol
            order by share
        ) as first_rank

    from shares

),

steps as (

    -- likewise for budgets
    select
        rollouts.range as rollout,
        min(cuts.budget) as budget

    from range(getvariable('budget')) as rollouts

    inner join cuts
        on rollouts.range < cuts.budget

    group by rollouts.range

),

paid as (

    select
        bands.strategy,
        bands.density,
        bands.teacher,
        bands.protocol,
        bands.share,
        steps.budget,
        count(*) as responses,
        count(*) filter (where responses.accepted) as accepted,
        sum(responses.prompt_tokens) as prompt_tokens,
        sum(responses.completion_tokens) as completion_tokens,
        sum(responses.cost) as cost,
        count(responses.cost) as priced

    from responses

    inner join steps
        on responses.rollout = steps.rollout

    inner join bands
        on
            responses.strategy = bands.strategy
            and responses.density is not distinct from bands.density
            and responses.teacher = bands.teacher
            and responses.protocol = bands.protocol
            and responses.rank >= bands.first_rank
            and responses.rank < bands.questions

    group by all

),

newly_covered as (

    select
        bands.strategy,
        bands.density,
        bands.teacher,
        bands.protocol,
        bands.share,
        steps.budget,
        count(*) as questions

    from asked

    inner join steps
        on asked.first_accepted = steps.rollout

    inner join bands
        on
            asked.strategy = bands.strategy
            and asked.density is not distinct from bands.density
            and asked.teacher = bands.teacher
            and asked.protocol = bands.protocol
            and asked.rank >= bands.first_rank
            and asked.rank < bands.questions

    group by all

),

final as (

    select
        shares.strategy,
        shares.density,
        shares.teacher,
        shares.protocol,
        cuts.share,
        cuts.budget,
        shares.questions,
        sum(paid.responses)::bigint as sample_budget, -- N = |Q|·r, counted: fewer where questions end early
        sum(paid.accepted)::bigint as accepted,
        sum(paid.accepted) / sum(paid.responses) as acceptance,
        coalesce(sum(newly_covered.questions), 0)::bigint as covered, -- questions with an accepted draw
        sum(paid.prompt_tokens)::bigint as prompt_tokens,
        sum(paid.completion_tokens)::bigint as completion_tokens,
        case when sum(paid.priced) = sum(paid.responses) then sum(paid.cost) / 1e12 end as cost_usd -- or unknown

    from cuts

    inner join shares
        on cuts.share = shares.share

    inner join paid
        on
            shares.strategy = paid.strategy
            and shares.density is not distinct from paid.density
            and shares.teacher = paid.teacher
            and shares.protocol = paid.protocol
            and cuts.share >= paid.share
            and cuts.budget >= paid.budget

    left join newly_covered
        on
            paid.strategy = newly_covered.strategy
            and paid.density is not distinct from newly_covered.density
            and paid.teacher = newly_covered.teacher
            and paid.protocol = newly_covered.protocol
            and paid.share = newly_covered.share
            and paid.budget = newly_covered.budget

    group by all

    order by shares.strategy, shares.density, shares.teacher, shares.protocol, cuts.share desc, cuts.budget

)

select * from final
