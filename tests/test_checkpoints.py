"""Checkpoints: another run's are never found, spoilt ones are passed over, a finished run is kept."""

import pytest

from stages import files
from stages.errors import BadInput
from stages.student import checkpoints, recording, runs

KEY = {"base": "b", "data": "d", "train": {"steps": 5, "batch": 8}, "job": [0, None], "code": "c"}
RUN = runs.Run(0, None, 5, 40, 700, 400, 6.000000000000001, 1 / 3)
TRAINED = runs.Trained(RUN, [runs.Point(5, 700, 0.1, 2.0e-3, None)], {"parameters": 7})


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDBED_CHECKPOINTS", str(tmp_path / "checkpoints"))


def _checkpoint(keep, step):
    made = keep / f"checkpoint-{step}"
    (made / "shards").mkdir(parents=True)
    (made / "model.safetensors").write_bytes(bytes(range(200)) * step)
    (made / "shards" / "0").write_bytes(b"optimizer")
    checkpoints.seal(made)
    return made


def _saved(folder):
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")


def test_a_run_that_differs_in_anything_has_a_folder_of_its_own():
    same = checkpoints.folder({**KEY, "train": {"batch": 8, "steps": 5}})
    assert same == checkpoints.folder(KEY) and same.parent == checkpoints.root()
    others = [{**KEY, name: "x"} for name in KEY] + [{**KEY, "train": {"steps": 6, "batch": 8}}]
    assert len({checkpoints.folder(key) for key in [KEY, *others]}) == 1 + len(others)


def test_a_fingerprint_knows_bytes_and_names(tmp_path):
    for name, inner, text in (("a", "w", "1"), ("b", "w", "2"), ("c", "v", "1"), ("d", "w", "1")):
        files.write_text(tmp_path / name / inner, text)
    prints = {name: checkpoints.fingerprint(tmp_path / name) for name in "abcd"}
    assert prints["a"] == prints["d"] and len(set(prints.values())) == 3
    assert checkpoints.fingerprint(tmp_path / "a" / "w") != checkpoints.fingerprint(tmp_path / "b" / "w")


def test_the_newest_whole_checkpoint_is_found_by_its_step_not_by_its_name(tmp_path):
    assert checkpoints.latest(tmp_path / "none") is None
    for step in (9, 100, 20):
        _checkpoint(tmp_path, step)
    assert checkpoints.latest(tmp_path).name == "checkpoint-100"


@pytest.mark.parametrize("spoil", ["cut", "flipped", "missing", "unsealed", "garbage", "empty"])
def test_a_spoilt_checkpoint_is_named_and_removed_and_the_one_before_is_used(spoil, tmp_path, capsys):
    _checkpoint(tmp_path, 10)
    spoilt = _checkpoint(tmp_path, 20)
    weights, manifest = spoilt / "model.safetensors", spoilt / "manifest.json"
    data = weights.read_bytes()
    if spoil == "cut":
        weights.write_bytes(data[:-1])
    elif spoil == "flipped":
        weights.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    elif spoil == "missing":
        (spoilt / "shards" / "0").unlink()
    elif spoil == "unsealed":
        manifest.unlink()
    else:
        manifest.write_text({"garbage": '{"model', "empty": "{}"}[spoil])
    assert checkpoints.latest(tmp_path).name == "checkpoint-10"
    said = capsys.readouterr().err
    assert said.startswith(f"{spoilt}: removed, ") and said.count("\n") == 1
    assert not spoilt.exists()


def test_a_finished_run_is_kept_to_the_last_digit_until_it_is_discarded(tmp_path):
    keep = checkpoints.folder(KEY)
    assert checkpoints.finished(keep) is None
    _checkpoint(keep, 5)
    checkpoints.finish(keep, TRAINED, _saved)
    assert [path.name for path in keep.iterdir()] == ["finished"]
    assert checkpoints.finished(keep) == TRAINED
    checkpoints.take(keep, tmp_path / "cell" / "seed-0")
    checkpoints.discard(keep)
    assert (tmp_path / "cell" / "seed-0" / "model.safetensors").read_bytes() == b"weights"
    assert not keep.exists()


def test_a_spoilt_finished_run_is_run_again(tmp_path, capsys):
    checkpoints.finish(tmp_path, TRAINED, _saved)
    (tmp_path / "finished" / "model" / "model.safetensors").write_bytes(b"weight")
    assert checkpoints.finished(tmp_path) is None
    assert "removed, model/model.safetensors has 6 bytes" in capsys.readouterr().err


def test_points_are_read_from_the_trainers_log():
    from transformers import TrainerState

    log = [
        {"step": 0, "probe_accuracy": 0.25},
        {"step": 2, "loss": 4.0, "learning_rate": 0.1, "grad_norm": 1.0},
        {"step": 3, "loss": 2.0, "learning_rate": 0.0, "probe_accuracy": 0.5},
        {"step": 3, "train_loss": 3.0, "train_runtime": 1.0},
    ]
    assert recording.points(TrainerState(log_history=log), [0, 10, 20, 25]) == [
        runs.Point(0, 0, None, 0.0, 0.25),
        runs.Point(2, 20, 4.0, 0.1, None),
        runs.Point(3, 25, 2.0, 0.0, 0.5),
    ]


def test_one_output_belongs_to_one_process_at_a_time(tmp_path):
    out = tmp_path / "cells" / "one"
    with files.exclusive(out):
        with pytest.raises(BadInput, match=r"one: another process is writing it"), files.exclusive(out):
            pass
        with files.exclusive(tmp_path / "cells" / "two"):
            pass
    with files.exclusive(out):
        pass
    assert list(out.parent.iterdir()) == []
