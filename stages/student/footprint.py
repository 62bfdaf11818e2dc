"""What a training step needs of a device, how it is cut to fit, and what went wrong where it did not."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from stages.errors import BadInput
from stages.student.config import Lora, Student
from stages.student.devices import Device
from stages.student.memory import GIB, Footprint, Precision, footprint, saved
from stages.student.shapes import Shape, shape

if TYPE_CHECKING:
    from torch.nn import Module
    from torch.optim import Optimizer

__all__ = [
    "Fit",
    "Footprint",
    "Shape",
    "as_set",
    "blame",
    "fitting",
    "flops",
    "footprint",
    "measured",
    "saved",
    "shape",
]

# Of a device's memory; the rest is CUDA's context, the libraries' workspaces and what lies unused between the
# allocator's blocks. Ours, not yet measured.
USABLE = 0.92
# Tokens at once below which a GPU is used worse than if it recomputed every activation, a third more
# operations: a backward pass adds float32 gradients to those there, 12·N bytes moved beside 6·N·T operations
# of T tokens, on an H100 (3.35 TB/s, 989 TFLOP/s) 590/T of their time.
_ENOUGH = 2048
_RANKS = (2, 4, 8, 16, 32, 64, 128)  # GPUs that are proposed
_ADAPTERS = Lora(rank=16, alpha=32)  # that are proposed
_SHORTEST = 64  # tokens a row that are proposed


class Fit(NamedTuple):
    """How a student's steps are cut so that they fit on a device."""

    rows: int  # at once on a device; divides the device's share of a step's rows
    checkpointing: bool  # activations are recomputed in the backward pass
    footprint: Footprint
    device: Device


class _Step(NamedTuple):
    """What is to be fitted: see `fitting`."""

    shape: Shape
    student: Student
    batch: int
    width: int
    device: Device
    ranks: int
    completion: float

    def having(self, **settings: object) -> "_Step":
        """Return the step with other settings of its student."""
        return self._replace(student=self.student.model_copy(update=settings))


def precision(student: Student, device: Device) -> Precision:
    """Return the precision a student is trained in: its own, else mixed on a GPU and float32 on a CPU."""
    return student.precision or ("mixed" if device.gpu else "float32")


def flops(shape: Shape, tokens: int, completion: int | None = None, width: float | None = None) -> float:
    """Return the floating-point operations that training on so many tokens needs: 6·N·D.

    N counts the parameters that a token is multiplied with (Kaplan et al. 2020, arXiv 2001.08361, section
    2.1): of a mixture the chosen experts only, and no look-up table, which multiplies nothing unless it is
    the LM head too. A frozen weight costs 4, its own gradient being spared, an adapter's parameter 6.
    Recomputed activations do not count: they are no part of the model (Chowdhery et al. 2022, arXiv
    2204.02311, appendix B, which defines model FLOPs utilisation, MFU).

    Args:
        shape: with its adapters.
        tokens: D, prompts included and padding not.
        completion: tokens that carry loss: the LM head is needed for these only. None needs it for all.
        width: tokens that attend to each other, on average: adds 12·layers·heads·head_dim·width a token, as
            appendix B does, which leaves causality aside. None adds nothing (of Qwen3 0.6B with 64 tokens it
            would be 1 %).
    """
    scored = tokens if completion is None else completion
    each = 4.0 if shape.adapters else 6.0
    body = shape.active - shape.head - (0 if shape.tied else shape.embedding)
    attended = 0.0 if width is None else 12.0 * shape.layers * shape.heads * shape.head_dim * width
    return tokens * (each * body + 6.0 * shape.adapters_active + attended) + scored * each * shape.head


