"""vLLM's offline engine as far as it goes without vLLM: the model's name, the requests, what is refused."""

import asyncio
import importlib.util
import shutil
import sys
from pathlib import Path

import pytest
from planted_models import folder, job
from pydantic import ValidationError

from stages.errors import BadInput
from stages.teacher import local_model, prompts, vllm_engine, wire
from stages.teacher.vllm_engine import Vllm

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_folder_is_named_by_what_is_in_it_wherever_it_lies(tmp_path, monkeypatch):
    name = local_model.model_id(str(folder(tmp_path / "here" / "qwen")), None)
    assert name.startswith("qwen@")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    assert local_model.model_id(str(tmp_path / "there" / "qwen"), None) == name
    monkeypatch.chdir(tmp_path / "there")
    assert local_model.model_id("qwen/", None) == name


@pytest.mark.parametrize(
    "file", ["model.safetensors", "config.json", "tokenizer_config.json", "generation_config.json"]
)
def test_other_weights_or_another_template_are_another_teacher(tmp_path, file):
    path = folder(tmp_path / "qwen")
    before = local_model.model_id(str(path), None)
    (path / file).write_text('{"chat_template": "another"}')
    assert local_model.model_id(str(path), None) != before


def test_notes_beside_the_weights_change_nothing(tmp_path):
    path = folder(tmp_path / "qwen")
    before = local_model.model_id(str(path), None)
    (path / "README.md").write_text("Read me.")
    (path / "trainer_state.json").write_text("{}")
    assert local_model.model_id(str(path), None) == before


def test_a_pinned_id_is_named_with_its_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert local_model.model_id("Qwen/Qwen3-8B", COMMIT) == f"Qwen/Qwen3-8B@{COMMIT}"


@pytest.mark.parametrize(
    ("model", "revision", "said"),
    [
        ("models/x/y", None, "no such folder; correct teacher.model"),
        ("../nowhere", None, "no such folder; correct teacher.model"),
        ("Qwen/Qwen3-8B", None, "set teacher.vllm.revision to its commit"),
        ("Qwen/Qwen3-8B", "main", "revision 'main' is no commit and may move"),
        ("whole", COMMIT, "a folder has no revision"),
        ("bare", None, "no chat template; put a chat_template.jinja there"),
        ("empty", None, "no config.json in this folder"),
        ("pickled", None, "no weights in safetensors"),
    ],
)
def test_what_cannot_be_a_teacher_is_refused_before_it_is_loaded(
    tmp_path, monkeypatch, model, revision, said
):
    monkeypatch.chdir(tmp_path)
    folder(Path("whole"))
    folder(Path("bare"), template=None)
    Path("empty").mkdir()
    (folder(Path("pickled")) / "model.safetensors").rename("pickled/model.bin")
    with pytest.raises(BadInput) as error:
        vllm_engine.Offline(model, Vllm(revision=revision))
    assert said in error.value.message
    assert "\n" not in error.value.message


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vLLM is installed here")
def test_without_vllm_one_line_says_what_to_install(tmp_path):
    with pytest.raises(BadInput, match=r"vLLM, which is not installed; pip install 'seedbed\[vllm\]'"):
        vllm_engine.Offline(str(folder(tmp_path / "qwen")), Vllm())


def test_a_broken_vllm_is_one_line_and_the_loop_survives(tmp_path, monkeypatch):
    (tmp_path / "vllm.py").write_text("raise RuntimeError('built for another torch\\nand more')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "vllm", raising=False)
    engine = vllm_engine.Offline(str(folder(tmp_path / "qwen")), Vllm())
    with pytest.raises(BadInput, match=r"cannot be imported: built for another torch; pip install"):
        asyncio.run(engine.complete([job("France?", 0)]))
    assert asyncio.run(engine.complete([])) == []


def test_settings_are_checked_and_have_defaults():
    assert Vllm().size == 2048
    for wrong in (
        {"size": 0},
        {"dtype": "int4"},
        {"gpu_memory_utilization": 1.5},
        {"trust_remote_code": True},
    ):
        with pytest.raises(ValidationError):
            Vllm.model_validate(wrong)


def test_rollouts_of_one_prompt_become_one_request_in_the_order_of_the_first():
    jobs = [job(q, i) for i in (0, 1, 2) for q in ("Peru?", "France?")]
    groups = vllm_engine.together(jobs)
    assert [draws.places for draws in groups] == [[0, 2, 4], [1, 3, 5]]
    assert [draws.seed for draws in groups] == [0, 0]


def test_gaps_repeats_and_disorder_of_seeds_keep_each_job_its_own_seed():
    wanted = [7, 3, 4, 9, 4, 8]
    groups = vllm_engine.together([job("Peru?", seed) for seed in wanted])
    assert sorted(len(draws.places) for draws in groups) == [1, 2, 3]
    found = {place: draws.seed + i for draws in groups for i, place in enumerate(draws.places)}
    assert [found[place] for place in range(len(wanted))] == wanted


@pytest.mark.parametrize("change", [{"temperature": 0.5}, {"max_tokens": 41}, {"response_format": None}])
def test_what_differs_in_more_than_the_seed_is_not_drawn_together(change):
    assert len(vllm_engine.together([job("Peru?", 0), job("Peru?", 1, **change)])) == 2


@pytest.mark.parametrize(
    ("seed", "said"), [(None, "set teacher.accepts.seed"), (2**63, "seeds from 0"), (-1, "not -1")]
)
def test_a_seed_that_vllm_cannot_take_is_refused(seed, said):
    with pytest.raises(BadInput, match=said):
        vllm_engine.together([job("Peru?", 0, seed=seed)])


def test_bodies_are_read_under_either_name_and_in_every_format():
    body = job("Peru?", 0).body
    assert vllm_engine.schema_of(body) == prompts.Answer.wire_schema()
    assert vllm_engine.schema_of(body | {"response_format": {"type": "json_object"}}) == {"type": "object"}
    assert vllm_engine.schema_of({"messages": []}) is None
    assert wire.token_limit(body) == 40
    assert wire.token_limit({"max_completion_tokens": 7}) == 7


def test_a_draw_is_written_as_a_completion_that_the_wire_reads():
    said = wire.read_completion(vllm_engine.completion("qwen@1", "vllm-1", "Ω \ud83d", "length", 12, 3))
    assert said[:5] == ("Ω ?", "", "length", 12, 3)
