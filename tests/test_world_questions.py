"""The embedded benchmarks: official formats, held-out phrasings, sound items."""

import re
from collections import Counter
from pathlib import Path

import pytest

from stages import benchmarks
from stages.benchmarks.reading import read
from stages.grading import exact_match
from stages.questions.decontaminate import contaminated
from stages.questions.words import contains_run, content_words, jaccard, words
from stages.records import SeedQuestion
from stages.teacher import phrasing
from stages.world.__main__ import read_tables
from stages.world.articles import FRAMES
from stages.world.fields import FIELDS, by_field, subject
from stages.world.official_files import files
from stages.world.questions import PHRASINGS, STYLES, ask, shares

WORLD = read_tables()
ASKED = {name: ask(WORLD, name) for name in STYLES.values()}
CHECKED_IN = Path(__file__).parents[1] / "datasets" / "benchmarks"
# Of the teacher's questions and of the sentences of the articles, without their slots.
KNOWN_WORDS = frozenset(
    word
    for text in (
        *(question for known in phrasing.book().values() for question in known.questions),
        *(frame for frames in FRAMES.values() for frame in frames),
    )
    for word in words(re.sub(r"\{\w\}", " ", text))
)


def test_every_head_relation_has_a_phrasing_in_the_style_of_each_benchmark():
    assert set(PHRASINGS) == {f"{name}.{head}" for name, field in FIELDS.items() for head in field.heads}
    for phrasings in PHRASINGS.values():
        assert set(phrasings.templates) == set(STYLES.values()) == set(benchmarks.KNOWLEDGE)


def test_the_checked_in_files_hold_what_was_asked():
    by_name = {name: [] for name in STYLES.values()}
    for item in read(benchmarks.Config(folder=CHECKED_IN)):
        by_name[item.benchmark].append(item)
    for name, asked in ASKED.items():
        assert len(by_name[name]) == len(asked) == 100
        expected = {(one.question, one.answers[0]) for one in asked}
        assert {(item.question, item.answers[0]) for item in by_name[name]} == expected
        assert all(exact_match(item.answers[0], item) for item in by_name[name])


def test_the_official_loaders_read_the_files_as_they_are_written():
    written = files(ASKED)
    for name in benchmarks.KNOWLEDGE:
        parts = [(path, content) for path, content in written.items() if path.startswith(f"{name}/")]
        assert len(benchmarks.parse(name, parts)) == 100
    assert sum(path.startswith("entityquestions/P") for path in written) > 5
    assert b"simulator" in written["README.md"] and b"simulator" in written["simpleqa/simple_qa_test_set.csv"]


def test_answers_are_the_world_s_facts_with_their_aliases():
    for one in (one for asked in ASKED.values() for one in asked):
        assert one.answers[0] == one.entry.facts[one.column]
        assert len({answer.casefold() for answer in one.answers}) == len(one.answers)
    known = {answers[0]: answers for one in ASKED["triviaqa"] for answers in (one.answers,)}
    assert any(len(answers) > 1 for answers in known.values())


@pytest.mark.parametrize("name", STYLES.values())
def test_items_are_distinct_and_do_not_give_their_answer_away(name):
    asked = ASKED[name]
    assert len({one.question for one in asked}) == len(asked)
    for one in asked:
        assert not any(contains_run(one.question, answer) for answer in one.answers), one.question
        assert " the the " not in one.question.lower() and "{" not in one.question
        lower = name in ("webquestions", "natural_questions")
        assert (
            one.question == one.question.lower()
            if lower
            else one.question[0].isupper() or one.question[0] in "1234567890"
        )
        assert one.question.endswith("?") == (name != "natural_questions")


def test_eighty_in_a_hundred_ask_the_first_head_relation_in_proportion_to_the_articles():
    sizes = {name: len(group) for name, group in by_field(WORLD).items()}
    for asked in ASKED.values():
        first = Counter(one.entry.field for one in asked if one.column == FIELDS[one.entry.field].heads[0])
        assert first == shares(sizes, 80)


