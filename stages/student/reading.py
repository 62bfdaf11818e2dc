"""A folder's model and tokenizer read whole, or refused: transformers would make up what is missing."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.errors import BadInput

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def model(folder: Path, where: str, **options: Any) -> "PreTrainedModel":
    """Read a folder's model, all of it.

    Args:
        folder: with config.json and safetensors.
        where: named in the message of a refusal.
        options: of transformers' `from_pretrained`.

    Raises:
        BadInput: no causal language model is in there, or weights are missing or of another shape.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    try:
        found: Any = AutoModelForCausalLM.from_pretrained(
            str(folder),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise BadInput(
            f"{where}: no causal language model in safetensors there: {first_line(error)}"
        ) from error
    read, told = found
    wrong = sorted({*told["missing_keys"], *(key[0] for key in told["mismatched_keys"])})
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise BadInput(
            f"{where}: its weights lack {wrong[0]}{more} in the shape that config.json says; get it again"
        )
    return read


def tokenizer(folder: Path, where: str) -> "PreTrainedTokenizerBase":
    """Read a folder's tokenizer.

    Args:
        folder: with config.json and the tokenizer's files.
        where: named in the message of a refusal.

    Raises:
        BadInput: there is none, or one that needs code of its own.
    """
    from transformers import AutoTokenizer

    try:
        found = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise BadInput(
            f"{where}: no tokenizer that can be read: {first_line(error)}; get it again"
        ) from error
    # Without its files there comes one that knows no word.
    vocabulary = found.vocab_files_names.values()
    if vocabulary and not any((folder / name).is_file() for name in vocabulary):
        raise BadInput(
            f"{where}: no tokenizer: none of {', '.join(sorted(vocabulary))} is there; get it again"
        )
    return found


def first_line(error: Exception) -> str:
    """Return what an exception of a library says, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else repr(error)
