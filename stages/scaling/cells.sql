-- one row per cell: teacher × student × domain × share × budget × protocol × what is matched
with

scores as (

    select * from item_scores

),

per_seed as (

    select
        cell,
        seed,
        count(*) as items,
        sum(answer_loss) / sum(answer_tokens) as loss,
        avg(correct::integer) as accuracy

    from scores

    group by all

),

measured as (

    select
        cell,
        count(*) as seeds,
        any_value(items) as items, -- the same for every seed
        avg(loss) as loss_mean, -- nats per answer token, over training seeds
        stddev_samp(loss) as loss_std, -- null with one seed
        avg(accuracy) as accuracy_mean, -- exact match, all items alike
        stddev_samp(accuracy) as accuracy_std

    from per_seed

    group by all

),

final as (

    select
        places.cell,
        places.teacher,
        places.student,
        places.domain,
        places.share,
        places.budget, -- teacher calls per question
        places.protocol,
        places.matched,
        bills.questions,
        bills.sample_budget, -- N: teacher calls, counted
        bills.accepted, -- calls; distinct by their text within a question
        bills.accepted / bills.sample_budget as acceptance,
        bills.covered, -- questions with an accepted response
        trainings.examples, -- of the training set
        bills.prompt_tokens + bills.completion_tokens as teacher_tokens,
        measured.loss_mean,
        measured.loss_std,
        measured.accuracy_mean,
        measured.accuracy_std,
        bases.loss as base_loss, -- of the untrained student on the same items
        bases.accuracy as base_accuracy,
        measured.seeds,
        measured.items

    from places

    inner join bills
        on places.cell = bills.cell

    inner join trainings
        on places.cell = trainings.cell

    inner join measured
        on places.cell = measured.cell

    inner join bases
        on
            places.student = bases.student
            and places.domain = bases.domain

    order by places.place

)

select * from final
