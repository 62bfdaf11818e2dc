"""A key stands in the environment and in the header of a request, and nowhere else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from scripted_teacher import GOOD, Entry, config, teacher
from test_kill import TOWNS, question

from stages import files
from stages.records import PoolQuestion

CANARY = "sk-canary-7f3a9b2e51"


def echo(status):
    """A reply that repeats the key in every place it may."""
    message = f"Incorrect API key provided: {CANARY}. Bearer {CANARY}"
    body = json.dumps({"error": {"message": message, "param": CANARY, "code": CANARY}})
    return Entry(status, body, (("Content-Type", "application/json"), ("x-request-id", CANARY)))


SAID = Entry(
    body=GOOD.body.replace("The capital of France is Paris.", f"My key is {CANARY}."),
    headers=(("Content-Type", "application/json"), ("x-request-id", f"req-{CANARY}")),
)


def run(folder, url, *command, **changes):
    settings = config(backend="openai", base_url=url, model="m", patience=0, **changes)
    (folder / "params.yaml").write_text(
        yaml.safe_dump({"seed": 3, "teacher": settings.model_dump(mode="json")})
    )
    files.write_parquet(folder / "pool.parquet", [question(*t) for t in enumerate(TOWNS[:5])], PoolQuestion)
    environment = os.environ | {
        "SCRIPTED_TEACHER_KEY": CANARY,
        "SEEDBED_STORE": str(folder / "s.sqlite"),
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PYTHONFAULTHANDLER": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd=folder, env=environment
    )


RESPOND = [
    "stages.respond",
    *("--pool", "pool.parquet", "--out", "l.parquet", "--metrics", "c.json", "--budget", "2"),
]


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_no_file_and_no_line_holds_the_key_whatever_a_server_says(tmp_path, status):
    entry = SAID if status == 200 else echo(status)
    with teacher(then=entry) as (url, served):
        ran = run(tmp_path, url, *RESPOND, retries=0, max_malformed=1.0)
        stats = run(tmp_path, url, "stages.teacher", "store", "stats")
        exported = run(tmp_path, url, "stages.teacher", "store", "export", "--out", "rows")
    assert served and served[0].headers["authorization"] == f"Bearer {CANARY}"
    assert ran.returncode == (0 if status == 200 else 1), ran.stderr
    assert stats.returncode == 0 and exported.returncode == 0, stats.stderr + exported.stderr
    for done in (ran, stats, exported):
        assert CANARY not in done.stdout + done.stderr
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 4
    for path in written:
        assert CANARY.encode() not in path.read_bytes(), path.name
    if status != 200:
        assert "***" in ran.stderr
