"""The embedded teacher on problems of mathematics and physics, through the client and on its own."""

import pytest
from scripted_teacher import WORLD, config

from stages.problems import catalog
from stages.problems.catalog import instances
from stages.problems.solving import Book
from stages.records import SeedProblem
from stages.teacher import client, prompts, replies
from stages.teacher.competence import coverage, success_probability, true_competence
from stages.teacher.knowing_problems import KEY, OfProblem, find
from stages.teacher.prompts import Shown
from stages.teacher.replies_protocols import SOUND
from stages.teacher.store import ResponseStore

EMBEDDED = [
    catalog.problem(catalog.ask(one, 0))
    for families in catalog.FAMILIES.values()
    for family in families
    for one in instances(family)[:4]
]
GIVEN = SeedProblem(
    problem_id="a1",
    domain="mathematics",
    question="Ann has 6 rows of 7 plants and sells 2.\n\nHow many are left?",
    answer="40",
    unit="",
    solution="There are 6*7=<<6*7=42>>42 plants.\nShe keeps 42-2=<<42-2=40>>40.",
)
UNSOLVED = SeedProblem(
    problem_id="b2", domain="mathematics", question="Name a root.", answer="\\sqrt{x}", unit="", solution=""
)
PROBLEMS = [*EMBEDDED, GIVEN, UNSOLVED]
SOME = [*EMBEDDED[:: len(EMBEDDED) // 5], GIVEN]


@pytest.fixture
def store(tmp_path):
    with ResponseStore(tmp_path / "s.sqlite") as opened:
        yield opened


def drawn(store, prompt, count, problems=PROBLEMS, **changes):
    requests = [client.Request(prompt, rollout=i) for i in range(count)]
    outcomes = client.draw(requests, config(concurrency=32, **changes), store, WORLD, problems)
    assert {outcome.reason for outcome in outcomes} == {"ok"}
    return [outcome.reply for outcome in outcomes]


def rate(problem, replies_drawn):
    return sum(OfProblem(problem, 0.0).is_right(reply.answer) for reply in replies_drawn) / len(replies_drawn)


def wrong_of(problem):
    """Return a wrong solution as the prompts take it: question, domain, answer, rationale."""
    wrong = OfProblem(problem, 0.0).wrong(1)
    return problem.question, problem.domain, wrong["answer"], wrong["rationale"]


def near(share, expected, draws):
    return share == pytest.approx(expected, abs=4 * (expected * (1 - expected) / draws) ** 0.5)


def test_a_worked_solution_is_right_in_many_words_and_a_slip_is_wrong():
    for problem in PROBLEMS:
        known = OfProblem(problem, 0.5)
        for draw in range(12):
            right, wrong = known.right(draw), known.wrong(draw)
            assert known.is_right(right["answer"]), right
            assert not known.is_right(wrong["answer"]), wrong
            for said in (right, wrong):
                prompts.Solution.model_validate(said)
                assert known.again(Shown(problem.question, **said), draw) == said
        assert len({known.right(draw)["rationale"] for draw in range(100)}) >= 20


@pytest.mark.parametrize("problem", SOME, ids=lambda problem: problem.problem_id)
def test_solutions_are_right_with_the_problems_competence(problem, store):
    p = true_competence(problem.problem_id, KEY, model="m", embedded=config().embedded)
    for temperature in (1.0, 2.0):
        said = drawn(
            store, prompts.solution(problem.question, problem.domain), 300, model="m", temperature=temperature
        )
        assert near(rate(problem, said), success_probability(p, temperature), 300)


def test_the_share_of_problems_without_a_right_solution_is_coverage(store):
    requests = [
        client.Request(prompts.solution(problem.question, problem.domain), rollout=i)
        for problem in EMBEDDED
        for i in range(4)
    ]
    outcomes = client.draw(requests, config(concurrency=32), store, (), PROBLEMS)
    right = [
        OfProblem(problem, 0.0).is_right(outcomes[4 * i + j].reply.answer)
        for i, problem in enumerate(EMBEDDED)
        for j in range(4)
    ]
    for r in (1, 2, 4):
        unsolved = sum(not any(right[i : i + r]) for i in range(0, len(right), 4)) / len(EMBEDDED)
        assert near(unsolved, coverage(0.6, 0.8, 0.1, r), len(EMBEDDED))


def test_greedy_solutions_do_not_vary(store):
    said = drawn(store, prompts.solution(GIVEN.question, "mathematics"), 20, temperature=0.0)
    assert len(set(said)) == 1


def test_refining_a_wrong_solution_has_the_planted_rates(store):
    shown = wrong_of(GIVEN)
    p = true_competence(GIVEN.problem_id, KEY, model="m", embedded=config().embedded)
    said = drawn(
        store,
        prompts.refine(*shown),
        1000,
        model="m",
        embedded=config().embedded.model_dump() | {"miss": 0.4},
    )
    assert near(rate(GIVEN, said), 0.6 * p, 1000)
    assert sum(reply.answer == shown[2] for reply in said) >= 300


def test_a_critique_names_the_first_step_that_does_not_hold():
    known = OfProblem(GIVEN, 0.0)
    shown = Shown(
        GIVEN.question, "42", "First: There are 6*7=42 plants.\nSo: She keeps 42-2=42.\nThat makes 42."
    )
    assert known.suspect(shown) == "She keeps 42-2=42."
    assert known.suspect(Shown(GIVEN.question, "41")) == "The answer is 41."


FACT = ("What is the capital of France?", "knowledge", "Tbilisi", "It is Tbilisi.")


@pytest.mark.parametrize("shown", [*map(wrong_of, (*SOME, UNSOLVED)), FACT], ids=lambda shown: shown[1])
def test_every_task_is_answered_in_its_schema_and_from_the_store_the_second_time(shown, store):
    question, domain, answer, _ = shown
    sent = [
        prompts.respond(question, domain),
        prompts.refine(*shown),
        prompts.critique(*shown),
        prompts.revise(*shown, SOUND[0]),
        prompts.rating(*shown),
        prompts.variation(question, domain, answer),
    ]
    for again in (False, True):
        outcomes = client.draw(map(client.Request, sent), config(), store, WORLD, PROBLEMS)
        assert [outcome.cached for outcome in outcomes] == [again] * 6
        assert [type(outcome.reply) for outcome in outcomes] == [prompt.reply for prompt in sent]
    assert outcomes[3].reply.answer == answer


@pytest.mark.parametrize("problem", [*SOME, UNSOLVED], ids=lambda problem: problem.problem_id)
def test_a_variation_is_a_problem_of_the_book_and_a_share_of_its_answers_is_wrong(problem):
    book, known = Book(PROBLEMS), OfProblem(problem, 0.0)
    wrong = 0
    for draw in range(200):
        said = known.varied(0.2, draw)
        found = find(book, said["question"])
        assert found.domain == problem.domain
        assert said["question"] != problem.question
        wrong += not OfProblem(found, 0.0).is_right(said["answer"])
    assert near(wrong / 200, 0.2, 200)


def test_an_unknown_problem_is_answered_with_unknown(store):
    said = drawn(store, prompts.solution("Prove that there is no largest prime.", "mathematics"), 10)
    assert {reply.answer for reply in said} == {replies.UNKNOWN}
    assert {reply.rationale for reply in said} <= set(replies.DOUBTS)
