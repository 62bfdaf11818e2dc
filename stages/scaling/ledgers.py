"""What the study's cells pay the teacher for, and how often each question's answers were accepted."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from stages.errors import BadInput
from stages.grid import Cut
from stages.laws.coverage import Draws
from stages.scaling.places import TOKENS, Ledger, Place
from stages.tables import ledgers, statement

Row = dict[str, Any]


class Bill(NamedTuple):
    """What one cell pays for and gets."""

    questions: int
    sample_budget: int  # N: calls
    accepted: int  # distinct by their text within a question: repetitions are rejected
    covered: int  # questions with an accepted response
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None  # None where the price is not known

    @property
    def teacher_tokens(self) -> int:
        """Return prompts and completions together."""
        return self.prompt_tokens + self.completion_tokens


def scan(path: Path, name: str, relations: Mapping[str, pa.Table] | None = None) -> list[Row]:
    """Run `NAME.sql` over a ledger's file, known as `ledger`, and return its rows.

    As in `tables.ledgers`, the file is scanned in place: it may be larger than the memory.

    Raises:
        BadInput: the file is missing, or no ledger.
    """
    import duckdb

    if not path.exists():
        raise BadInput(f"{path}: missing; run `dvc repro respond`")
    with duckdb.connect(config={"memory_limit": ledgers.MEMORY}) as connection:
        for relation, table in (relations or {}).items():
            connection.register(relation, table)
        try:
            connection.read_parquet(str(path)).create_view("ledger")
            return connection.sql(statement(name, "stages.scaling")).to_arrow_table().to_pylist()
        except duckdb.Error as error:
            why = " ".join(str(error).split())
            raise BadInput(f"{path}: not readable as a ledger: {why}; run `dvc repro respond`") from error


def total(ledger: Ledger, path: Path) -> Row:
    """Return what a whole ledger holds: its calls, what was accepted, tokens and cost.

    Raises:
        BadInput: it is another's.
    """
    found = scan(path, "totals")
    own = {"teacher": ledger.teacher, "domain": ledger.domain, "protocol": ledger.protocol}
    for row in found or [dict.fromkeys(own)]:
        for column, wanted in own.items():
            if row[column] != wanted:
                raise BadInput(
                    f"{path}: a ledger of {column} {row[column]}, not {wanted}; run `dvc repro respond`"
                )
    return found[0]


def bills(places: Iterable[Place], paths: Mapping[Ledger, Path]) -> dict[Place, Bill]:
    """Return every cell's bill.

    Args:
        places: with the plain cells that token-matched ones are cut to.
        paths: of every ledger.

    Raises:
        BadInput: a ledger is missing or not sound, see `tables.ledgers.draws`; or too short to spend as many
            tokens as a plain cell does.
    """
    places = list(places)
    found: dict[Place, Bill] = {}
    for ledger, path in paths.items():
        cut_here = [place for place in places if place.ledger == ledger and place.matched != TOKENS]
        if not cut_here:
            continue
        rows = ledgers.draws([path], {place.cut for place in cut_here}).to_pylist()
        by_cut = {Cut(row["share"], row["budget"]): _bill(row) for row in rows}
        found |= {place: by_cut[place.cut] for place in cut_here}
    for place in places:
        if place.matched == TOKENS:
            plain = Place(place.teacher, place.student, place.domain, place.cut)
            found[place] = _spent(place, found[plain].teacher_tokens, paths[place.ledger])
    return found


def _bill(row: Row) -> Bill:
    return Bill(**{name: row[name] for name in Bill._fields})


def _spent(place: Place, limit: int, path: Path) -> Bill:
    """Return the bill of whole calls, by rollout and rank, until the next would exceed the limit."""
    cut = pa.Table.from_pylist([{"share": place.cut.share, "token_limit": limit}])
    row = scan(path, "spent", {"cut": cut})[0]
    calls, spent = row["sample_budget"], row["tokens"]
    if not calls or (row["whole"] and limit - spent >= spent / calls):
        raise BadInput(
            f"{path}: unequal teacher tokens: the ledger ends at {spent}, plain rejection sampling "
            f"spends {limit} at {place.cut}; raise its calls and run `dvc repro respond-protocol`"
        )
    return _bill(row)


def tallies(path: Path, share: float, draws: Sequence[int]) -> dict[int, list[Draws]]:
    """Return, by draws counted per question, the accept counts of a share of a ledger's questions.

    Args:
        path: of a sound ledger of draws.
        share: of the questions, by rank.
        draws: rollouts to count, each from 0; fewer where the protocol ended a question.
    """
    counted = pa.Table.from_pylist([{"draws": n, "share": share} for n in draws])
    found: dict[int, list[Draws]] = {n: [] for n in draws}
    for row in scan(path, "tallies", {"counted": counted}):
        found[row["draws"]] += [Draws(row["accepted"], row["made"])] * row["questions"]
    return found
