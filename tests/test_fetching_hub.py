"""A student from a Hub: the one verb that uses the network, against a small Hub on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import small_hub
import student_samples
import yaml

from stages.student import modelling

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A published model with the same weights pickled beside it, and a README."""
    folder = student_samples.save_base(tmp_path_factory.mktemp("repository"))
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    (folder / "README.md").write_text("a model")
    return folder


def pretrain(folder, address, **student):
    entry = {"model": "owner/small", "revision": small_hub.COMMIT, "learning_rate": 1e-4} | student
    (folder / "params.yaml").write_text(yaml.safe_dump({"seed": 0, "students": {"small": entry}}))
    return subprocess.run(
        f"{sys.executable} -m stages.pretrain --student small --articles none --out models/small".split(),
        cwd=folder,
        env=os.environ
        | {
            "HF_ENDPOINT": address,
            "HF_HOME": str(folder / "hub"),
            "HF_HUB_OFFLINE": "0",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_a_pinned_model_is_fetched_once_and_nothing_pickled_with_it(repository, tmp_path):
    with small_hub.serving("owner/small", repository) as (address, sent):
        done = pretrain(tmp_path, address)
        assert done.returncode == 0, done.stderr
        assert done.stdout == (
            "models/small: 29,984 parameters, 354 tokens in the vocabulary, copied from owner/small\n"
        )
        assert sorted(sent) == sorted(
            {p.name for p in repository.iterdir()} - {"pytorch_model.bin", "README.md"}
        )
        first = (tmp_path / "models" / "small" / "model.safetensors").read_bytes()
        assert first == (repository / "model.safetensors").read_bytes()
        before = len(sent)
        assert pretrain(tmp_path, address, prompt="plain").returncode == 0
        assert len(sent) == before
    assert "Answer:" in modelling.load_tokenizer(tmp_path / "models" / "small").chat_template


@pytest.mark.slow
def test_what_the_hub_does_not_give_is_said_in_one_line(repository, tmp_path):
    with small_hub.serving("owner/small", repository, gated=True) as (address, _):
        gated = pretrain(tmp_path, address)
        assert gated.returncode == 1
        assert gated.stderr == (
            "Error: model 'owner/small': its owner asks for consent; "
            "give it on huggingface.co, then `hf auth login`\n"
        )
    with small_hub.serving("owner/other", repository) as (address, _):
        absent = pretrain(tmp_path, address)
        assert absent.returncode == 1 and absent.stderr.count("\n") == 1
        assert absent.stderr.startswith(
            f"Error: model 'owner/small' at revision '{small_hub.COMMIT}': not to be had: "
        )
    assert not (tmp_path / "models" / "small").exists()
