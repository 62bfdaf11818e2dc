"""What a preloaded process forks is to a command what a fresh interpreter is."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stages.schedule.workplace import Workplace

ROOT = Path(__file__).parents[1]

FACTS = """
import json, os, random, signal, sys, threading, warnings
loaded = "numpy" in sys.modules and "torch" in sys.modules
import numpy, threadpoolctl, torch, sklearn.cluster
from pathlib import Path
from stages import errors

def descriptors():
    targets = [os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if n not in "012"
               and os.path.exists(f"/proc/self/fd/{n}")]
    return sorted(t for t in targets if not t.startswith("/proc"))

facts = {
    "arguments": sys.argv[1:], "name": __name__, "file": __file__, "argv0": sys.argv[0],
    "spec": __spec__.name,
    "folder": os.getcwd(), "path": sys.path,
    "environment": {k: v for k, v in os.environ.items() if k not in ("_", "PWD", "SHLVL")},
    "umask": os.umask(0), "cores": sorted(os.sched_getaffinity(0)),
    "signals": {n: str(signal.getsignal(n)) for n in (1, 2, 13, 15, 17)},
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "threads": threading.active_count(), "descriptors": descriptors(), "executable": sys.executable,
    "standard input": sys.stdin.read(), "project": errors.__file__,
    "torch threads": torch.get_num_threads(), "cuda": torch.cuda.is_initialized(),
    "pools": sorted({(p["user_api"], p["num_threads"]) for p in threadpoolctl.threadpool_info()}),
    "flags": str(sys.flags),
}
drawn = [random.random(), numpy.random.random(), torch.initial_seed()]
print(json.dumps({"facts": facts, "loaded": loaded, "random": drawn}))
"""


class Preloaded:
    """A workplace in a folder with a project of its own."""

    def __init__(self, place: Workplace, folder: Path) -> None:
        self.place, self.folder = place, folder

    def module(self, name: str, text: str) -> None:
        (self.folder / f"stages/{name}.py").write_text(text)

    def start(self, python: str, *words: str, cores: int = 1, **more: str) -> "subprocess.Popen[str]":
        usable = sorted(os.sched_getaffinity(0))[:cores]
        return subprocess.Popen(
            [python, "-m", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env={k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"} | more,
            umask=0o027,
            process_group=0,
            preexec_fn=lambda: os.sched_setaffinity(0, usable),
        )

    def run(self, *words: str, python: str = "", cores: int = 1, **more: str) -> tuple[int, str]:
        process = self.start(python or self.place.python, *words, cores=cores, **more)
        printed, _ = process.communicate("said\n", timeout=120)
        return process.returncode, printed


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preloaded")
    (folder / "stages").mkdir()
    for path in (ROOT / "stages").iterdir():
        if path.name != "__pycache__":
            (folder / "stages" / path.name).symlink_to(path)
    (folder / "stages/facts.py").write_text(FACTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("PYTEST_CURRENT_TEST")  # pytest gives it another value in each test
        patch.setenv("PYTHONPATH", str(folder))
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        with Workplace(folder) as place:
            modules = ["threadpoolctl", "numpy", "torch", "sklearn.cluster", "stages.errors"]
            (core, *_) = os.sched_getaffinity(0)
            place.preload("verbs", modules, (core,), {"stages.refused"})
            socket = Path(place.python).with_name("verbs")
            late = time.monotonic() + 120
            while not socket.exists() and time.monotonic() < late:
                time.sleep(0.1)
            yield Preloaded(place, folder)


@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2])
def test_a_command_finds_what_a_fresh_interpreter_finds(preloaded, cores):
    words = ("stages.facts", "--one", "two words", "ü\n'\"$x")
    fresh = json.loads(preloaded.run(*words, python=sys.executable, cores=cores)[1])
    status, printed = preloaded.run(*words, cores=cores)
    forked, again = json.loads(printed), json.loads(preloaded.run(*words, cores=cores)[1])
    assert status == 0
    assert forked["loaded"] and not fresh["loaded"]
    facts, expected = forked["facts"], fresh["facts"]
    assert set(facts.pop("environment").items()) ^ set(expected.pop("environment").items()) == set()
    assert facts == expected
    assert not set(forked["random"]) & set(again["random"])


@pytest.mark.slow
def test_a_command_ends_as_it_ends(preloaded):
    preloaded.module("ends", "import sys; print('out'); sys.exit(int(sys.argv[1]))")
    preloaded.module("dies", "import os, sys; os.kill(os.getpid(), int(sys.argv[1]))")
    preloaded.module("fails", "import atexit; atexit.register(print, 'at exit'); raise ValueError('what')")
    assert preloaded.run("stages.ends", "0") == (0, "out\n")
    assert preloaded.run("stages.ends", "7") == (7, "out\n")
    assert preloaded.run("stages.dies", "9")[0] == -signal.SIGKILL
    assert preloaded.run("stages.dies", "11")[0] == -signal.SIGSEGV
    status, printed = preloaded.run("stages.fails")
    assert status == 1 and "ValueError: what" in printed and printed.endswith("at exit\n")


@pytest.mark.slow
def test_edited_code_is_what_runs(preloaded):
    preloaded.module("edited", "print('one')")
    assert preloaded.run("stages.edited") == (0, "one\n")
    preloaded.module("edited", "print('another')")
    assert preloaded.run("stages.edited") == (0, "another\n")


@pytest.mark.slow
def test_other_commands_and_other_environments_get_an_interpreter_of_their_own(preloaded):
    preloaded.module("asked", "import sys; print('torch' in sys.modules)")
    preloaded.module("refused", "import sys; print('torch' in sys.modules)")
    assert preloaded.run("stages.asked") == (0, "True\n")
    assert preloaded.run("stages.asked", DVC_STAGE="one", CUDA_VISIBLE_DEVICES="1") == (0, "True\n")
    assert preloaded.run("stages.refused") == (0, "False\n")
    assert preloaded.run("stages.asked", OMP_NUM_THREADS="3") == (0, "False\n")
    assert preloaded.run("platform")[0] == 0
    assert preloaded.run("stages.unknown")[0] == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_a_command_dies_with_what_stands_for_it(preloaded, number):
    preloaded.module("waits", "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    process = preloaded.start(preloaded.place.python, "stages.waits")
    forked = int(process.stdout.readline())
    assert os.getpgid(forked) == process.pid
    process.send_signal(number)
    assert process.wait(60) == -number
    late = time.monotonic() + 60
    while Path(f"/proc/{forked}").exists():
        assert time.monotonic() < late
        time.sleep(0.05)


@pytest.mark.slow
def test_no_thread_runs_and_no_cuda_is_open_where_it_is_forked_from(preloaded):
    (server,) = (child for child in preloaded.place._children)
    names = [(task / "comm").read_text().strip() for task in Path(f"/proc/{server.pid}/task").iterdir()]
    assert len([name for name in names if not name.startswith("jemalloc")]) == 1
    open_files = [str(one.readlink()) for one in Path(f"/proc/{server.pid}/fd").iterdir()]
    assert not [name for name in open_files if "nvidia" in name]
