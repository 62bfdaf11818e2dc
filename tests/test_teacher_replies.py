"""What the simulator says: seed questions, knowledge, answers."""

import re

from scripted_teacher import FRANCE, GEORGIA, IRON, WORLD, article

from stages.teacher import phrasing, prompts, reading, replies
from stages.teacher.corpus import Corpus

CORPUS = Corpus(WORLD)


def asked(art, count, seed=0):
    user = prompts.seed_questions(art, count).messages[1][1]
    return prompts.SeedQuestions.model_validate(replies.seed_questions(CORPUS, user, seed)).questions


def annotated(question, answer, art):
    user = prompts.knowledge(question, answer, art).messages[1][1]
    return prompts.Knowledge.model_validate(replies.knowledge(CORPUS, user, 0))


def answered(question, p, temperature=1.0, draws=1, seed=0):
    said = [
        replies.answer(CORPUS, lambda title, key: p, question, temperature, 99, seed + i, 0)
        for i in range(draws)
    ]
    return [prompts.Answer.model_validate(one) for one in said]


def test_seed_questions_begin_with_what_the_text_says_first():
    (only,) = asked(FRANCE, 1)
    assert only.question in phrasing.questions("capital", "France")
    assert (only.answer, only.evidence) == ("Paris", "The capital of France is Paris.")


def test_as_many_questions_as_asked_for_or_as_there_are_facts():
    assert [len(asked(FRANCE, count)) for count in (1, 3, 50)] == [1, 3, 4]
    assert asked(article(9, "Bare", {}, "A page without an infobox."), 3) == []


def test_a_disambiguated_title_stays_whole_in_the_question():
    assert all("Georgia (country)" in q.question for q in asked(GEORGIA, 2))


def test_evidence_is_verbatim_or_the_infobox_line():
    for written in asked(IRON, 9):
        assert written.evidence in prompts.article_block(IRON, 6000)


def test_the_seed_changes_the_phrasing():
    assert len({asked(FRANCE, 1, seed)[0].question for seed in range(30)}) >= 4


def test_the_stated_share_of_seed_questions_is_faulty_in_two_ways():
    towns = [
        article(i, f"Town {i}", {"mayor": f"Person {i}"}, f"Town {i} is led by mayor Person {i}.")
        for i in range(3000)
    ]
    corpus = Corpus(towns)
    contradicted = given_away = 0
    for town in towns:
        user = prompts.seed_questions(town, 1).messages[1][1]
        (one,) = replies.seed_questions(corpus, user, 0)["questions"]
        contradicted += not reading.contains(one["evidence"], one["answer"])
        given_away += reading.contains(one["question"], one["answer"])
    half = 3000 * replies.SLIP_RATE / 2
    assert abs(contradicted - half) < 4 * half**0.5
    assert abs(given_away - half) < 4 * half**0.5


def test_knowledge_states_the_answer_first_and_stays_with_the_article():
    question = "What is the capital of France?"
    told = annotated(question, "Paris", FRANCE)
    assert told.topic_entities == ["France"]
    assert 3 <= len(told.knowledge_points) <= 5
    assert "Paris" in told.knowledge_points[0]
    assert all("France" in point for point in told.knowledge_points)
    assert told.logic_form.startswith("graph TD\n")
    assert f'["{question}"]' in told.logic_form


def test_a_value_with_an_article_of_its_own_is_a_topic_entity():
    world = Corpus([article(1, "Peru", {"capital": "Lima"}), article(2, "Lima", {"country": "Peru"})])
    user = prompts.knowledge("What is the capital of Peru?", "Lima", world.articles[0]).messages[1][1]
    assert replies.knowledge(world, user, 0)["topic_entities"] == ["Peru", "Lima"]


def test_knowledge_keeps_to_the_question_where_two_facts_have_one_value():
    points = annotated("Which city in France has the most inhabitants?", "Paris", FRANCE).knowledge_points
    largest = {phrasing.statement("largest_city", "France", "Paris", i) for i in range(60)}
    assert points[0] in largest


def test_a_thin_article_still_gives_three_points():
    thin = article(8, "Peru", {"capital": "Lima"}, "")
    for art, answer in ((thin, "Lima"), (article(9, "Bare", {}, ""), "nothing"), (IRON, "no such value")):
        points = annotated(f"What is the capital of {art.title}?", answer, art).knowledge_points
        assert 3 <= len(set(points)) == len(points) <= 5
        assert answer in points[0]


def test_labels_of_the_logic_form_are_quoted():
    odd = article(7, 'The "Odd" [one]', {"capital": 'a "b" c'}, "")
    form = annotated('What is "it"?', 'a "b" c', odd).logic_form
    assert all(line.count('"') % 2 == 0 for line in form.splitlines())
    assert "#quot;Odd#quot;" in form


def test_a_sure_fact_is_always_right_and_a_lost_one_never():
    assert {a.answer for a in answered("What is the capital of France?", 1.0, draws=50)} == {"Paris"}
    wrong = {a.answer for a in answered("What is the capital of France?", 0.0, draws=50)}
    assert "Paris" not in wrong
    assert wrong == {"Tbilisi"}


def test_the_rationale_states_the_answer_in_many_ways():
    drawn = answered("What is the capital of France?", 0.5, draws=16)
    assert len({a.rationale for a in drawn}) >= 12
    assert {a.answer for a in drawn} == {"Paris", "Tbilisi"}
    for one in drawn:
        assert one.answer in one.rationale
        assert "France" in one.rationale


def test_half_known_facts_are_right_about_half_of_the_time():
    right = sum(a.answer == "Paris" for a in answered("What is the capital of France?", 0.3, draws=2000))
    assert abs(right - 600) < 4 * (2000 * 0.3 * 0.7) ** 0.5


def test_greedy_answers_do_not_vary():
    for p, answer in ((0.51, "Paris"), (0.49, "Tbilisi")):
        (one,) = set(answered("What is the capital of France?", p, temperature=0.0, draws=20))
        assert one.answer == answer


def test_an_unanswerable_question_is_answered_with_unknown():
    drawn = answered("What is love?", 1.0, draws=20)
    assert {a.answer for a in drawn} == {"unknown"}
    assert {a.rationale for a in drawn} == set(replies.DOUBTS)
    assert not any(re.search(r"\bParis\b", a.rationale) for a in drawn)
