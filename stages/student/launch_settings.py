"""Configurations of `accelerate launch`: read, checked, and completed with what the machine knows."""

import os
from pathlib import Path
from typing import Any

import yaml

from stages.errors import BadInput

_OF_A_MACHINE = {  # settings of `accelerate launch`, and the variables that override them
    "machine_rank": ("NODE_RANK", "SLURM_NODEID"),
    "main_process_ip": ("MASTER_ADDR",),
    "main_process_port": ("MASTER_PORT",),
}


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


def options(config: Path, settings: dict[str, Any]) -> list[str]:
    """Return what a configuration leaves to the machine, as options of `accelerate launch`.

    Args:
        config: its file, named in messages.
        settings: what it says.

    Returns:
        One process for each visible GPU, unless it is stated; of several machines this one's number and the
            address of the first.

    Raises:
        BadInput: there is no GPU, or the machine does not know its number or that address.
    """
    machines = int(settings.get("num_machines") or 1)
    given = []
    if settings.get("num_processes") is None:
        import torch

        gpus = torch.cuda.device_count()
        if not gpus:
            raise BadInput(f"train.launch {config}: no GPU is visible here; set `num_processes` or remove it")
        given += ["--num_processes", str(gpus * machines)]
    if machines > 1:
        for name, variables in _OF_A_MACHINE.items():
            value = next((os.environ[v] for v in variables if v in os.environ), settings.get(name))
            if value is None:
                raise BadInput(
                    f"train.launch {config}: {machines} machines, but neither `{name}` there nor "
                    f"{variables[0]} in the environment is set"
                )
            given += [f"--{name}", str(value)]
    return given
