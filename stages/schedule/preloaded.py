"""A process that has imported what stages need, and forks for each command: imports are paid once in a run.

`python -m stages.schedule.preloaded SOCKET REFUSED MODULE…` imports the modules and runs no operation of any
of them. What it forks is to a stage what a fresh interpreter would be: arguments, folder, environment, cores
and threads, standard streams, process group and random states are the caller's own, and the project's code is
read anew. Linux only.
"""

import ctypes
import gc
import importlib
import json
import os
import random
import runpy
import selectors
import signal
import socket
import struct
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from stages.schedule.interpreter import ITEM

# What differs between a run and its stages and is read when it is needed, not at an import.
_OWN = {"CUDA_VISIBLE_DEVICES", "DVC_ROOT", "DVC_STAGE", "OLDPWD", "PATH", "PS1", "PWD", "SHLVL", "_"}
_QUIET = ("DATASETS_", "HF_", "TOKENIZERS_", "TRANSFORMERS_")  # which a stage sets for itself
_PR_SET_PDEATHSIG = 1
_TIMEOUT = 10.0  # seconds in which a caller must have said what it wants


def main(path: str, refused: set[str], modules: list[str]) -> None:
    """Import `modules`, then run commands in forked processes until standard input ends.

    Args:
        path: of the socket to listen on.
        refused: modules of commands that need an interpreter of their own.
        modules: to import; those of the project are imported again in each forked process.
    """
    environment = dict(os.environ)
    added = preload(modules)
    if touched_cuda():
        return  # nothing may be forked; each command gets an interpreter of its own
    request = Server(path, environment, refused).serve()
    if request is None:
        return
    # From here on this is a forked process, which ends as an interpreter does.
    become(request, added)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def preload(modules: list[str]) -> dict[str, str]:
    """Import modules without starting a thread or leaving a trace in environment or warnings.

    Returns:
        What the libraries added to the environment of their own accord.
    """
    environment = dict(os.environ)
    # Asks the driver's library how many devices there are, which a fork survives, and not CUDA.
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
    with warnings.catch_warnings():
        if "torch" in modules:
            from stages.student.quiet import quiet

            quiet()
        for name in modules:
            # What cannot be imported is told by the stage that needs it.
            with suppress(Exception):
                importlib.import_module(name)
    asked = ("PYTORCH_NVML_BASED_CUDA_CHECK", *_QUIET)
    added = {k: v for k, v in os.environ.items() if k not in environment and not k.startswith(asked)}
    replace_environment(environment)
    forget_project()
    gc.collect()
    gc.freeze()  # a collection in a forked process would copy every page
    return added


def replace_environment(environment: Mapping[str, str]) -> None:
    """Make the environment of this process that one."""
    os.environ.clear()
    os.environ.update(environment)


def forget_project() -> None:
    """Have the project's modules imported anew: their code may have been edited since."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "stages"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def touched_cuda() -> bool:
    """Tell whether CUDA was initialised here: its memory device is open then."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if str(descriptor.readlink()).startswith("/dev/nvidia-uvm"):
                return True
    return False


