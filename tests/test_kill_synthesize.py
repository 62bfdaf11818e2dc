"""Killing `synthesize` with -9 amid its rounds: it goes on from what was paid, to the same pool."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from small_world import SETTINGS, settle
from test_synthesize import SMALLER, written

from stages import annotate, ask

KILLS = 4
STEERED = {"questions": 60, "rounds": 3, "orders": 60, "tolerance": 0.01}


def start(folder: Path, store: Path) -> subprocess.Popen[bytes]:
    options = (
        "--questions questions/questions.parquet --knowledge knowledge --articles articles --target uniform "
        "--out pool.parquet --synthesis pool --metrics pool.json"
    )
    environment = os.environ | {"SEEDBED_STORE": str(store), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "stages.synthesize", *options.split()]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def replies(store: Path) -> dict[str, bytes]:
    """Return key → what is stored, of every reply; empty before there is a store."""
    if not store.exists():
        return {}
    with closing(sqlite3.connect(store, timeout=30)) as opened:
        tables = {name for (name,) in opened.execute("select name from sqlite_master where type = 'table'")}
        if "responses" not in tables:
            return {}
        return {row[0]: repr(row[1:]).encode() for row in opened.execute("select * from responses")}


@pytest.mark.slow
def test_a_killed_feedback_goes_on_from_what_was_paid_and_ends_in_the_same_pool(tmp_path, monkeypatch):
    settle(tmp_path, **SMALLER, synthesize=SETTINGS["synthesize"] | STEERED)
    monkeypatch.chdir(tmp_path)
    source = "--questions questions/questions.parquet --articles articles --out knowledge"
    for verb, options in (
        (ask, "--articles articles --out questions --metrics ask.json"),
        (annotate, f"{source} --metrics annotate.json"),
    ):
        result = CliRunner().invoke(verb.main, options.split())
        assert result.exit_code == 0, result.output
    assert yaml.safe_load(Path("params.yaml").read_text())["synthesize"]["rounds"] == 3

    undisturbed = tmp_path / "undisturbed.sqlite"
    assert start(tmp_path, undisturbed).wait(120) == 0
    whole, needed = written("pool"), replies(undisturbed)
    for path in (Path("pool.parquet"), Path("pool.json")):
        path.unlink()

    store, chance, held = tmp_path / "killed.sqlite", random.Random(1), 0
    for kill in range(KILLS):
        process = start(tmp_path, store)
        until = held + chance.randint(1, (len(needed) - held) // (KILLS - kill))
        while len(replies(store)) < until:
            assert process.poll() is None, "it was done before it was killed"
            time.sleep(0.002)
        process.kill()
        assert process.wait(20) == -signal.SIGKILL
        kept = replies(store)
        held = len(kept)
        assert kept.keys() <= needed.keys()  # it never asked for anything else
        assert not Path("pool.parquet").exists() and not Path("pool.json").exists()
    assert 0 < held < len(needed), "nothing was left to do after the last kill"
    assert start(tmp_path, store).wait(120) == 0
    after = replies(store)
    assert written("pool") == whole
    assert after.keys() == needed.keys()
    assert {key: after[key] for key in kept} == kept  # what had been paid was read, not bought again
