"""The official formats, in small literal files."""

import json

import pytest

from stages import benchmarks
from stages.errors import BadInput


def parse(name: str, text: str | bytes, file_name: str = "P36.test.json") -> list[tuple[str, str, list[str]]]:
    content = text if isinstance(text, bytes) else text.encode()
    return [(i.item_id, i.question, i.answers) for i in benchmarks.parse(name, [(file_name, content)])]


def test_webquestions_reads_the_array_of_qtext_and_answers():
    text = '[{"qId": "wqs000007", "answers": ["Lawyer", "Judge"], "qText": "what did he do?"}]'
    assert parse("webquestions", text) == [("wqs000007", "what did he do?", ["Lawyer", "Judge"])]


def test_webquestions_reads_the_hugging_face_form_as_lines():
    lines = (
        '{"url": "u", "question": "who?", "answers": ["Ann"]}',
        '{"question": "where?", "answers": ["Rome"]}',
    )
    text = "\n\n".join(lines)
    assert parse("webquestions", text) == [("00000", "who?", ["Ann"]), ("00001", "where?", ["Rome"])]


def test_natural_questions_reads_lines_and_numbers_them():
    lines = (
        '{"question": "who wrote it", "answer": ["Bobby", "Bob"]}',
        '{"question": "when", "answer": ["1972"]}',
    )
    text = "\n".join(lines) + "\n"
    assert parse("natural_questions", text) == [
        ("00000", "who wrote it", ["Bobby", "Bob"]),
        ("00001", "when", ["1972"]),
    ]


def test_triviaqa_reads_the_sample_lines_and_drops_repeated_aliases():
    text = '{"id": "test_6233", "question": "Who?", "golden_answers": ["Twain", "Clemens", "Twain"]}'
    assert parse("triviaqa", text) == [("test_6233", "Who?", ["Twain", "Clemens"])]


@pytest.mark.parametrize("indent", [None, 2])
def test_triviaqa_reads_the_official_document_with_every_form_its_script_accepts(indent):
    answer = {
        "Value": "Sunset Blvd",
        "Aliases": ["Sunset Boulevard"],
        "HumanAnswers": ["the Blvd"],
        "Type": "X",
    }
    answer |= {"NormalizedAliases": ["sunset blvd", "sunset boulevard"], "NormalizedValue": "sunset blvd"}
    data = {"Data": [{"QuestionId": "tc_33", "Question": "Which?", "Answer": answer}], "Version": 1.0}
    forms = ["Sunset Blvd", "Sunset Boulevard", "the Blvd", "sunset blvd", "sunset boulevard"]
    assert parse("triviaqa", json.dumps(data, indent=indent)) == [("tc_33", "Which?", forms)]


def test_simpleqa_reads_csv_with_quotes_and_line_breaks():
    text = 'metadata,problem,answer\r\n"{\'topic\': \'A, B\'}","Who said\n""yes""?",Ann\r\n'
    assert parse("simpleqa", text) == [("00000", 'Who said\n"yes"?', ["Ann"])]


def test_simpleqa_verified_keeps_its_index_and_parts_the_reference_from_the_range():
    official = "150 (acceptable range: anything between 148 and 152)"
    text = f'original_index,problem,answer,topic\n31,How many?,"{official}",X\n'
    assert parse("simpleqa_verified", text) == [("31", "How many?", ["150", official])]


def test_entityquestions_names_items_by_relation_and_place():
    text = '[{"question": "What is the capital of Samos?", "answers": ["Vathy"]}]'
    items = benchmarks.parse(
        "entityquestions", [("a/P36.test.json", text.encode()), ("P17.test.json", text.encode())]
    )
    assert [item.item_id for item in items] == ["P36-00000", "P17-00000"]


def test_a_byte_order_mark_is_no_fault_and_u2028_is_no_line_break():
    line = '{"question": "a\u2028b", "answer": ["c"]}'
    assert parse("natural_questions", b"\xef\xbb\xbf" + line.encode()) == [("00000", "a\u2028b", ["c"])]


WRONG = [
    ("webquestions", "<html>", "line 1: not JSON"),
    ("webquestions", '[{"qText": "q", "answers": ["a"]}', "not JSON"),
    ("webquestions", '[{"qText": "q", "answers": ["a"]}, 7]', "record 2: expected an object, not 7"),
    ("webquestions", '[{"qText": "q", "answers": []}]', "record 1: no answer"),
    ("webquestions", '[{"qText": "q", "answers": ["  "]}]', "record 1: no answer"),
    ("webquestions", '[{"qText": "q", "answers": "Rome"}]', "record 1: answers are no list"),
    ("webquestions", '[{"answers": ["a"]}]', "record 1: no question; expected qText, answers"),
    ("webquestions", '[{"qId": null, "qText": "q", "answers": ["a"]}]', "record 1: no usable id"),
    ("webquestions", "[]", "no item of webquestions"),
    ("natural_questions", '{"question": "q", "answer": ["a"]}\n{"question": "q"', "line 2: not JSON"),
    (
        "natural_questions",
        '{"question": "q"}',
        "line 1: answers are no list of texts; expected question, answer",
    ),
    ("natural_questions", "", "no item of natural_questions"),
    ("triviaqa", '{"Data": {}}', "expected an array of records"),
    (
        "triviaqa",
        '{"Data": [{"Question": "q", "Answer": {"Aliases": ["a"]}}]}',
        "record 1: answers are no list",
    ),
    ("triviaqa", '{"id": "x", "question": "q", "answers": ["a"]}', "expected id, question, golden_answers"),
    ("simpleqa", "question,answer\nq,a\n", "line 1: no column 'problem'"),
    ("simpleqa", "", "line 1: no column 'problem'"),
    ("simpleqa", "metadata,problem,answer\nm,q\n", "record 1 (line 2): not as many fields"),
    ("simpleqa", "metadata,problem,answer\nm,q,a,z\n", "record 1 (line 2): not as many fields"),
    ("simpleqa", 'metadata,problem,answer\nm,q,"a', "not csv"),
    ("simpleqa", "metadata,problem,answer\nm,q,\n", "record 1 (line 2): no answer"),
    ("simpleqa", b"metadata,problem,answer\nm,q,\xff\n", "not UTF-8 at byte 28"),
    (
        "simpleqa_verified",
        'original_index,problem,answer\n1,q,"9 (acceptable range: anything between 1 and 2)"\n',
        "record 1 (line 2): the acceptable range",
    ),
]


@pytest.mark.parametrize(("name", "text", "said"), WRONG)
def test_a_wrong_file_is_one_line_that_names_the_file_and_the_record(name, text, said):
    with pytest.raises(BadInput) as caught:
        parse(name, text, "given.json")
    line = caught.value.format_message()
    assert line.startswith("given.json") and said in line and "\n" not in line


def test_an_entityquestions_file_without_a_relation_is_refused():
    with pytest.raises(BadInput, match=r"test\.json: expected a relation's file named like P36"):
        parse("entityquestions", "[]", "test.json")


def test_an_item_that_is_there_twice_is_refused():
    line = '{"id": "t1", "question": "q", "golden_answers": ["a"]}\n'
    with pytest.raises(BadInput, match="item 't1' of triviaqa is there 2 times"):
        parse("triviaqa", line * 2)


def test_an_unknown_benchmark_is_named():
    with pytest.raises(ValueError, match="no benchmark 'popqa'"):
        benchmarks.parse("popqa", [])
