"""Checkpoints of training runs: where they lie, which are whole, and what is kept when a run is done."""

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stages import files
from stages.errors import BadInput
from stages.student import launching
from stages.student.runs import Point, Run, Trained

if TYPE_CHECKING:
    from transformers import Trainer

KEPT = 2  # checkpoints of a run: the newest, and the one before should it be spoilt

_MANIFEST = "manifest.json"  # written when everything else in a folder is
_CHUNK = 1 << 22  # bytes read at once
_IDENTITY_CHARACTERS = 32  # of a SHA-256 in hexadecimal: 128 bits


def root() -> Path:
    """Return the place of all checkpoints: the variable SEEDBED_CHECKPOINTS, else `.seedbed/checkpoints`."""
    return Path(os.environ.get("SEEDBED_CHECKPOINTS") or ".seedbed/checkpoints")


def folder(key: Mapping[str, Any]) -> Path:
    """Return the folder of one run's checkpoints; a run that differs in anything has another.

    Args:
        key: all that determines the run, as JSON can say it: what it starts from, what it is shown, its
            settings, its job, the code that runs it.
    """
    text = json.dumps(key, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return root() / hashlib.sha256(text.encode()).hexdigest()[:_IDENTITY_CHARACTERS]


def fingerprint(path: Path) -> str:
    """Return a hash of a file, or of every file in a folder with its name.

    Raises:
        BadInput: there is no such file, or it cannot be read.
    """
    digest = hashlib.sha256()
    for name in _names(path) if path.is_dir() else [""]:
        digest.update(name.encode() + b"\0")
        for chunk in _chunks(path / name):
            digest.update(chunk)
        digest.update(b"\0")
    return digest.hexdigest()


def seal(place: Path) -> None:
    """Write the manifest of a folder that is complete: the size and CRC-32 of each of its files."""
    files.write_json(place / _MANIFEST, {name: _sums(place / name) for name in _names(place)})


def fault(place: Path) -> str | None:
    """Return what is wrong with a sealed folder, None where it is whole."""
    try:
        manifest = json.loads((place / _MANIFEST).read_text(encoding="utf-8"))
        for name, wanted in manifest.items():
            if (found := _sums(place / name)) != wanted:
                return f"{name} has {found['bytes']} bytes and CRC-32 {found['crc32']}, not as written"
        return None if manifest else f"its {_MANIFEST} is empty"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing; it was never finished"
    except (OSError, ValueError, TypeError, AttributeError, BadInput) as error:
        return f"not readable: {' '.join(str(error).split())}"


def latest(keep: Path) -> Path | None:
    """Return the newest whole checkpoint of a run; spoilt ones are named on standard error and removed.

    Where several processes train together the first of them looks and tells the others.

    Args:
        keep: folder of the run's checkpoints, from `folder`; it need not exist.
    """
    return launching.from_first(lambda: _latest(keep))


def attach(trainer: "Trainer") -> None:
    """Have a trainer keep what its checkpoints lack: a manifest, and the loss since the last logged step.

    Its `output_dir` is the run's folder. Only the newest `KEPT` checkpoints stay. With the sum of the losses
    kept, a resumed run logs the very means that an unbroken one does, wherever it was broken.

    Args:
        trainer: about to train.
    """
    from transformers import TrainerCallback

    class Keeper(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            place = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            sums = {"loss": trainer._tr_loss.item(), "logged": trainer._globalstep_last_logged}
            files.write_json(place / _accumulated(), sums)
            launching.wait()  # each process has written its part
            if state.is_world_process_zero:
                seal(place)
                for old in _checkpoints(place.parent)[KEPT:]:
                    shutil.rmtree(old, ignore_errors=True)

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step:
                place = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                sums = files.read_json(place / _accumulated())
                trainer._tr_loss.fill_(sums["loss"])
                trainer._globalstep_last_logged = sums["logged"]
                if state.is_world_process_zero:
                    click.echo(
                        f"{place.parent}: goes on from its checkpoint at step {state.global_step}", err=True
                    )

    trainer.add_callback(Keeper())


def finished(keep: Path) -> Trained | None:
    """Return what a run did that ended before its cell did; None where it is to be run."""
    place = keep / "finished"
    if not place.is_dir():
        return None
    if why := fault(place):
        _remove(place, why)
        return None
    stored = files.read_json(place / "trained.json")
    points = [Point(*point) for point in stored["points"]]
    return Trained(Run(**stored["run"]), points, stored["size"])


def finish(keep: Path, trained: Trained, save: Callable[[Path], None]) -> None:
    """Keep the model of a run that has ended, until its cell is complete; its checkpoints go.

    Args:
        keep: folder of the run.
        trained: what it did.
        save: writes the model into a folder.
    """
    with files.replacing_folder(keep / "finished") as place:
        save(place / "model")
        stored = {"run": trained.run._asdict(), "points": trained.points, "size": trained.size}
        files.write_json(place / "trained.json", stored)
        seal(place)
    for old in _checkpoints(keep):
        shutil.rmtree(old, ignore_errors=True)


def take(keep: Path, target: Path) -> None:
    """Put the model of a finished run into `target`, as links where the file system has them."""

    def link(source: str, copy: str) -> None:
        try:
            os.link(source, copy)
        except OSError:
            shutil.copyfile(source, copy)

    shutil.copytree(keep / "finished" / "model", target, copy_function=link)


def discard(keep: Path) -> None:
    """Remove all that is kept of a run; its cell is complete."""
    shutil.rmtree(keep, ignore_errors=True)


def _accumulated() -> str:
    return f"accumulated-{launching.rank()}.json"


def _latest(keep: Path) -> Path | None:
    for place in _checkpoints(keep):
        why = fault(place)
        if why is None:
            return place
        _remove(place, why)
    return None


def _remove(place: Path, why: str) -> None:
    click.echo(f"{place}: removed, {why}", err=True)
    shutil.rmtree(place, ignore_errors=True)


def _checkpoints(keep: Path) -> list[Path]:
    """Return the checkpoints of a run, whole or not, the newest first."""
    steps = {int(path.name.removeprefix("checkpoint-")): path for path in keep.glob("checkpoint-*[0-9]")}
    return [steps[step] for step in sorted(steps, reverse=True)]


def _names(place: Path) -> list[str]:
    found = [path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()]
    return sorted(name for name in found if name != _MANIFEST)


def _sums(path: Path) -> dict[str, int]:
    size = crc = 0
    for chunk in _chunks(path):
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return {"bytes": size, "crc32": crc}


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadInput(f"{path}: not readable: {error.strerror or error}; build it again") from error
