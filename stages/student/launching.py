"""Several processes that train one model: started by `accelerate launch`, one for each GPU.

The verb starts itself again under it. Every process runs the same code on its share of each step's rows; the
first one alone writes and speaks.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

from stages import files
from stages.errors import BadInput
from stages.student import launch_settings, processes
from stages.student.quiet import quiet

T = TypeVar("T")

_LAUNCHERS = "torch/distributed/elastic/"  # in every line that torch's launcher says of a failure
_FAILED = re.compile(r"\(local_rank: (?P<rank>\d+)\)\s+exitcode\s*: (?P<status>-?\d+)")  # in its report
_PLACE = "SEEDBED_LAUNCHED"  # set in launched processes: the folder that they share with what launched them
_FAULT = "fault-"  # a process's, in that folder


def launched() -> bool:
    """Tell whether this process was started by `launch`.

    Raises:
        BadInput: another launcher started it; several processes would each do the same work.
    """
    if _PLACE not in os.environ and "LOCAL_RANK" in os.environ:
        raise BadInput(
            "started under a launcher; run `python -m stages.train` as it is and set `train.launch`"
        )
    return _PLACE in os.environ


def place() -> Path:
    """Return the folder that the launching process shares with those of its machine."""
    return Path(os.environ[_PLACE])


def rank() -> int:
    """Return this process's number among those that train together; 0 is the first, or the only one."""
    return int(os.environ.get("RANK", "0")) if _PLACE in os.environ else 0


def ranks() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1")) if _PLACE in os.environ else 1


@contextmanager
def member() -> Iterator[None]:
    """Make this launched process one of the group inside, to be killed with whatever started it.

    Faults inside end it at once and are shown by the process that launched it.
    """
    quiet()
    import torch
    from accelerate.state import PartialState

    processes.die_with(os.getppid())
    try:
        cuda = processes.cuda()
        if not cuda:
            torch.set_num_threads(1)  # as forked runs have it
        PartialState(cpu=not cuda)
        yield
    except BadInput as fault:
        _end(fault.message)


def wait() -> None:
    """Return when every process has come here."""
    if _together():
        import torch

        torch.distributed.barrier()


def from_first(decide: Callable[[], T]) -> T:
    """Return in every process what `decide` returned in the first; the others do not call it."""
    if not _together():
        return decide()
    import torch

    told = [decide() if rank() == 0 else None]
    torch.distributed.broadcast_object_list(told, src=0)
    return told[0]  # type: ignore[return-value]


def launch(config: Path, module: str, arguments: Sequence[str], place: Path) -> None:
    """Run `python -m MODULE ARGUMENTS` under `accelerate launch`, and wait for it.

    Its processes die with this one. What they say on standard error is passed on up to the first fault; the
    launcher's own report of it is not.

    Args:
        config: a configuration of `accelerate launch`.
        module: of a verb.
        arguments: of the verb.
        place: a folder to share with the processes.

    Raises:
        BadInput: the file is missing or broken, or a process failed; then the message is its own.
    """
    options = launch_settings.options(config, launch_settings.check(config))
    environment = {**os.environ, _PLACE: str(place)}
    environment.setdefault("OMP_NUM_THREADS", "1")  # what torchrun sets, and says so at length
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(config), *options]
    parent = os.getpid()
    process = subprocess.Popen(
        [*command, "--module", module, *arguments],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        preexec_fn=lambda: processes.die_with(parent),
    )
    said: list[str] = []
    reader = threading.Thread(target=_pass_on, args=(process, place, said), daemon=True)
    reader.start()
    try:
        status = process.wait()
    except BaseException:
        process.terminate()  # the launcher ends its processes, then itself
        process.wait()
        raise
    reader.join()
    if not status:
        return
    raise BadInput(cause(config, status, "".join(said), place))


def cause(config: Path, status: int, said: str, place: Path) -> str:
    """Return what ended a launch in one line: of several faults that which the others follow from.

    Args:
        config: of the launch.
        status: of the launcher.
        said: by the launcher, of the processes that failed.
        place: where they put their own faults.
    """
    failed = [(int(match["status"]), match["rank"]) for match in _FAILED.finditer(said)]
    killed = [one for one in failed if one[0] == -signal.SIGKILL]  # its peers then fail to reach it
    fault = _first_fault(place)
    if fault and not killed:
        return fault
    if failed:
        ended, local = (killed or failed)[0]
        return f"{_ended(f'process {local} of this machine', ended)}; nothing was written; run it again"
    last = said.strip().splitlines()[-1:]
    return f"{config}: {_ended('`accelerate launch`', status)}: {''.join(last)}"


def _end(fault: str) -> NoReturn:
    """End this launched process; not by an exception: others may wait for it, and so would an orderly end."""
    written = place() / f"{_FAULT}{rank()}"
    files.write_text(written, fault)
    sys.stdout.flush()
    os._exit(1)


def _together() -> bool:
    if ranks() == 1:
        return False
    import torch

    return torch.distributed.is_initialized()


def _pass_on(process: "subprocess.Popen[str]", place: Path, said: list[str]) -> None:
    """Show what the processes say up to the first fault; keep in `said` what the launcher says of it."""
    assert process.stderr
    for line in process.stderr:
        if said or _LAUNCHERS in line or _first_fault(place):
            said.append(line)
        else:
            sys.stderr.write(line)
            sys.stderr.flush()


def _ended(name: str, status: int) -> str:
    if status < 0:
        return f"{name} was killed by {signal.Signals(-status).name}"
    return f"{name} ended with status {status}"


def _first_fault(place: Path) -> str | None:
    """Return the fault that was there first: those of the others may be its consequences."""
    told = sorted(place.glob(f"{_FAULT}*"), key=lambda path: path.stat().st_mtime_ns)
    return told[0].read_text(encoding="utf-8") if told else None
