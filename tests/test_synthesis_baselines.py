"""Unsteered baselines at equal pool size, and the planning that they share with steering."""

from collections import Counter

import numpy as np
import pytest
from planted_synthesis import Teacher, crowded, even, held, pages, settings, steer

from stages.errors import BadInput
from stages.grid import Target
from stages.records import Article
from stages.synthesis import baselines, planning
from stages.synthesis.candidates import Candidate

RANDOM, TOKENS, RATIO = (Target(name, None) for name in ("random", "fixed_tokens", "fixed_ratio"))


def article(page_id: int, *categories: str) -> Article:
    named = {"title": f"T{page_id}", "aliases": [], "text": "", "facts": [], "categories": list(categories)}
    return Article(page_id=page_id, revision_id=1, timestamp="", **named)


def library(rows: list[Candidate]) -> planning.Library:
    return planning.Library(pages(rows), [row.page_id for row in rows])


# --- planning


@pytest.mark.parametrize("total", [0, 1, 7, 40])
def test_shares_add_up_and_lie_within_one_of_their_part(total: int) -> None:
    wanted = np.array([0.0, 3.2, 1.1, 0.7, 12.0])
    given = planning.share_out(total, wanted)
    assert given.sum() == total
    assert given[0] == 0
    assert (np.abs(given - total * wanted / wanted.sum()) < 1).all()
    assert planning.share_out(total, np.zeros(3)).tolist() == [0, 0, 0]


def test_a_library_holds_the_articles_of_the_sources_theme() -> None:
    dump = [article(1, "Vital", "Rivers", "Asia"), article(2, "Vital", "Rivers"), article(3, "Rivers")]
    dump += [article(4, "Vital", "Asia"), article(5, "Vital")]
    shelf = planning.Library(dump, [1, 2, 2, 4])
    assert sorted(shelf.page) == [1, 2, 4, 5]  # 3 is not vital
    assert [shelf.domain(i) for i in (1, 2, 4, 5)] == ["Asia", "Rivers", "Asia", ""]


def test_companions_share_a_theme_and_are_never_the_page_itself() -> None:
    dump = [article(i, "Vital", f"Theme {i % 3}") for i in range(12)] + [article(99, "Vital", "Alone")]
    shelf = planning.Library(dump, [0, 1, 2, 99])
    for i in range(12):
        found = [shelf.companion(i, draw) for draw in np.linspace(0, 1, 50)]
        assert {a.page_id for a in found if a} == {j for j in range(12) if j % 3 == i % 3} - {i}
    assert shelf.companion(99, 0.5) is None


def ordered(serial: int, count: int, company: float, rows: list[Candidate]) -> list[planning.Order]:
    candidates = held(rows)
    units, pull = [""] * len(rows), np.ones(len(rows))
    return planning.orders(candidates, library(rows), units, {"": count}, pull, serial, 0, company)


def test_an_order_depends_on_its_number_alone() -> None:
    rows = crowded(40, 2)
    many = ordered(0, 30, 0.5, rows)
    assert [order.serial for order in many] == list(range(30))
    assert ordered(12, 5, 0.5, rows) == many[12:17]


def test_an_order_starts_from_points_of_one_question_and_reads_its_page_first() -> None:
    rows = crowded(40, 2)
    of = {row.question_id: row for row in rows}
    for order in ordered(0, 60, 0.5, rows):
        (asked,) = {question_id for question_id, _ in order.sources}
        assert {point for _, point in order.sources} == set(of[asked].points)
        assert order.articles[0].page_id == of[asked].page_id
        assert len({a.page_id for a in order.articles}) == len(order.articles) <= 2


@pytest.mark.parametrize(("company", "low", "high"), [(0.0, 0, 0), (0.5, 0.4, 0.6), (1.0, 1, 1)])
def test_as_many_orders_as_asked_for_read_a_second_article(company: float, low: float, high: float) -> None:
    made = ordered(0, 300, company, crowded(40, 2))
    assert low <= np.mean([len(order.articles) == 2 for order in made]) <= high


def test_orders_start_where_the_pull_is() -> None:
    rows = crowded(40, 2)
    pull = np.zeros(40)
    pull[[3, 8]] = 1.0, 3.0
    made = planning.orders(held(rows), library(rows), [""] * 40, {"": 400}, pull, 0, 0)
    counts = Counter(order.articles[0].page_id for order in made)
    assert set(counts) == {3, 8}
    assert counts[8] / 400 == pytest.approx(0.75, abs=0.07)


