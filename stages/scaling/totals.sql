-- one row per ledger (teacher × source × protocol) of a file: all of its calls
with

final as (

    select
        teacher,
        strategy as domain,
        protocol,
        count(distinct rank) as questions,
        count(*) as calls,
        count(*) filter (where step = 'answer') as answers, -- calls that draw an answer
        count(*) filter (where accepted) as accepted,
        avg(accepted::integer) as acceptance,
        count(distinct rank) filter (where accepted) as covered, -- questions with an accepted response
        sum(prompt_tokens)::bigint as prompt_tokens,
        sum(completion_tokens)::bigint as completion_tokens,
        -- whole picodollars, whose sum does not depend on the order of threads; unknown if any is
        case
            when count(cost_usd) = count(*) then sum(round(1e12 * cost_usd)::hugeint) / 1e12
        end as cost_usd

    from ledger

    group by all

)

select * from final