def as_set(student: Student, batch: int, ranks: int = 1) -> tuple[int, bool]:
    """Return how a step is cut on a CPU, as it is set: rows at once, and whether activations are recomputed.

    Args:
        student: its `device_batch` and `checkpointing`; a process's share of a step and False without them.
        batch: rows of a step, over all processes.
        ranks: how many these are.
    """
    share = -(-batch // ranks)
    return min(share, student.device_batch or share), bool(student.checkpointing)


def fitting(
    shape: Shape,
    student: Student,
    batch: int,
    width: int,
    device: Device,
    ranks: int = 1,
    completion: float = 1.0,
) -> Fit:
    """Return how a step is cut to fit: as many rows at once as there is memory for, recomputing only by need.

    Args:
        shape: with the student's adapters.
        student: its precision and attention; its `device_batch` and `checkpointing` are kept to.
        batch: rows of a step, over all devices.
        width: tokens of the longest row.
        device: each of those that share the model.
        ranks: how many.
        completion: share of the tokens that carry loss, at most.

    Raises:
        BadInput: the devices cannot share the rows of a step evenly, or what is set does not fit; the message
            says what needs how much, and each change that would make it fit.
    """
    step = _Step(shape, student, batch, width, device, ranks, completion)
    found = _fit(step)
    if found is not None:
        return found
    least = _cut(step, _rows(step)[-1], _choices(step)[-1])
    ways = _remedies(step)
    raise BadInput(
        f"{device.name}: {least.rows} {'row' if least.rows == 1 else 'rows'} of {width} tokens at once need "
        f"{least.footprint.total / GIB:.1f} GiB of {device.memory / GIB:.1f}: {least.footprint}; "
        + (f"would fit with {', or '.join(ways)}" if ways else "choose a smaller model")
    )


def _fit(step: _Step) -> Fit | None:
    """Return the best cut that fits, None where none does."""
    best: Fit | None = None
    for checkpointing in _choices(step):
        for rows in _rows(step):
            if best is not None and (rows <= best.rows or best.rows * step.width >= _ENOUGH):
                break
            found = _cut(step, rows, checkpointing)
            if found.footprint.total <= USABLE * step.device.memory:
                best = found
                break
    return best


def _cut(step: _Step, rows: int, checkpointing: bool) -> Fit:
    kind = precision(step.student, step.device)
    attention = step.student.attention
    tiled = step.device.gpu or step.ranks > 1 or kind == "mixed"
    size = footprint(
        step.shape, kind, checkpointing, rows, step.width, step.ranks, attention, step.completion, tiled
    )
    return Fit(rows, checkpointing, size, step.device)


def _choices(step: _Step) -> tuple[bool, ...]:
    set_to = step.student.checkpointing
    return (False, True) if set_to is None else (set_to,)


def _rows(step: _Step) -> list[int]:
    """Return the numbers of rows that a device may hold at once, the largest first."""
    if step.batch % step.ranks:
        more = step.batch + step.ranks - step.batch % step.ranks
        raise BadInput(
            f"train.batch {step.batch}: {step.ranks} processes cannot share its rows evenly; set {more}"
        )
    share = step.batch // step.ranks
    divisors = [rows for rows in range(share, 0, -1) if share % rows == 0]
    wanted = step.student.device_batch
    if wanted is None:
        return divisors
    if share % min(wanted, share):
        near = next(rows for rows in divisors if rows < wanted)
        raise BadInput(
            f"device_batch {wanted}: does not divide a device's {share} rows of a step; set {near}"
        )
    return [min(wanted, share)]


def _remedies(step: _Step) -> list[str]:
    """Return the changes that would make a step fit: settings, or two of them together, and sizes."""
    changes = _changes(step)
    ways = [name for name, changed in changes.items() if _fits(changed)]
    if not ways:
        ways = [
            f"{name} and {other}"
            for name, changed in changes.items()
            for other, both in _changes(changed).items()
            if other > name and _fits(both)
        ]
    return ways + _smaller(step)


def _fits(step: _Step) -> bool:
    return not step.batch % step.ranks and _fit(step) is not None


def _changes(step: _Step) -> dict[str, _Step]:
    """Return the step under each change of a setting that needs less memory."""
    changes: dict[str, _Step] = {}
    if step.student.checkpointing is False:
        changes["`checkpointing: true`"] = step.having(checkpointing=True)
    if precision(step.student, step.device) != "bfloat16":
        changes["`precision: bfloat16`"] = step.having(precision="bfloat16")
    if not step.shape.adapters:
        changes[f"`lora: {{rank: {_ADAPTERS.rank}, …}}`"] = step._replace(
            shape=step.shape.with_adapters(_ADAPTERS.rank)
        )
    return changes


def _smaller(step: _Step) -> list[str]:
    """Return the largest device batch, the fewest GPUs and the longest rows with which a step would fit."""
    ways = []
    wanted = step.student.device_batch
    if wanted is not None:
        fit = _fit(step.having(device_batch=None))
        ways += [f"`device_batch: {fit.rows}`"] if fit else []
    for ranks in (ranks for ranks in _RANKS if step.device.gpu and ranks > step.ranks):
        if _fits(step._replace(ranks=ranks)):
            ways.append(f"{ranks} GPUs that share it (`train.launch`)")
            break
    width = step.width // 2
    while width >= _SHORTEST and not _fits(step._replace(width=width)):
        width //= 2
    return ways + ([f"`train.max_length: {width}`"] if width >= _SHORTEST else [])


def measured(model: "Module", optimizer: "Optimizer | None" = None) -> dict[str, int]:
    """Return the bytes that weights, gradients and optimizer hold on this device, and the allocator's peak.

    Args:
        model: being trained.
        optimizer: its optimizer.

    Returns:
        `weights`, `gradients`, `optimizer`; on a GPU also `peak`, the most ever allocated, and `reserved`,
            what the allocator holds.
    """
    import torch

    def size(tensors: object) -> int:
        local = [t._local_tensor if hasattr(t, "_local_tensor") else t for t in tensors]  # type: ignore
        return sum(t.numel() * t.element_size() for t in local if torch.is_tensor(t))

    parameters = list(model.parameters())
    found = {
        "weights": size(parameters),
        "gradients": size(p.grad for p in parameters if p.grad is not None),
        "optimizer": size(
            t for state in (optimizer.state if optimizer else {}).values() for t in state.values()
        ),
    }
    if torch.cuda.is_available():
        found |= {"peak": torch.cuda.max_memory_allocated(), "reserved": torch.cuda.memory_reserved()}
    return found


def blame(fit: Fit, measured: Mapping[str, int]) -> str:
    """Return one sentence on a step that ran out of memory: which part took more than planned, what to lower.

    Args:
        fit: as planned.
        measured: bytes, as `measured` returns them; what is missing is not blamed.
    """
    planned = fit.footprint
    steady = ("weights", "gradients", "optimizer")
    held = {name: measured[name] for name in steady if name in measured}
    found = [
        (size - getattr(planned, name), name, getattr(planned, name), size) for name, size in held.items()
    ]
    if "peak" in measured and held:
        passing = planned.activations + planned.logits
        took = measured["peak"] - sum(held.values())
        found.append((took - passing, "activations and logits", passing, took))
    lower = _lower(fit)
    over, name, plan, took = max(found, default=(0, "", 0, 0))
    if over > 0.02 * fit.device.memory:
        return (
            f"out of memory on {fit.device.name}: {name} took {took / GIB:.1f} GiB where "
            f"{plan / GIB:.1f} were planned; {lower}"
        )
    return (
        f"out of memory on {fit.device.name}, though no part took more than planned ({planned}, of "
        f"{fit.device.memory / GIB:.1f} GiB): something else holds memory there; free it, or {lower}"
    )


def _lower(fit: Fit) -> str:
    if fit.rows > 1:
        return f"set the student's `device_batch` below {fit.rows}"
    if not fit.checkpointing:
        return "set the student's `checkpointing: true`"
    return "lower `train.max_length`, or set the student's `lora` or `precision: bfloat16`"