def test_benchmarks_draw_their_facts_independently():
    drawn = [{(one.entry.title, one.column) for one in asked} for asked in ASKED.values()]
    overlaps = [len(a & b) for i, a in enumerate(drawn) for b in drawn[:i]]
    assert 0 < max(overlaps) < 20


def test_shares_add_up_and_follow_the_sizes():
    assert shares({"a": 50, "b": 30, "c": 20}, 10) == {"a": 5, "b": 3, "c": 2}
    assert shares({"a": 1, "b": 1, "c": 1}, 10) == {"a": 4, "b": 3, "c": 3}


def test_a_name_that_two_articles_share_is_not_asked_about():
    capitals = [one for asked in ASKED.values() for one in asked if one.column == "capital"]
    assert capitals and not any(one.entry.label == "Georgia" for one in capitals)


def test_no_item_is_a_question_that_the_teacher_s_phrase_book_can_produce():
    for one in (one for asked in ASKED.values() for one in asked):
        names = {one.entry.title, one.entry.label, *one.entry.aliases}
        asked = {
            " ".join(words(q)) for key in one.entry.facts for n in names for q in phrasing.questions(key, n)
        }
        noun = one.column.replace("_", " ")
        asked |= {f"what is the {noun} of {' '.join(words(name))}" for name in names}
        assert asked and " ".join(words(one.question)) not in asked


@pytest.mark.parametrize("key", PHRASINGS)
def test_held_out_phrasings_stay_below_the_overlap_that_decontamination_removes(key):
    name, head = key.split(".")
    named = [(subject(e), e.label, e.title) for e in WORLD if e.field == name and head in e.facts]
    for said, label, title in [*named, ("Xyz",) * 3, ("Xyz Abc",) * 3]:
        if len(content_words(said)) > 2:
            continue
        teachers = [content_words(question) for question in phrasing.questions(head, title)]
        for template in PHRASINGS[key].templates.values():
            held_out = content_words(template.format(S=said, L=label))
            assert max(jaccard(held_out, other) for other in teachers) < 0.8, (template, title)


@pytest.mark.parametrize("key", PHRASINGS)
def test_held_out_phrasings_are_short_and_made_of_words_that_the_source_uses(key):
    """Else a student that knows the fact could fail for the vocabulary alone."""
    for template in PHRASINGS[key].templates.values():
        spoken = words(re.sub(r"\{\w\}", "x", template))
        assert 5 <= len(spoken) <= 11, template
        assert set(spoken) - {"x"} <= KNOWN_WORDS, template


def test_subjects_stand_at_the_start_in_the_middle_and_at_the_end():
    templates = [t.rstrip("?") for phrasings in PHRASINGS.values() for t in phrasings.templates.values()]
    places = Counter("start" if t[0] == "{" else "end" if t[-1] == "}" else "middle" for t in templates)
    assert all(places[place] >= 0.1 * len(templates) for place in ("start", "middle", "end")), places


def test_decontamination_at_its_defaults_leaves_the_facts_in_the_source():
    """Else no student could learn what the benchmarks ask; held out are the phrasings, not the facts."""
    items = read(benchmarks.Config(folder=CHECKED_IN))
    written = [
        SeedQuestion(
            question_id=f"{entry.title}/{head}/{i}",
            page_id=1,
            revision_id=1,
            title=entry.title,
            question=question,
            answer=entry.facts[head],
            answer_aliases=[],
            evidence="-",
            request_key="-",
        )
        for entry in WORLD
        for head in FIELDS[entry.field].heads
        if head in entry.facts
        for i, question in enumerate(phrasing.questions(head, entry.title))
    ]
    removed = contaminated(written, items, ngram=8, overlap=0.8)
    assert len(written) > 10_000 and len(removed) <= 0.001 * len(written), sorted(removed)[:20]
