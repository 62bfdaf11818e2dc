"""Silence: a verb prints its own lines and no library's. Call before the first import of transformers."""

import os
import warnings


def quiet(offline: bool = True) -> None:
    """Turn off telemetry, progress bars and warnings of the Hugging Face libraries.

    Args:
        offline: also forbid the Hub; every verb but the one that fetches a student works on local folders.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DATASETS_VERBOSITY", "error")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads would not survive a fork
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.filterwarnings("ignore")
    from transformers.utils import logging

    logging.disable_progress_bar()
