"""The one exception a user is meant to see."""

import click


class BadInput(click.ClickException):
    """Something outside this code is wrong: one line that says what, where and what to do.

    Every verb lets it pass; click prints it as ``Error: …`` and exits with status 1.
    """

    exit_code = 1