# --- baselines


@pytest.mark.parametrize("target", [RANDOM, TOKENS, RATIO])
@pytest.mark.parametrize("d", [2, 3])
def test_quotas_add_up_and_the_pool_is_as_large_as_a_steered_one(target: Target, d: int) -> None:
    rows = crowded(30, d)
    _, quota = baselines.quotas(target.strategy, held(rows), library(rows), settings())
    assert sum(quota.values()) == 60
    made = steer(target, rows, Teacher(spread=0.2), rounds=20)
    assert made.rounds[-1].stopped == "filled"
    assert len(set(made.sample.chosen.tolist())) == 60
    assert made.sample.wasserstein is None
    units, quota = baselines.quotas(target.strategy, made.candidates, library(rows), settings())
    assert Counter(units[i] for i in made.sample.chosen) == {u: n for u, n in quota.items() if n}


def test_a_full_source_fills_a_random_pool_without_any_request() -> None:
    teacher = Teacher()
    made = steer(RANDOM, even(150, 2), teacher)
    assert (made.rounds[-1].stopped, teacher.orders) == ("filled", [])
    assert np.allclose(made.sample.probability, 60 / 150)


def test_a_baseline_orders_from_the_source_alone() -> None:
    teacher = Teacher()
    steer(RANDOM, crowded(30, 2), teacher, rounds=20, orders=10)
    assert len(teacher.orders) > 10
    assert all(question_id.startswith("q") for order in teacher.orders for question_id, _ in order.sources)


def test_ratios_are_kept_and_domains_left_out_get_nothing() -> None:
    rows = crowded(60, 2)
    shares = {"Quarter 0": 1.0, "Quarter 3": 3.0}
    made = steer(RATIO, rows, rounds=20, ratios=shares)
    shelf = library(rows)
    counts = Counter(shelf.domain(made.candidates.rows[i].page_id) for i in made.sample.chosen)
    assert counts == {"Quarter 0": 15, "Quarter 3": 45}


def test_without_ratios_every_domain_gets_the_same() -> None:
    rows = crowded(60, 2)
    _, quota = baselines.quotas("fixed_ratio", held(rows), library(rows), settings())
    assert quota == {f"Quarter {g}": 15 for g in range(4)}


def test_a_domain_that_the_source_does_not_have_is_refused() -> None:
    with pytest.raises(BadInput, match="the source has no domain 'Moon'; it has Quarter 0, Quarter 1"):
        steer(RATIO, crowded(60, 2), ratios={"Quarter 0": 1.0, "Moon": 1.0})


def test_fixed_tokens_evens_the_words_of_each_article() -> None:
    rows = [
        row._replace(page_id=i % 10, question="word " * (4 if i % 10 < 5 else 12) + "end?")
        for i, row in enumerate(even(100, 2))
    ]
    units, quota = baselines.quotas("fixed_tokens", held(rows), library(rows), settings(questions=60))
    words = {page: n * (6 if int(page) < 5 else 14) for page, n in quota.items()}
    assert len(words) == 10
    assert max(words.values()) - min(words.values()) <= 14  # one question
    assert min(quota[str(i)] for i in range(5)) > 2 * max(quota[str(i)] for i in range(5, 10)) - 2
    assert units[:3] == ["0", "1", "2"]


def test_what_a_unit_lacks_is_named_and_made_up_from_the_others() -> None:
    units, quota = ["a", "a", "a", "b", "c"], {"a": 1, "b": 3, "c": 0}
    assert baselines.missing(units, quota) == {"b": 2}
    chosen = baselines.fill(units, quota, np.array([0.9, 0.2, 0.5, 0.8, 0.1]), 4)
    assert chosen.tolist() == [1, 2, 3, 4]  # a's first by draw, b's only one, then the lowest draws left


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"densities": {}}, "empty table"),
        ({"ratios": {}}, "ratios must be shares"),
        ({"ratios": {"a": 0.0}}, "ratios must be shares"),
        ({"ratios": {"a": 2.0, "b": -1.0}}, "ratios must be shares"),
        ({"questions": 3}, "greater than or equal to 4"),
        ({"tolerance": 0.0}, "greater than 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changes: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings(**changes)
