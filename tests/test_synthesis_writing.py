"""Writing to order: every order yields one row, whatever the teacher says."""

import json

import pytest
from scripted_teacher import config as teacher_config
from small_world import lands

from stages.grid import Target
from stages.questions import Config, Decontaminate
from stages.questions.sift import candidate
from stages.synthesis import audit, reading
from stages.synthesis.verification import CATEGORY, VALID, Verification
from stages.synthesis.writing import Order, write
from stages.teacher import client, prompts, truth
from stages.teacher.corpus import Corpus
from stages.teacher.store import ResponseStore

LANDS = lands(60)
TARGET = Target("density", 3.0)
LIMITS = Config(
    category=None,
    articles=None,
    per_article=1,
    max_answer_words=6,
    near_duplicate=0.8,
    decontaminate=Decontaminate(ngram=8, overlap=0.8),
)
SOURCE = [
    candidate(
        prompts.WrittenQuestion(
            question=f"What is the capital of {a.title}?",
            answer=a.facts[0].value,
            evidence=f"capital = {a.facts[0].value}",
        ),
        a,
        {},
        "key",
    )
    for a in LANDS
]


def context() -> Verification:
    return Verification(SOURCE, [], LIMITS, 0.6, LANDS)


def order(i: int, serial: int | None = None) -> Order:
    a, b = LANDS[i], LANDS[(i + 4) % len(LANDS)]
    points = (
        f"The capital of {a.title} is {a.facts[0].value}.",
        f"{a.title} lies in {a.facts[1].value}.",
        f"{a.title} uses the {a.facts[2].value}.",
    )
    mine = SOURCE[i].question_id
    return Order(i if serial is None else serial, i % 3, tuple((mine, p) for p in points), (a, b))


class Scripted:
    """A teacher in process: what it says to each kind of prompt; counts calls."""

    def __init__(self, *, combine=None, verdict="none", expand=None):
        self.combine, self.verdict, self.expand = combine, verdict, expand
        self.sent: list[client.Request] = []

    def __call__(self, requests):
        self.sent += requests
        return [self._outcome(f"{len(self.sent)}-{i}", request) for i, request in enumerate(requests)]

    def _outcome(self, number, request):
        user = request.prompt.messages[-1][1]
        _, given, articles = prompts.read_synthesis(user)
        title, facts, _ = articles[0]
        if request.prompt.reply is prompts.Expansion:
            said = [f"{title} drives on the {facts[4].value}.", f"{title} is called with {facts[3].value}."]
            reply = prompts.Expansion(knowledge_points=said if self.expand is None else self.expand)
        elif request.prompt.reply is prompts.Verdict:
            reply = prompts.Verdict(error=self.verdict, reason="because")
        else:
            fields = {
                "question": f"Callers prefix it, and it has its own crown. Which code reaches {title}?",
                "answer": facts[3].value,
                "evidence": f"calling_code = {facts[3].value}",
                "distractors": ["+901", "+902"] if facts[3].value not in ("+901", "+902") else ["+903"],
                "logic_form": "flowchart TD\nA[one] --> B[two]\nB --> C[three]",
                "knowledge_points": given[:3],
            }
            reply = prompts.Combination.model_construct(**(fields | (self.combine or {})))  # unchecked
        key = number if request.prompt.reply is not prompts.Verdict else str(hash(request.prompt))
        return client.Outcome(key, reply, "ok", 10, 5, 0.001, False, False, 1, 0.001)


def run(teacher, orders, known=None, detailed=True, **more):
    return write(orders, teacher, known or context(), 1, TARGET, 0, detailed, **more)


def test_every_order_yields_one_row_in_order_with_its_cost():
    rows = run(Scripted(), [order(i) for i in range(4)])
    assert [row.reason for row in rows] == [VALID] * 4
    assert [row.title for row in rows] == [a.title for a in LANDS[:4]]
    assert {(row.calls, row.prompt_tokens, row.completion_tokens) for row in rows} == {(3, 30, 15)}
    assert rows[0].cost_usd == pytest.approx(0.003)
    assert rows[0].sources == [SOURCE[0].question_id]
    assert not rows[0].in_pool


def test_without_the_detailed_evaluation_two_requests_are_made():
    teacher = Scripted(verdict="answer_error")
    rows = run(teacher, [order(0)], detailed=False)
    assert (rows[0].verdict, rows[0].calls, len(teacher.sent)) == (VALID, 2, 2)


