"""The simulator's synthesis: what it expands and combines, and that its faults are what truth finds."""

from itertools import pairwise

import pytest
from scripted_teacher import FRANCE, GEORGIA, article
from small_world import lands

from stages.knowledge import mermaid
from stages.questions import verify
from stages.records import SeedQuestion
from stages.teacher import prompts, reading, replies, replies_combination, replies_synthesis, truth
from stages.teacher.competence import Embedded
from stages.teacher.corpus import Corpus

LANDS = lands(60)
CORPUS = Corpus(LANDS)
PAIRS = [*pairwise(LANDS), *zip(LANDS, LANDS[4:], strict=False), *zip(LANDS, LANDS[8:], strict=False)]


def shape(slip=0.0, miss=0.0, false_alarm=0.0):
    return Embedded(a=1, b=1, never=0, slip=slip, miss=miss, false_alarm=false_alarm)


def expanded(points, articles, count=3, draw=0, corpus=CORPUS, slip=0.0):
    user = prompts.expansion(points, articles, count).messages[1][1]
    said = replies_synthesis.expansion(corpus, user, shape(slip), draw)
    return prompts.Expansion.model_validate(said).knowledge_points


def combined(articles, draw=0, corpus=CORPUS, slip=0.0):
    points = expanded([], articles, 5, draw, corpus)
    user = prompts.combination(points, articles).messages[1][1]
    said = replies_combination.combination(corpus, user, shape(slip), draw)
    return prompts.Combination.model_validate(said), points


def subject(sample, articles):
    found = CORPUS.find(sample.question)
    return CORPUS.articles[found.article].title if found else articles[0].title


def judged(sample, articles, draw, embedded):
    user = prompts.verdict(sample.question, sample.answer, sample.knowledge_points, articles).messages[1][1]
    return replies_synthesis.verdict(CORPUS, user, embedded, draw)["error"]


def test_expansion_states_other_true_facts_of_each_article_in_turn():
    first = replies.tell(LANDS[0].facts[0], LANDS[0].title, 0, opener=0)
    points = expanded([first], LANDS[:2], 9)
    assert len(points) == 9
    assert all(truth.is_true(CORPUS, point, "") for point in points)
    assert [LANDS[i % 2].title in point for i, point in enumerate(points[:6])] == [True] * 6
    told = [truth.facts_told(LANDS[0].title, LANDS[0].facts, point) for point in points]
    assert [LANDS[0].facts[0]] not in told
    assert len({tuple(expanded([first], LANDS[:2], 3, draw)) for draw in range(20)}) > 15


def test_the_stated_share_of_points_is_wrong():
    points = [p for i, pair in enumerate(PAIRS) for p in expanded([], list(pair), 8, i, slip=0.2)]
    wrong = sum(not truth.is_true(CORPUS, point, "") for point in points)
    assert abs(wrong - 0.2 * len(points)) < 4 * (len(points) * 0.16) ** 0.5


def test_a_combined_question_passes_the_preliminary_checks_and_finds_its_fact():
    questions = set()
    for i, pair in enumerate(PAIRS):
        sample, points = combined(list(pair), i)
        title = subject(sample, pair)
        land = next(land for land in pair if land.title == title)
        row = SeedQuestion(
            question_id="",
            page_id=1,
            revision_id=1,
            title=title,
            question=sample.question,
            answer=sample.answer,
            answer_aliases=[],
            evidence=sample.evidence,
            request_key="",
        )
        assert verify.fault(row, land, 8) is None
        assert mermaid.fault(sample.logic_form) is None
        assert 3 <= len(sample.knowledge_points) <= 5
        assert set(sample.knowledge_points) <= set(points)
        assert sample.answer not in sample.distractors
        assert sample.distractors
        found = CORPUS.find(sample.question)
        assert found.fact.value == sample.answer
        told = [truth.facts_told(title, land.facts, point) for point in sample.knowledge_points]
        assert [found.fact] in told
        questions.add(sample.question)
    assert len(questions) >= 0.95 * len(PAIRS)
    assert sum(len(reading.sentences(question)) > 1 for question in questions) > 0.8 * len(questions)


def test_other_draws_and_orders_give_other_questions():
    assert len({combined(LANDS[:2], draw)[0].question for draw in range(20)}) > 15
    assert combined(LANDS[:2], 3) == combined(LANDS[:2], 3)


def test_a_slip_spoils_the_question_in_each_of_three_ways():
    seen = []
    for i, pair in enumerate(PAIRS):
        sample, _ = combined(list(pair), i, slip=1.0)
        error = truth.error(
            CORPUS, sample.question, sample.answer, sample.knowledge_points, subject(sample, pair)
        )
        seen.append(error)
    assert sum(error == "none" for error in seen) <= 0.01 * len(seen)
    for name in ("question_error", "answer_error", "logic_error"):
        assert seen.count(name) > len(seen) / 6


def test_points_without_a_known_fact_give_a_reply_that_no_check_lets_pass():
    bare = article(9, "Bare", {}, "")
    user = prompts.combination(["Nothing is known."], [bare]).messages[1][1]
    said = replies_combination.combination(Corpus([bare]), user, shape(), 0)
    sample = prompts.Combination.model_validate(said)
    assert not sample.question.endswith("?")
    assert mermaid.fault(sample.logic_form) == "unknown_diagram"


@pytest.mark.parametrize("miss", [0.0, 0.3])
def test_the_verdict_errs_as_often_as_it_says(miss):
    embedded = shape(miss=miss, false_alarm=0.1)
    faulty = missed = sound = alarmed = 0
    for i, pair in enumerate(PAIRS * 2):
        sample, _ = combined(list(pair), i, slip=0.5)
        points = sample.knowledge_points
        error = truth.error(CORPUS, sample.question, sample.answer, points, subject(sample, pair))
        said = judged(sample, list(pair), i, embedded)
        faulty, missed = faulty + (error != "none"), missed + (error != "none" and said == "none")
        sound, alarmed = sound + (error == "none"), alarmed + (error == "none" and said != "none")
    assert min(faulty, sound) > 100
    assert abs(missed - miss * faulty) <= 4 * (faulty * miss * (1 - miss)) ** 0.5
    assert abs(alarmed - 0.1 * sound) <= 4 * (sound * 0.09) ** 0.5


def test_a_reader_without_mistakes_names_most_faults_rightly():
    right = total = 0
    for i, pair in enumerate(PAIRS):
        sample, _ = combined(list(pair), i, slip=1.0)
        points = sample.knowledge_points
        error = truth.error(CORPUS, sample.question, sample.answer, points, subject(sample, pair))
        total += error != "none"
        right += error != "none" and judged(sample, list(pair), i, shape()) == error
    share = 1 - replies_synthesis.MISNAMED
    assert abs(right - share * total) < 4 * (total * share * (1 - share)) ** 0.5


def test_context_before_the_question_does_not_change_what_is_asked():
    corpus = Corpus([FRANCE, GEORGIA])
    for lead in ("Tbilisi is the capital of Georgia (country).", "Georgia lies in Asia. In fact, it does."):
        found = corpus.find(f"{lead} On which continent does France lie?")
        assert corpus.articles[found.article].title == "France"
        assert found.fact.value == "Europe"
