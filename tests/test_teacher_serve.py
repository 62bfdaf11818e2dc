"""`python -m stages.teacher serve`: the simulator on a socket."""

import hashlib
import json
import re
import subprocess
import sys
import time
import urllib.request

import pytest
import yaml
from click.testing import CliRunner
from scripted_teacher import WORLD, config

from stages import files
from stages.records import Article, SeedProblem
from stages.teacher.__main__ import main

PROBLEMS = [
    SeedProblem(
        problem_id=f"p{n}",
        domain="mathematics",
        question=f"{n} + 1?",
        answer=f"{n + 1}",
        unit="",
        solution="",
    )
    for n in (1, 2)
]
REST = ["--slip", "0", "--miss", "0", "--false-alarm", "0"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--articles", "nowhere", "--model", "m", "--a", "1", "--b", "1", "--never", "0", *REST], "nowhere"),
        (["--model", "m", "--a", "0", "--b", "1", "--never", "0", *REST], "'a'"),
        (["--model", "m"], "params.yaml"),
    ],
)
def test_serve_refuses_bad_settings_in_one_line(arguments, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["serve", *arguments])
    assert result.exit_code == 1
    assert said in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_serve_takes_its_settings_from_params_and_logs_what_it_served(tmp_path):
    files.write_parquet(tmp_path / "a.parquet", WORLD, Article)
    files.write_parquet(tmp_path / "p.parquet", PROBLEMS, SeedProblem)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"teacher": config(model="wise-one").model_dump()}))
    command = [sys.executable, "-m", "stages.teacher", "serve", "--port", "0", "--articles", "a.parquet"]
    command += ["--problems", "p.parquet", "--log", "log"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        url = re.match(
            r"http://127\.0\.0\.1:\d+/v1(?=: simulator wise-one@\w{12}, 5 articles, 2 problems$)", line
        ).group()
        body = {
            "messages": [{"role": "user", "content": "What is the capital of France?"}],
            "model": "wise-one",
        }
        for sent in (body, body | {"model": "no-such-model"}):
            request = urllib.request.Request(f"{url}/chat/completions", json.dumps(sent).encode())
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("NO_PROXY", "*")
                try:
                    reply = json.load(urllib.request.urlopen(request, timeout=20))
                except urllib.error.HTTPError as error:
                    reply = json.load(error)
            assert ("choices" in reply) == (sent is body)
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    (logged,) = (tmp_path / "log").read_text().splitlines()
    assert json.loads(logged) == {"body": hashlib.sha256(canonical).hexdigest(), "served": True}


def test_help_answers_at_once_and_explains_every_option():
    start = time.process_time()
    result = CliRunner().invoke(main, ["serve", "--help"])
    assert time.process_time() - start < 1.0
    assert result.exit_code == 0
    for option in (
        "--host",
        "--port",
        "--articles",
        "--problems",
        "--model",
        "--a",
        "--b",
        "--never",
        "--slip",
        "--miss",
        "--log",
    ):
        assert re.search(rf"{option} \S*\s+\S", result.output), option


def test_a_taken_port_is_one_line(tmp_path):
    import socket

    files.write_parquet(tmp_path / "a.parquet", WORLD, Article)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        shape = ["--model", "m", "--a", "1", "--b", "1", "--never", "0", *REST]
        result = CliRunner().invoke(
            main, ["serve", "--port", port, "--articles", str(tmp_path / "a.parquet"), *shape]
        )
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in result.output


def test_the_configs_competence_is_checked():
    for bad in ({"a": 0, "b": 1, "never": 0}, {"a": 1, "b": 1, "never": 1.1}, {"a": 1, "b": 1, "c": 1}):
        with pytest.raises(ValueError, match="validation error"):
            config(embedded=bad)