def test_a_teacher_that_always_fails_verification_gives_reasons_and_takes_nothing_in():
    known = context()
    rows = run(Scripted(verdict="logic_error"), [order(i) for i in range(5)], known)
    assert {(row.verdict, row.reason) for row in rows} == {("logic_error", "verdict_logic_error")}
    assert len(known.questions) == len(SOURCE)


def test_what_fails_a_free_check_is_never_evaluated():
    teacher = Scripted(combine={"question": "Name the code."})
    rows = run(teacher, [order(0)])
    assert (rows[0].verdict, rows[0].reason) == ("format_mismatch", "not_a_question")
    assert prompts.Verdict not in [request.prompt.reply for request in teacher.sent]


def test_equal_orders_draw_new_rollouts_also_in_a_later_round():
    teacher, known = Scripted(), context()
    run(teacher, [order(0, 1), order(0, 2), order(1, 3)], known)
    write([order(0, 4)], teacher, known, 2, TARGET, 0, True)
    asked = [r.rollout for r in teacher.sent if r.prompt.reply is prompts.Expansion]
    assert asked == [0, 1, 0, 2]


def test_equal_questions_keep_distinct_ids_and_the_first_stays():
    rows = run(Scripted(), [order(0, 1), order(0, 2)])
    assert [row.reason for row in rows] == [VALID, "duplicate"]
    assert len({row.question_id for row in rows}) == 2


def test_half_a_surrogate_pair_is_rejected_by_name_and_can_be_written():
    for field in ("question", "answer"):
        (row,) = run(Scripted(combine={field: "caf\ud800?"}), [order(0)])
        assert (row.verdict, row.reason, row.question) == ("format_mismatch", "not_unicode", "")
        json.dumps(row.model_dump(), ensure_ascii=False).encode()


def test_expansion_points_that_cannot_be_used_are_dropped():
    said = [
        "\ud800 Bad",
        "nothing concrete here",
        order(0).sources[0][1].upper(),
        "It has 7 lakes.",
        "it has 7 lakes",
    ]
    anchors = [point for _, point in order(0).sources]
    assert reading.usable(said, anchors, order(0).articles) == ["It has 7 lakes."]


def test_too_few_points_and_empty_replies_are_named():
    few = order(0)._replace(sources=order(0).sources[:2])
    (row,) = run(Scripted(expand=[]), [few])
    assert (row.reason, row.calls) == ("too_few_points", 1)

    def empty(requests):
        return [
            client.Outcome(str(i), None, "empty", 9, 0, None, False, True, 2, None)
            for i in range(len(requests))
        ]

    rows = run(empty, [order(0, 1), order(0, 2)])
    assert {(r.reason, r.question, r.calls, r.cost_usd) for r in rows} == {("reply_empty", "", 2, None)}
    assert len({r.question_id for r in rows}) == 2


def test_three_to_five_points_are_chosen_with_an_anchor_and_an_expanded_one():
    counts = set()
    for i in range(40):
        chosen = reading.choose(["a", "b", "c"], ["x", "y", "z"], str(i))
        assert "a" in chosen
        assert set(chosen) & {"x", "y", "z"}
        counts.add(len(chosen))
    assert counts == {3, 4, 5}


def test_an_order_from_an_unknown_question_is_refused():
    with pytest.raises(ValueError, match="order 7"):
        run(Scripted(), [order(0, 7)._replace(sources=(("nobody", "It is 1."),))])


def test_the_simulator_writes_questions_that_pass_and_errs_at_a_rate_that_the_audit_sees(tmp_path):
    corpus = Corpus(LANDS)
    settings = teacher_config(max_malformed=1.0)
    with ResponseStore(tmp_path / "s.sqlite") as store:

        def draw(requests):
            return client.draw(requests, settings, store, articles=LANDS)

        def true(question, answer, points, title):
            return truth.error(corpus, question, answer, points, title)

        orders = [order(i % 60, i) for i in range(120)]
        rows = run(draw, orders, truth=true)
        again = run(draw, orders, truth=true)
    assert rows == again
    assert all(row.reason == VALID or CATEGORY[row.reason] == row.verdict for row in rows)
    told = audit.audit(rows)
    assert sum(row.verdict == VALID for row in rows) > 40
    assert told["detailed"]["true_positive"] > 0
    assert told["detailed"]["recall"]["high"] > 0.8 > told["detailed"]["recall"]["low"]  # 1 - miss
