"""A published causal language model made a student's base: files checked and copied, no weight in memory.

Only safetensors are read, and no code that comes with a model is ever run.
"""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from stages import files
from stages.errors import BadInput
from stages.student import modelling, tokenizing
from stages.student.config import Student

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_INDEX, _WHOLE = "model.safetensors.index.json", "model.safetensors"
_WANTED = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "*.tiktoken"]
_UNWANTED = ["*/*", "consolidated*"]  # other formats of the same weights
_TOWERS = ("vision_config", "audio_config", "vision_tower")


def fetch(student: Student, folder: Path) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Copy the model that `student.model` names, a folder or a Hugging Face id, into `folder`.

    The weights are copied as they are, shard by shard, in their own precision. The tokenizer is written anew
    with the student's prompt and a padding token; of generation_config.json only the special tokens are kept,
    so that what a student answers depends on its weights alone.

    Args:
        student: with a `model`.
        folder: exists and is empty.

    Returns:
        The model on the meta device, which holds shapes and no numbers, and the tokenizer.

    Raises:
        BadInput: no such folder or id, no pinned revision, no causal language model, weights that are
            pickled, quantized, cut off or missing, or a tokenizer without what the prompt needs.
    """
    source, where = _source(student)
    config = _causal(source, where)
    weights = _weights(source, where)
    tokenizer = tokenizing.usable(modelling.read_tokenizer(source, where), student.prompt, where)
    _matching(tokenizer, config, where)
    for name in ("config.json", *weights):
        shutil.copyfile(source / name, folder / name)
    if (source / "generation_config.json").is_file():
        told = files.read_json(source / "generation_config.json")
        files.write_json(
            folder / "generation_config.json",
            {name: value for name, value in told.items() if name.endswith("_token_id")},
        )
    tokenizer.save_pretrained(folder)
    return modelling.read(folder, where, dtype="auto", device_map="meta"), tokenizer


def is_local(model: str) -> bool:
    """Tell a folder from a Hugging Face id, which is `name` or `owner/name`."""
    return Path(model).is_dir() or not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", model)


def _source(student: Student) -> tuple[Path, str]:
    """Return the folder that holds the model and how messages name it."""
    assert student.model is not None
    name, revision = student.model, student.revision
    where = f"model '{name}'"
    if is_local(name):
        if revision is not None:
            raise BadInput(f"{where}: a folder has no `revision`; remove it")
        if not (Path(name) / "config.json").is_file():
            raise BadInput(f"{where}: no such folder, or no config.json in it; correct `model`")
        return Path(name), where
    if revision is None or not re.fullmatch("[0-9a-f]{40}", revision):
        raise BadInput(
            f"{where}: set `revision` to a commit of this Hugging Face id, 40 digits; branches and tags move"
        )
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, HFValidationError

    try:
        # Its kind is known before gigabytes are fetched.
        _causal(Path(hf_hub_download(name, "config.json", revision=revision)).parent, where)
        snapshot = snapshot_download(
            name, revision=revision, allow_patterns=_WANTED, ignore_patterns=_UNWANTED
        )
    except GatedRepoError as error:
        raise BadInput(
            f"{where}: its owner asks for consent; give it on huggingface.co, then `hf auth login`"
        ) from error
    except (OSError, EntryNotFoundError, HFValidationError) as error:
        raise BadInput(
            f"{where} at revision '{revision}': not to be had: {modelling.first_line(error)}"
        ) from error
    return Path(snapshot), where


def _causal(source: Path, where: str) -> "PreTrainedConfig":
    """Return the configuration if it is a causal language model's that transformers itself knows."""
    from transformers import CONFIG_MAPPING, AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED

    told = files.read_json(source / "config.json")
    kind, classes = told.get("model_type"), told.get("architectures") or []
    called = f"a {classes[0]}" if classes else f"of type {kind}"
    if kind not in CONFIG_MAPPING:
        code = (
            "it needs code of its own, which is never run"
            if "auto_map" in told
            else "transformers does not know it"
        )
        raise BadInput(f"{where}: is {called}; {code}; choose another model")
    if told.get("quantization_config"):
        raise BadInput(f"{where}: its weights are quantized and cannot be trained; choose the original ones")
    if any(name in told for name in _TOWERS):
        raise BadInput(f"{where}: is {called}, which reads more than text; choose a text-only model")
    causal = CAUSAL.get(kind)
    # An encoder has a causal class too, whose tokens see those after them unless it is told to decode.
    sees_ahead = told.get("is_encoder_decoder") or (kind in MASKED and not told.get("is_decoder"))
    if causal is None or sees_ahead or (classes and classes[0] != causal):
        raise BadInput(
            f"{where}: is {called}, no causal language model; choose one whose class ends in ForCausalLM"
        )
    try:
        return AutoConfig.from_pretrained(str(source), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{where}: config.json cannot be read: {modelling.first_line(error)}; get it again"
        ) from error


def _weights(source: Path, where: str) -> list[str]:
    """Return the names of the files that hold the weights, each of them whole, and of their index."""
    if (source / _INDEX).is_file():
        shards = sorted(set(files.read_json(source / _INDEX).get("weight_map", {}).values()))
        listed = [_INDEX]
    else:
        shards = [_WHOLE]
        listed = []
    if any(Path(name).name != name for name in shards):
        raise BadInput(f"{where}: {_INDEX} names files outside its folder; get it again")
    absent = [name for name in shards if not (source / name).is_file()]
    if absent == [_WHOLE]:
        pickled = any((source / name).suffix in (".bin", ".pt", ".pth") for name in _names(source))
        kind = "only pickled weights, which may run code" if pickled else "no weights"
        raise BadInput(f"{where}: {kind}; a student needs safetensors; choose another model or revision")
    if absent or not shards:
        missing = ", ".join(absent[:3]) or "every shard"
        raise BadInput(f"{where}: {len(absent)} of {len(shards)} shards are missing: {missing}; get it again")
    for name in shards:
        _whole(source / name, where)
    return [*listed, *shards]


def _whole(shard: Path, where: str) -> None:
    """Refuse a shard that is not as long as its own header says.

    The format: 8 bytes that give the header's length, the header in JSON, then the tensors' bytes.
    """
    size = shard.stat().st_size
    try:
        with shard.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(length)) if length < size else {}
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError):
        ends = []
    if not ends or 8 + length + max(ends) != size:
        raise BadInput(
            f"{where}: {shard.name} is no whole safetensors file, {size:,} bytes of it; get it again"
        )


def _matching(tokenizer: "PreTrainedTokenizerBase", config: "PreTrainedConfig", where: str) -> None:
    """Refuse a tokenizer of another model: it has ids without embedding, or lacks the model's end token."""
    rows: int = config.get_text_config().vocab_size
    last = max(tokenizer.get_vocab().values())
    ends = getattr(config, "eos_token_id", None)
    unknown = [i for i in (ends if isinstance(ends, list) else [ends]) if i is not None and i > last]
    if last >= rows:
        raise BadInput(
            f"{where}: its tokenizer has ids up to {last:,}, the model embeddings for {rows:,}; "
            "they do not belong together"
        )
    if unknown:
        raise BadInput(
            f"{where}: its tokenizer has ids up to {last:,}, the model ends a text by {unknown[0]:,}; "
            "they do not belong together"
        )


def _names(folder: Path) -> Iterable[Path]:
    return (path for path in folder.iterdir() if path.is_file())
