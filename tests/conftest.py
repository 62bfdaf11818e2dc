"""What many tests of the teacher start from."""

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