class Server:
    """Listens, forks, and tells each caller how its command ended.

    Args:
        path: of the socket.
        environment: in which the imports were made; a caller with another one is refused.
        refused: modules of commands that are refused.
    """

    def __init__(self, path: str, environment: Mapping[str, str], refused: set[str]) -> None:
        self._environment = {k: v for k, v in environment.items() if k not in _OWN}
        self._refused = refused
        self._running: dict[int, socket.socket] = {}  # process id → its caller
        self._ended, self._wake = socket.socketpair()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(path)
        self._listening.listen(64)

    def serve(self) -> dict[str, Any] | None:
        """Serve until standard input ends and nothing runs.

        Returns:
            None in this process; in each forked one the request that it is for.
        """
        self._ended.setblocking(False)
        self._wake.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: None)  # it outlives what it has forked
        with selectors.DefaultSelector() as self._selector:
            for source in (sys.stdin.fileno(), self._ended, self._listening):
                self._selector.register(source, selectors.EVENT_READ)
            open_ended = True
            while open_ended or self._running:
                for key, _ in self._selector.select():
                    if key.fileobj is self._listening:
                        request = self._accept()
                        if request is not None:
                            return request
                    elif key.fileobj is self._ended:
                        self._ended.recv(4096)
                        self._reap()
                    elif key.data is not None:
                        self._lost(key.data)
                    else:
                        self._selector.unregister(key.fileobj)
                        open_ended = False
        signal.set_wakeup_fd(-1)
        return None

    def _accept(self) -> dict[str, Any] | None:
        caller, _ = self._listening.accept()
        streams: list[int] = []
        try:
            caller.settimeout(_TIMEOUT)
            head, streams, _, _ = socket.recv_fds(caller, 4, 3)
            with caller.makefile("rb") as sent:
                request = json.loads(sent.read(struct.unpack("<I", head)[0]))
            caller.settimeout(None)
            own = {k: v for k, v in request["environment"].items() if k not in _OWN}
            taken = own == self._environment and request["arguments"][1] not in self._refused
            if not taken or len(streams) != 3:
                raise ValueError
        except (OSError, ValueError, KeyError, struct.error):
            caller.close()  # it will run the command itself
            for stream in streams:
                os.close(stream)
            return None
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            request["streams"], request["server"] = streams, server
            self._leave(caller)
            return dict(request)
        for stream in streams:
            os.close(stream)
        self._running[pid] = caller
        self._selector.register(caller, selectors.EVENT_READ, data=pid)
        with suppress(OSError):
            caller.sendall(b"+")
        return None

    def _leave(self, caller: socket.socket) -> None:
        """Be no server any longer, in a forked process."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        for line in (caller, self._ended, self._wake, self._listening, *self._running.values()):
            line.close()

    def _reap(self) -> None:
        """Tell the callers of processes that have ended."""
        for pid in list(self._running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            caller = self._running.pop(pid)
            with suppress(KeyError):
                self._selector.unregister(caller)
            with suppress(OSError):
                caller.sendall(struct.pack("<i", os.waitstatus_to_exitcode(status)))
            caller.close()

    def _lost(self, pid: int) -> None:
        """End a process whose caller is gone."""
        self._selector.unregister(self._running[pid])
        os.kill(pid, signal.SIGTERM)


def become(request: Mapping[str, Any], added: Mapping[str, str]) -> None:
    """Make this forked process what the caller's own interpreter would have been.

    Args:
        request: what `stages.schedule.interpreter` sent, with the file descriptors of the caller's standard
            `streams` and the process id of the `server`.
        added: by the libraries to the environment.
    """
    with suppress(OSError):  # the caller was killed; so is this
        os.setpgid(0, request["group"])
    if request["arguments"][1] != ITEM:  # that one ends when its command does
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != request["server"]:
            os._exit(1)
    for number, stream in enumerate(request["streams"]):
        os.dup2(stream, number)
        os.close(stream)
    os.umask(request["umask"])
    os.sched_setaffinity(0, request["cores"])
    os.chdir(request["folder"])
    replace_environment({**added, **request["environment"]})
    sys.argv = request["arguments"][1:]
    sys.path[0] = request["folder"]
    set_threads(len(request["cores"]))
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()


def set_threads(cores: int) -> None:
    """Have OpenMP use as many threads as it would have found at import; OpenBLAS has one in every stage.

    Args:
        cores: that this process may use.
    """
    if "threadpoolctl" not in sys.modules:
        return
    said = os.environ.get("OMP_NUM_THREADS", "")
    openmp = int(said) if said.isdecimal() and int(said) else cores
    sys.modules["threadpoolctl"].threadpool_limits({"openmp": openmp})


if __name__ == "__main__":
    main(sys.argv[1], set(filter(None, sys.argv[2].split(","))), sys.argv[3:])
