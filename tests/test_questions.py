"""The source: every check rejects what it names, and nothing else."""

import pytest
from numpy.random import default_rng

from stages.errors import BadInput
from stages.questions import Config, Decontaminate
from stages.questions.decontaminate import contaminated
from stages.questions.dedupe import duplicates
from stages.questions.sift import candidate, choose, sift
from stages.questions.verify import ambiguous, fault
from stages.records import Article, BenchmarkItem, Fact, SeedQuestion
from stages.teacher.prompts import WrittenQuestion

CHAD = Article(
    page_id=1,
    revision_id=11,
    timestamp="",
    title="Chad",
    aliases=["Republic of Chad"],
    text="Chad is a country in Africa. Its capital is N'Djamena.",
    facts=[Fact(name="currency", value="Central African CFA franc")],
    categories=[],
)
CONFIG = Config(
    category=None,
    articles=None,
    per_article=1,
    max_answer_words=5,
    near_duplicate=0.8,
    decontaminate=Decontaminate(ngram=6, overlap=0.8),
)


def asked(
    question: str, answer: str = "N'Djamena", evidence: str = "Its capital is N'Djamena."
) -> SeedQuestion:
    return candidate(WrittenQuestion(question=question, answer=answer, evidence=evidence), CHAD, {}, "key")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (asked("What is the capital of Chad?"), None),
        (
            asked("Which franc does Chad use?", "Central African", "currency = Central African CFA franc"),
            None,
        ),
        (asked("Name the capital of Chad."), "not_a_question"),
        (asked("What is Chad's capital: A) Lagos B) Abuja?"), "multiple_choice"),
        (asked("Which of the following is the capital of Chad?"), "multiple_choice"),
        (asked("What is Chad's capital, A. Lagos or B. Abuja?"), "multiple_choice"),
        (asked("How is a (a) letter written in Chad?", "x"), "answer_not_in_evidence"),
        (asked("What of Chad?", "one two three four five six"), "answer_too_long"),
        (asked("Is N'Djamena the capital of Chad?"), "answer_in_question"),
        (asked("What is the capital of Chad?", "Abuja"), "answer_not_in_evidence"),
        (
            asked("What is the capital of Chad?", evidence="Chad's seat is N'Djamena."),
            "evidence_not_in_article",
        ),
        (asked("What is the capital?"), "not_instance_based"),
    ],
)
def test_each_preliminary_check_names_its_fault(row: SeedQuestion, reason: str | None) -> None:
    assert fault(row, CHAD, max_answer_words=5) == reason


def test_one_wording_with_two_answers_is_ambiguous() -> None:
    rows = [
        asked("Where is Chad?", "Africa"),
        asked("where is Chad", "Sahel"),
        asked("What is Chad?", "Africa"),
    ]
    assert ambiguous(rows) == {rows[0].question_id, rows[1].question_id}


def test_the_same_fact_is_a_duplicate_and_a_sibling_fact_is_not() -> None:
    capital = asked("What is the capital of Chad?")
    again = asked("What is the capital city of Chad?")
    largest = asked("Which settlement in Chad has most inhabitants?")
    other = asked("What is the capital of Mali?", "Bamako")
    assert duplicates([capital, again, largest, other], 0.8) == {again.question_id: "near_duplicate"}


def test_equal_wording_is_an_exact_duplicate_whatever_its_case() -> None:
    first, second = asked("What is the capital of Chad?"), asked("WHAT is the capital of Chad ?")
    assert duplicates([first, second], 0.8) == {second.question_id: "duplicate"}


def test_benchmark_items_are_found_by_word_runs_and_by_answers() -> None:
    items = [
        BenchmarkItem(
            benchmark="b", item_id="1", question="so what is the capital of Chad today", answers=["x"]
        ),
        BenchmarkItem(benchmark="b", item_id="2", question="capital of Mali", answers=["Bamako"]),
        BenchmarkItem(benchmark="b", item_id="3", question="Peru capital city", answers=["Lima"]),
    ]
    run = asked("What is the capital of Chad?")
    whole = asked("Which place is the capital of Mali now?", "Bamako")
    same_answer = asked("What city is capital in Peru?", "Lima")
    same_words_other_answer = asked("What city is capital in Peru?", "Cusco")
    free = asked("Which town governs Peru?", "Lima")
    assert contaminated([run, whole, same_answer, same_words_other_answer, free], items, 6, 0.8) == {
        run.question_id: "contaminated_ngram",
        whole.question_id: "contaminated_ngram",
        same_answer.question_id: "contaminated_answer",
    }


def test_sifting_accounts_for_every_question_written() -> None:
    rows = [asked("What is the capital of Chad?"), asked("What is the capital of Chad?"), asked("Name it.")]
    kept, rejected = sift(rows, {1: CHAD}, [], CONFIG)
    assert [row.question for row in kept] == ["What is the capital of Chad?"]
    assert sorted(row.reason for row in rejected) == ["duplicate", "not_a_question"]


def test_articles_are_drawn_from_a_category_and_an_empty_one_is_named() -> None:
    towns = [CHAD.model_copy(update={"page_id": i, "categories": ["Towns"]}) for i in range(2, 12)]
    drawn = choose(
        [CHAD, *towns], CONFIG.model_copy(update={"category": "Towns", "articles": 4}), default_rng(0)
    )
    assert len(drawn) == 4
    assert drawn == sorted(drawn, key=lambda a: a.page_id)
    assert CHAD not in drawn
    with pytest.raises(BadInput, match=r"ask\.category 'Moons': none of 1 articles is of it"):
        choose([CHAD], CONFIG.model_copy(update={"category": "Moons"}), default_rng(0))
