"""Verification of synthesized questions: every check rejects what it names."""

import ast
from pathlib import Path

import pytest
from test_synthesis_writing import LANDS, LIMITS, SOURCE, Scripted, context, order, run

from stages.knowledge import mermaid
from stages.records import BenchmarkItem
from stages.synthesis import TAXONOMY, audit
from stages.synthesis.verification import CATEGORY, Verification

(GOOD,) = run(Scripted(), [order(0)])
GIVEN = [*GOOD.points, "One more stands in 1900."]
HERE = LANDS[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"question": f"Name {HERE.title}."}, "not_a_question"),
        ({"question": f"Which of the following reaches {HERE.title}?"}, "multiple_choice"),
        ({"answer": "a b c d e f g"}, "answer_too_long"),
        ({"question": f"Does +900 reach {HERE.title}?"}, "answer_in_question"),
        ({"answer": "+999"}, "answer_not_in_evidence"),
        ({"evidence": "Callers dial +900."}, "evidence_not_in_article"),
        ({"question": "Which code is dialled there?"}, "not_instance_based"),
        ({"points": GIVEN[:2]}, "point_count"),
        ({"points": [GIVEN[0], GIVEN[1], GIVEN[1].upper()]}, "point_count"),
        ({"points": [*GIVEN[:2], "It was never given."]}, "point_not_given"),
        ({"logic_form": "pie\nA --> B"}, "logic_form_unknown_diagram"),
        ({"distractors": []}, "distractor_count"),
        ({"distractors": ["+901"] * 6}, "distractor_count"),
        ({"distractors": ["?!"]}, "distractor_empty"),
        ({"distractors": ["900"]}, "distractor_is_answer"),
        ({"distractors": ["Napoleon"]}, "distractor_off_theme"),
    ],
)
def test_each_free_check_names_its_fault(changes, reason):
    row = GOOD.model_copy(update=changes)
    assert context().preliminary(row, GIVEN, order(0).articles) == reason


def test_a_diagram_of_ten_thousand_edges_is_rejected_by_name():
    bomb = "flowchart TD\n" + "\n".join(f"N{i} --> N{i + 1}" for i in range(10_000))
    reason = context().preliminary(GOOD.model_copy(update={"logic_form": bomb}), GIVEN, order(0).articles)
    assert reason == "logic_form_too_large"


def test_a_copy_of_its_source_is_rejected_and_another_view_of_the_same_fact_is_not():
    known, capital = context(), HERE.facts[0].value
    fields = {"answer": capital, "evidence": f"capital = {capital}", "distractors": ["left"]}
    view = f"Its calls begin with +900 and traffic keeps left. From which town is {HERE.title} ruled?"
    for question, reason in (
        (SOURCE[0].question, "duplicate"),
        (f"What city is the capital of {HERE.title}?", "near_duplicate"),
        (view, None),
    ):
        row = GOOD.model_copy(update=fields | {"question": question})
        assert known.preliminary(row, GIVEN, order(0).articles) == reason
    other = GOOD.model_copy(update={"question": f"By what number is the capital of {HERE.title} known?"})
    assert known.preliminary(other, GIVEN, order(0).articles) is None
    near = GOOD.model_copy(update={"question": f"Which capital of {HERE.title}?"})
    assert known.preliminary(near, GIVEN, order(0).articles) == "near_copy"


def test_one_wording_with_two_answers_is_ambiguous_within_and_across_rounds():
    other = GOOD.model_copy(update={"answer": "+905", "question_id": "other"})
    assert context().admit([GOOD, other]) == ["ambiguous", "ambiguous"]
    known = context()
    assert known.admit([GOOD]) == [None]
    assert known.admit([other]) == ["ambiguous"]
    assert known.admit([GOOD.model_copy(update={"question_id": "again"})]) == ["duplicate"]


def test_a_benchmark_question_is_contaminated():
    item = BenchmarkItem(benchmark="b", item_id="1", question=GOOD.question, answers=["x"])
    known = Verification(SOURCE, [item], LIMITS, 0.6, LANDS)
    assert known.preliminary(GOOD, GIVEN, order(0).articles) == "contaminated_ngram"


def test_every_fault_that_a_diagram_can_have_has_a_category():
    tree = ast.parse(Path(mermaid.__file__).read_text())
    returned = [n.value for n in ast.walk(tree) if isinstance(n, ast.Return) and n.value]
    texts = [n.value for value in returned for n in ast.walk(value) if isinstance(n, ast.Constant)]
    said = {text for text in texts if isinstance(text, str) and text.isidentifier()}
    assert "cyclic" in said
    assert {f"logic_form_{name}" for name in said} <= set(CATEGORY)
    assert set(CATEGORY.values()) == set(TAXONOMY)


def sample(truth, verdict, reason=None, round=1):
    reason = reason or ("valid" if verdict == "valid" else f"verdict_{verdict}")
    return GOOD.model_copy(update={"truth": truth, "verdict": verdict, "reason": reason, "round": round})


def test_the_audit_counts_a_planted_verifier():
    rows = (
        [sample("answer_error", "answer_error")] * 6
        + [sample("answer_error", "logic_error")] * 2
        + [sample("logic_error", "valid")] * 2
        + [sample("valid", "valid")] * 9
        + [sample("valid", "question_error", round=2)]
        + [sample("answer_error", "answer_error", "answer_not_in_evidence")] * 10
        + [sample("valid", "duplicate", "duplicate")]
    )
    told = audit.audit(rows)
    seen = told["detailed"]
    assert (seen["samples"], seen["recall"]["value"], told["all"]["recall"]["value"]) == (20, 0.8, 0.9)
    assert seen["precision"]["value"] == pytest.approx(8 / 9)
    assert seen["same_category"]["value"] == 0.75
    assert seen["recall"]["low"] == pytest.approx(0.5408, abs=1e-3)  # Wilson, 8 of 10 at 90 %
    assert told["rounds"][1]["detailed"]["recall"] is None
    assert audit.audit([sample(None, "valid")]) is None
    assert audit.audit(rows, detailed=False)["detailed"] is None


def test_the_taxonomy_accounts_for_every_order_and_names_what_did_not_occur():
    rows = [
        sample("valid", "valid"),
        sample("valid", "duplicate", "near_copy"),
        sample("valid", "valid", round=2),
    ]
    counts = audit.taxonomy_counts(rows)
    assert sum(row["count"] for row in counts if row["round"] == 1) == 2
    assert {row["category"] for row in counts if row["round"] == 2} == {"valid", *TAXONOMY}
    assert counts[0] == {"round": 1, "category": "valid", "reason": "valid", "count": 1}
