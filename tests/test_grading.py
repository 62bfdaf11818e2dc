"""Exact match under each benchmark's own normal form, and the traps of each."""

import pytest

from stages.grading import NORMAL_FORMS, exact_match, normalise
from stages.records import BenchmarkItem

PUBLISHED = ("webquestions", "natural_questions", "triviaqa", "entityquestions")


def item(benchmark: str, *answers: str, question: str = "which?") -> BenchmarkItem:
    return BenchmarkItem(benchmark=benchmark, item_id="1", question=question, answers=list(answers))


@pytest.mark.parametrize("benchmark", NORMAL_FORMS)
def test_case_articles_final_points_and_spaces_do_not_count(benchmark):
    assert exact_match("  the Beatles. ", item(benchmark, "Beatles"))
    assert exact_match("BEATLES", item(benchmark, "The  Beatles"))
    assert not exact_match("Beatle", item(benchmark, "The Beatles"))


@pytest.mark.parametrize("benchmark", NORMAL_FORMS)
def test_every_alias_counts_and_nothing_else(benchmark):
    accepted = item(benchmark, "Mark Twain", "Samuel Clemens")
    assert exact_match("samuel clemens", accepted)
    assert not exact_match("Mark Twain Samuel Clemens", accepted)
    assert not exact_match("Twain", accepted)


@pytest.mark.parametrize("benchmark", NORMAL_FORMS)
def test_an_answer_with_points_and_commas_is_compared_whole(benchmark):
    """Harnesses that stop generation at "." and "," would grade "Washington"."""
    assert exact_match("Washington, D.C.", item(benchmark, "Washington, D.C."))
    assert not exact_match("Washington", item(benchmark, "Washington, D.C."))
    assert not exact_match("St", item(benchmark, "St. John's"))


@pytest.mark.parametrize("benchmark", NORMAL_FORMS)
@pytest.mark.parametrize("answer", ["$", "A", "The", "?!"])
def test_an_empty_prediction_is_never_right_even_where_the_answer_normalises_to_nothing(benchmark, answer):
    for nothing in ("", "  ", "."):
        assert not exact_match(nothing, item(benchmark, answer))
    assert exact_match(answer.lower(), item(benchmark, answer))


def test_squad_deletes_a_mark_where_triviaqa_puts_a_space():
    assert normalise("entityquestions", "Guinea-Bissau") == "guineabissau"
    assert normalise("triviaqa", "Guinea-Bissau") == "guinea bissau"
    assert exact_match("Guinea Bissau", item("triviaqa", "Guinea-Bissau"))
    for benchmark in ("webquestions", "natural_questions", "entityquestions"):
        assert not exact_match("Guinea Bissau", item(benchmark, "Guinea-Bissau"))
        assert exact_match("GuineaBissau", item(benchmark, "Guinea-Bissau"))


def test_triviaqa_counts_curly_quotes_and_underscores_as_punctuation_and_squad_does_not():
    assert normalise("triviaqa", "Rock_’n’_Roll") == "rock n roll"
    assert normalise("entityquestions", "Rock ’n’ Roll") == "rock ’n’ roll"
    assert normalise("entityquestions", "Rock 'n' Roll") == "rock n roll"


def test_natural_questions_and_webquestions_decompose_accents_and_entityquestions_does_not():
    composed, decomposed = "Córdoba", "Co\u0301rdoba"
    for benchmark in ("natural_questions", "webquestions"):
        assert exact_match(decomposed, item(benchmark, composed))
        assert not exact_match("Cordoba", item(benchmark, composed))
    assert not exact_match(decomposed, item("entityquestions", composed))


def test_published_forms_keep_their_oddities_so_that_scores_are_comparable():
    for benchmark in ("webquestions", "natural_questions", "entityquestions"):
        assert exact_match("35", item(benchmark, "3.5"))
    assert not exact_match("35", item("triviaqa", "3.5"))


@pytest.mark.parametrize("benchmark", ["simpleqa", "simpleqa_verified"])
def test_forms_of_our_own_keep_numbers_apart(benchmark):
    assert not exact_match("35", item(benchmark, "3.5"))
    assert not exact_match("5", item(benchmark, "-5"))
    assert exact_match("120000 euros", item(benchmark, "120,000 euros"))


@pytest.mark.parametrize("benchmark", NORMAL_FORMS)
@pytest.mark.parametrize("verdict", ["CORRECT", "A", "C", "NOT_ATTEMPTED"])
def test_a_prediction_that_reads_like_a_judges_verdict_is_only_an_answer(benchmark, verdict):
    assert not exact_match(verdict, item(benchmark, "Michio Sugeno"))


def test_an_unknown_benchmark_is_named():
    with pytest.raises(ValueError, match="no benchmark 'squadron'"):
        normalise("squadron", "x")
    with pytest.raises(ValueError, match="no benchmark 'squadron'"):
        exact_match("x", item("squadron", "x"))


@pytest.mark.parametrize("benchmark", PUBLISHED)
@pytest.mark.parametrize("text", ["The A-team's 3.5 “points”", "Ünïté_d a an THE", "x  \t y\n", "don't"])
def test_a_normal_form_is_its_own_normal_form(benchmark, text):
    once = normalise(benchmark, text)
    assert normalise(benchmark, once) == once
