"""What many tests start from."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.teacher.store import ResponseStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponseStore]:
    """An empty store, and a key in the environment."""
    monkeypatch.setenv("SCRIPTED_TEACHER_KEY", "sk-secret")
    with ResponseStore(tmp_path / "s.sqlite") as opened:
        yield opened


@pytest.fixture(scope="module")
def plainly_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project up to its plain training sets."""
    from built_world import build

    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture
def here(plainly_built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what was built, to be spoilt, as the current folder."""
    folder = tmp_path / "copy"
    shutil.copytree(plainly_built, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    return folder
