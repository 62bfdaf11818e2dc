-- one row per cell: what its training set cost the teacher, and its students the machine
with

final as (

    select
        places.cell,
        places.teacher,
        places.student,
        places.domain,
        places.share,
        places.budget,
        places.protocol,
        places.matched,
        bills.sample_budget,
        bills.prompt_tokens, -- of the teacher
        bills.completion_tokens,
        bills.cost_usd, -- null where a price is not known
        trainings.examples,
        trainings.training_tokens, -- shown to the student, all training seeds, repetitions included
        trainings.training_seconds -- all training seeds, tokens over the rate set; null without a rate

    from places

    inner join bills
        on places.cell = bills.cell

    inner join trainings
        on places.cell = trainings.cell

    order by places.place

)

select * from final
