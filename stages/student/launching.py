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
from typing import Any, NoReturn, TypeVar

import yaml

from stages import files
from stages.errors import BadInput
from stages.student import processes
from stages.student.quiet import quiet

T = TypeVar("T")

_OF_A_MACHINE = {  # settings of `accelerate launch`, and the variables that override them
    "machine_rank": ("NODE_RANK", "SLURM_NODEID"),
    "main_process_ip": ("MASTER_ADDR",),
    "main_process_port": ("MASTER_PORT",),
}
_LAUNCHERS = "torch/distributed/elastic/"  # in every line that torch's launcher says of a failure
_FAILED = re.compile(r"failed \(exitcode: (?P<status>-?\d+)\) local_rank: (?P<rank>\d+)")
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
    options = _options(config, check(config))
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
    if told := _first_fault(place):
        raise BadInput(told)
    if found := next((match for line in said if (match := _FAILED.search(line))), None):
        ended = _ended(f"process {found['rank']} of this machine", int(found["status"]))
        raise BadInput(f"{ended}; nothing was written; run it again")
    raise BadInput(f"{config}: {_ended('`accelerate launch`', status)}: {''.join(said[-1:]).strip()}")


def check(config: Path) -> dict[str, Any]:
    """Return the configuration of `accelerate launch` in a file.

    Raises:
        BadInput: there is none, or it is none.
    """
    try:
        found = yaml.safe_load(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"train.launch {config}: {error.strerror}; see the files in accelerate/") from error
    except (ValueError, yaml.YAMLError) as error:
        raise BadInput(f"train.launch {config}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict) or "distributed_type" not in found:
        raise BadInput(
            f"train.launch {config}: no configuration of `accelerate launch`: it sets no `distributed_type`; "
            "see the files in accelerate/"
        )
    from accelerate.commands.config.config_args import load_config_from_file

    try:
        load_config_from_file(str(config))
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"train.launch {config}: {' '.join(str(error).split())}") from error
    return found


def _end(fault: str) -> NoReturn:
    """End this launched process; not by an exception: others may wait for it, and so would an orderly end."""
    written = place() / f"{_FAULT}{rank()}"
    files.write_text(written, fault)
    sys.stdout.flush()
    os._exit(1)


def _options(config: Path, settings: dict[str, Any]) -> list[str]:
    """Return what a configuration leaves to the machine: processes and, of several machines, its number."""
    machines = int(settings.get("num_machines") or 1)
    options = []
    if settings.get("num_processes") is None:
        import torch

        gpus = torch.cuda.device_count()
        if not gpus:
            raise BadInput(f"train.launch {config}: no GPU is visible here; set `num_processes` or remove it")
        options += ["--num_processes", str(gpus * machines)]
    if machines > 1:
        for name, variables in _OF_A_MACHINE.items():
            value = next((os.environ[v] for v in variables if v in os.environ), settings.get(name))
            if value is None:
                raise BadInput(
                    f"train.launch {config}: {machines} machines, but neither `{name}` there nor "
                    f"{variables[0]} in the environment is set"
                )
            options += [f"--{name}", str(value)]
    return options


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
