"""What a student is trained on: how much memory it has, and how many operations a second it can do."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from stages.errors import BadInput

CPU = "CPU"


class Device(NamedTuple):
    """One device that holds a model."""

    name: str
    memory: int  # bytes
    peak: float | None  # FLOP/s in bfloat16, dense, accumulated in float32; None where it is not known

    @property
    def gpu(self) -> bool:
        """Return whether it is a GPU."""
        return self.name != CPU


# Name → GB, TFLOP/s in bfloat16 without sparsity (most data sheets print twice as many, "with sparsity"). A
# sheet's GB is taken as 10⁹ bytes: the card reports as much or a little more. "H100" and "H200" are the SXM
# modules; an A100 does as many FLOP/s on PCIe.
_SHEETS = {
    "B200": (180, 2250.0),  # NVIDIA DGX B200 data sheet, one of its eight
    "H200": (141, 989.5),  # NVIDIA H200 data sheet, SXM
    "H200 NVL": (141, 835.5),  # the same
    "H100": (80, 989.5),  # NVIDIA H100 data sheet, SXM
    "H100 NVL": (94, 835.5),  # the same
    "H100 PCIe": (80, 756.5),  # NVIDIA H100 PCIe product brief
    "A100 80GB": (80, 312.0),  # NVIDIA A100 data sheet
    "A100 40GB": (40, 312.0),  # the same
    "L40S": (48, 362.05),  # NVIDIA L40S data sheet
    "L4": (24, 121.0),  # NVIDIA L4 data sheet
    "A10G": (24, 70.0),  # AWS EC2 G5, NVIDIA A10G data sheet
    "A10": (24, 125.0),  # NVIDIA A10 data sheet
    "RTX 4090": (24, 165.2),  # NVIDIA Ada architecture white paper, appendix A, float32 accumulate
    "RTX 5090": (32, 209.5),  # NVIDIA RTX Blackwell architecture white paper, appendix A, float32 accumulate
}
NAMES = tuple(_SHEETS)


def named(name: str) -> Device:
    """Return a GPU of the table, by its name in any case, such as `H200` or `h100 pcie`.

    Raises:
        BadInput: the table has no such GPU.
    """
    for known in (known for known in NAMES if _folded(known) == _folded(name)):
        return _of_sheet(known)
    raise BadInput(f"--gpu {name}: not known, only {', '.join(NAMES)}; give one of these")


def here() -> Device:
    """Return this machine's first CUDA device, by its own name and memory, else its CPU.

    A slice of a GPU (MIG) has a share of its peak that its name does not tell: its peak is None.
    """
    import torch

    if not torch.cuda.is_available():
        return Device(CPU, _memory(), None)
    found = torch.cuda.get_device_properties(0)
    return Device(found.name, found.total_memory, recognised(found.name))


def recognised(name: str) -> float | None:
    """Return the peak of a GPU by the name that its driver gives it, None where the table has none.

    Args:
        name: such as "NVIDIA H100 80GB HBM3" or "NVIDIA GeForce RTX 4090".
    """
    words = re.findall(r"[A-Z0-9]+", name.upper())
    if "MIG" in words or "LAPTOP" in words:
        return None
    # The name with most words wins: "H100 PCIe" before "H100". The two A100s differ in their memory alone.
    for known in sorted(NAMES, key=lambda known: -len(known.split())):
        if set(known.upper().removesuffix(" 80GB").removesuffix(" 40GB").split()) <= set(words):
            return _of_sheet(known).peak
    return None


def _of_sheet(known: str) -> Device:
    gigabytes, teraflops = _SHEETS[known]
    return Device(known, gigabytes * 10**9, teraflops * 1e12)


def _folded(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def _memory() -> int:
    """Return the bytes this process may have: the machine's, or what its control groups leave of them."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    mounted = Path("/sys/fs/cgroup")
    own = Path("/proc/self/cgroup")
    if own.is_file():
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            # Version 2 has one tree without a list of controllers; version 1 a tree for the memory.
            if controllers and "memory" not in controllers.split(","):
                continue
            tree, file = (
                (mounted / "memory", "memory.limit_in_bytes") if controllers else (mounted, "memory.max")
            )
            inside = tree / path.lstrip("/")
            for group in (inside, *inside.parents):
                limits += _limit(group / file)
    return min(limits)


def _limit(file: Path) -> list[int]:
    try:
        text = file.read_text().strip()
    except OSError:
        return []
    return [int(text)] if text.isdigit() else []  # "max" is no limit
