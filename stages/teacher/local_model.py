"""A teacher's model on this machine: its name in the store's keys, and whether it can be asked at all."""

import functools
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stages.errors import BadInput

READERS = 8  # files hashed at once
# What decides a reply. The readme, the optimizer's state and the training log do not.
_DECIDING = (
    "*.safetensors",
    "*.jinja",
    "*.model",
    "added_tokens.json",
    "chat_template.json",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "special_tokens_map.json",
    "tekken.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)


def model_id(model: str, revision: str | None) -> str:
    """Return the name under which a model's replies are kept: the same on every machine.

    A Hugging Face id is named with its commit. A folder is named by its own name and by a digest of what is
    in it, weights included: a checkpoint that was trained further is another teacher, the same checkpoint in
    another place is the same one. `vllm serve --served-model-name` with this name shares the store's rows.

    Args:
        model: Hugging Face id, or a folder.
        revision: commit of the id; None for a folder.

    Raises:
        BadInput: see `check`.
    """
    check(model, revision)
    folder = Path(model)
    if not folder.is_dir():
        return f"{model}@{revision}"
    stats = [(path, path.stat()) for path in _deciding(folder)]
    return f"{folder.resolve().name}@{_digest(tuple((p, s.st_size, s.st_mtime_ns) for p, s in stats))}"


def check(model: str, revision: str | None) -> None:
    """Refuse what cannot be a teacher, before anything large is loaded.

    Raises:
        BadInput: no such folder, one without safetensors or without a chat template, a folder with a
            revision, or a Hugging Face id without the commit that pins it.
    """
    folder = Path(model)
    if folder.is_dir():
        _check_folder(folder, revision)
    elif not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", model):
        raise BadInput(f"teacher '{model}': no such folder; correct teacher.model")
    elif revision is None:
        raise BadInput(
            f"teacher '{model}': no such folder; if it is a Hugging Face id, set teacher.vllm.revision to "
            "its commit"
        )
    elif not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise BadInput(
            f"teacher '{model}': revision '{revision}' is no commit and may move; set teacher.vllm.revision "
            "to the 40 hexadecimal digits of one"
        )


def _check_folder(folder: Path, revision: str | None) -> None:
    where = f"teacher '{folder}'"
    if revision is not None:
        raise BadInput(f"{where}: a folder has no revision; remove teacher.vllm.revision")
    if not (folder / "config.json").is_file():
        raise BadInput(f"{where}: no config.json in this folder; teacher.model is to name a model's folder")
    if not any(folder.glob("*.safetensors")):
        raise BadInput(f"{where}: no weights in safetensors in this folder; save the model with them")
    if not _has_template(folder):
        raise BadInput(
            f"{where}: its tokenizer has no chat template; put a chat_template.jinja there or take an "
            "instruction-tuned model"
        )


def _has_template(folder: Path) -> bool:
    # A tekken.json is Mistral's tokenizer, which brings its own format of conversations.
    if any(
        (folder / name).is_file() for name in ("chat_template.jinja", "chat_template.json", "tekken.json")
    ):
        return True
    try:
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and bool(settings.get("chat_template"))


def _deciding(folder: Path) -> list[Path]:
    return sorted({path for pattern in _DECIDING for path in folder.glob(pattern) if path.is_file()})


@functools.lru_cache(maxsize=8)  # as long as no file changes
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    """Return 16 hex digits of the contents of (path, bytes, modified) files; some 1 to 2 GB/s a core."""
    paths = [path for path, _, _ in files]
    try:
        with ThreadPoolExecutor(READERS) as pool:
            digests = list(pool.map(_file_digest, paths))
    except OSError as error:
        raise BadInput(f"{error.filename}: cannot read the teacher's model: {error.strerror}") from error
    named = [(path.name, digest) for path, digest in zip(paths, digests, strict=True)]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
