"""Several processes that train one model: started by `accelerate launch`, one for each GPU.

The verb starts itself again under it. Every process runs the same code on its share of each step's rows; the
first one alone writes and speaks.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml

from stages.errors import BadInput
from stages.student import processes

T = TypeVar("T")

_OF_A_MACHINE = {  # settings of `accelerate launch`, and the variables that override them
    "machine_rank": ("NODE_RANK", "SLURM_NODEID"),
    "main_process_ip": ("MASTER_ADDR",),
    "main_process_port": ("MASTER_PORT",),
}
_LAUNCHERS = "torch/distributed/elastic/"  # in every line that torch's launcher says of a failure
_FAILED = re.compile(r"failed \(exitcode: (?P<status>-?\d+)\) local_rank: (?P<rank>\d+)")
_FAULTS = "SEEDBED_LAUNCHED"  # set in launched processes: the folder where each puts the fault that ended it


def launched() -> bool:
    """Tell whether this process was started by a launcher: this module's, or another that sets a rank."""
    return _FAULTS in os.environ or "LOCAL_RANK" in os.environ


def rank() -> int:
    """Return this process's number among those that train together; 0 is the first, or the only one."""
    return int(os.environ.get("RANK", "0"))


def ranks() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join() -> None:
    """Make this launched process one of the group, to be killed with whatever started it."""
    import torch
    from accelerate.state import PartialState

    processes.die_with(os.getppid())
    cuda = processes.cuda()
    if not cuda:
        torch.set_num_threads(1)  # as forked runs have it
    PartialState(cpu=not cuda)


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


def launch(config: Path, module: str, arguments: Sequence[str]) -> None:
    """Run `python -m MODULE ARGUMENTS` under `accelerate launch`, and wait for it.

    Its processes die with this one. What they say on standard error is passed on up to the first fault; the
    launcher's own report of it is not.

    Args:
        config: a configuration of `accelerate launch`.
        module: of a verb.
        arguments: of the verb.

    Raises:
        BadInput: the file is missing or broken, or a process failed; then the message is its own.
    """
    options = _options(config, check(config))
    with tempfile.TemporaryDirectory() as faults:
        environment = {**os.environ, _FAULTS: faults}
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
        reader = threading.Thread(target=_pass_on, args=(process, Path(faults), said), daemon=True)
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
        if told := _first_fault(Path(faults)):
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


def report(fault: BadInput) -> NoReturn:
    """End this launched process with a fault that the process which launched it shows.

    Raises:
        BadInput: the fault, where another launcher started this process.
    """
    if _FAULTS not in os.environ:
        raise fault
    written = Path(os.environ[_FAULTS]) / str(rank())
    written.with_suffix(".part").write_text(fault.message, encoding="utf-8")
    written.with_suffix(".part").rename(written)
    sys.stdout.flush()
    # Not by an exception: other processes may wait for this one, and so would an orderly end.
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


def _pass_on(process: "subprocess.Popen[str]", faults: Path, said: list[str]) -> None:
    """Show what the processes say up to the first fault; keep in `said` what the launcher says of it."""
    assert process.stderr
    for line in process.stderr:
        if said or _LAUNCHERS in line or _first_fault(faults):
            said.append(line)
        else:
            sys.stderr.write(line)
            sys.stderr.flush()


def _ended(name: str, status: int) -> str:
    if status < 0:
        return f"{name} was killed by {signal.Signals(-status).name}"
    return f"{name} ended with status {status}"


def _first_fault(faults: Path) -> str | None:
    """Return the fault that was there first: those of the others may be its consequences."""
    told = sorted((path for path in faults.iterdir() if not path.suffix), key=lambda p: p.stat().st_mtime_ns)
    return told[0].read_text(encoding="utf-8") if told else None
