"""Progress of long work, on standard error: often at a terminal, seldom in a log."""

import sys
import time

import click


class Progress:
    """Says how far a loop is; call it with (done, in all or 0 where not known).

    Args:
        what: named in each line, such as "draws".
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.every = 1.0 if sys.stderr.isatty() else 30.0  # seconds between lines
        self.begin = self.shown = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Print a line if the last one is old enough."""
        now = time.monotonic()
        if now - self.shown < self.every:
            return
        self.shown = now
        rate = done / (now - self.begin)
        line = f"{done:,}" + (f" of {total:,}" if total else "") + f" {self.what}, {rate:,.0f}/s"
        if total and rate:
            line += f", {(total - done) / rate:,.0f} s left"
        click.echo(line, err=True)
