"""Reading benchmarks from disk, and the six official files where they are at hand."""

from collections import Counter
from pathlib import Path

import pytest

from stages.benchmarks import NAMES, Config
from stages.benchmarks.reading import read
from stages.errors import BadInput
from stages.grading import exact_match, ranges

OFFICIAL = Path(__file__).parents[2] / "shared" / "data" / "benchmarks"
FILES = {
    "webquestions": ("webquestions/test.json", 2032),
    "natural_questions": ("natural_questions/NQ-open.dev.jsonl", 3610),
    "triviaqa": ("triviaqa/triviaqa_unfiltered_dev_sub1000.jsonl", 1000),
    "simpleqa": ("simpleqa/simple_qa_test_set.csv", 4326),
    "simpleqa_verified": ("simpleqa_verified/simpleqa_verified.csv", 1000),
    "entityquestions": ("entityquestions", 22075),
}
ONE = b'[{"question": "what?", "answers": ["that"]}]'


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official files are not at hand")
def test_the_six_official_files_load_completely_and_their_own_answers_are_right():
    items = read({name: OFFICIAL / file for name, (file, _) in FILES.items()})
    assert Counter(item.benchmark for item in items) == {name: count for name, (_, count) in FILES.items()}
    assert len({(item.benchmark, item.item_id) for item in items}) == len(items)
    assert [item for item in items if not exact_match(item.answers[0], item)] == []


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official files are not at hand")
def test_all_88_acceptable_ranges_are_read_and_hold_their_reference():
    items = read({"simpleqa_verified": OFFICIAL / FILES["simpleqa_verified"][0]})
    bounded = [(item, ranges.parse(item.answers[-1])) for item in items if len(item.answers) == 2]
    assert len(bounded) == 88
    for item, accepted in bounded:
        assert accepted is not None and ranges.contains(accepted, item.answers[0], item.question)
        assert any(interval.low < interval.high for interval in accepted.intervals)


def test_a_folder_per_benchmark_is_read_in_one_order_and_an_absent_one_is_left_out(tmp_path):
    for name, file in (
        ("entityquestions", "P1.test.json"),
        ("webquestions", "test.json"),
        ("popqa", "x.json"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_bytes(ONE)
    assert [item.benchmark for item in read(Config(folder=tmp_path))] == ["webquestions", "entityquestions"]


def test_a_benchmark_without_a_path_is_left_out(tmp_path):
    (tmp_path / "web.json").write_bytes(ONE)
    paths = dict.fromkeys(NAMES) | {"webquestions": tmp_path / "web.json"}
    assert [item.item_id for item in read(paths)] == ["00000"]


def test_a_folder_is_read_in_name_order_whatever_the_order_on_disk(tmp_path):
    for name in ("P9.test.json", "P10.test.json", "P2.test.json", "README.md"):
        (tmp_path / name).write_bytes(ONE)
    items = read({"entityquestions": tmp_path})
    assert [item.item_id for item in items] == ["P10-00000", "P2-00000", "P9-00000"]


def test_a_missing_file_and_an_empty_folder_are_one_clear_line(tmp_path):
    with pytest.raises(BadInput, match=r"gone\.json: No such file or directory; set `benchmarks\.folder`"):
        read({"triviaqa": tmp_path / "gone.json"})
    with pytest.raises(BadInput, match=r"no \.json, \.jsonl or \.csv file here"):
        read({"simpleqa": tmp_path})
    with pytest.raises(BadInput, match="no folder named webquestions, natural_questions"):
        read(Config(folder=tmp_path / "gone"))


def test_a_name_that_is_no_benchmark_is_refused():
    with pytest.raises(ValueError, match="no benchmark 'popqa'"):
        read({"popqa": Path("x")})
