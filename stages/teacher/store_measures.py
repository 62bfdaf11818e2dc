"""What the replies in a store were like: tokens and latency, by model and kind."""

import sqlite3
from typing import NamedTuple


class Measured(NamedTuple):
    """Tokens and latency of the replies of one model and kind; all is 0 where there is none."""

    replies: int
    prompt_mean: float  # tokens
    prompt_variance: float
    completion_mean: float  # tokens
    completion_variance: float
    latency_mean: float  # seconds, retries included


_SELECT = """
select count(*), avg(prompt_tokens), avg(prompt_tokens * prompt_tokens),
    avg(completion_tokens), avg(completion_tokens * completion_tokens), avg(latency_s)
from responses where model = ? and task is ?
"""


def measured(connection: sqlite3.Connection, model: str, task: str) -> Measured:
    """Return the moments of the replies of a model to one kind of request.

    Where there are none, those of its replies whose kind is not known: a store of schema 1 did not keep it.
    """
    for kind in (task, None):
        n, prompt, prompt_square, completion, completion_square, latency = connection.execute(
            _SELECT, (model, kind)
        ).fetchone()
        if n:
            break
    else:
        return Measured(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    unbiased = n / (n - 1) if n > 1 else 1.0
    return Measured(
        n,
        prompt,
        max(0.0, prompt_square - prompt**2) * unbiased,
        completion,
        max(0.0, completion_square - completion**2) * unbiased,
        latency,
    )
