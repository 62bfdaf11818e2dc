-- one row per student × pair of cells with equal N, either two cuts of one density or one cut of two densities
with

trained as (

    select
        student,
        density,
        share,
        budget,
        sample_budget

    from cells

    where density is not null

),

final as (

    select
        a.student,
        if(a.density = b.density, 'budget', 'density') as matched,
        a.sample_budget,
        a.density as left_density,
        a.share as left_share,
        a.budget as left_budget,
        b.density as right_density,
        b.share as right_share,
        b.budget as right_budget

    from trained as a

    inner join trained as b
        on
            a.student = b.student
            and a.sample_budget = b.sample_budget
            and (
                -- left: the smaller source asked more often
                (a.density = b.density and a.share < b.share)
                -- left: the sparser pool
                or (a.density < b.density and a.share = b.share and a.budget = b.budget)
            )

    order by a.student, matched, a.density, b.density, a.sample_budget, a.share, b.share

)

select * from final
