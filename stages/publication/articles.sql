-- One row: what the questions of one training set were made of.
-- Parameters: 1 files of the pools, 2 strategy, 3 density or null, 4 file of the training set.
with asked as (
    select distinct regexp_replace(question_id, '\+1$', '') as question_id -- a proposed question's ends in +1
    from read_parquet($4)
),

pooled as (
    select question_id, domain, page_id
    from read_parquet($1)
    where strategy = $2 and density is not distinct from $3::double
),

final as (
    select
        count(*) as asked,
        count(pooled.question_id) as found,
        count(distinct pooled.page_id) filter (where pooled.page_id <> 0) as articles,
        list_sort(list(distinct pooled.domain) filter (where pooled.domain is not null)) as domains
    from asked
    left join pooled using (question_id)
)

select * from final
