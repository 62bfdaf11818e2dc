"""What cuts of ledgers pay for and get, aggregated by DuckDB out of files that may not fit into memory."""

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from stages.errors import BadInput
from stages.grid import Cut, stops_at
from stages.records import Response
from stages.tables import checks, statement

if TYPE_CHECKING:
    import duckdb

MEMORY = "2GB"  # DuckDB's; beyond it, it spills to disk
COLUMNS = (
    *("strategy", "density", "teacher", "protocol", "question_id", "rank", "rollout"),
    *("accepted", "prompt_tokens", "completion_tokens", "cost_usd"),
)

Ledger: TypeAlias = pa.Table | Sequence[Path]


def draws(ledger: Ledger, cuts: Collection[Cut]) -> pa.Table:
    """Return what every cut of every ledger pays the teacher for, and what it gets.

    The responses are scanned twice, no more than the `COLUMNS` of them: once to a row per question, once to
    sums per band of ranks × step of rollouts. One scan for both would keep a row per question × step, which
    with three million questions takes several times as long, and spills. Counts, tokens and cost are summed
    as integers (cost in 1e-12 USD), so that the figures do not depend on the number of threads.

    Whether a question has each rollout exactly once is asked of a bitmap, since moments can be met by wrong
    rollouts: 0 4 5 and 1 2 6 agree in count, sum and sum of squares.

    This is the one noun that is handed files: DuckDB scans them in place, since a ledger may be larger than
    the memory. What does not fit goes to a temporary folder.

    Args:
        ledger: rows of `Response`, any number of ledgers (strategy × density × teacher × protocol); an Arrow
            table, or the Parquet files that hold them.
        cuts: each is taken of each ledger.

    Returns:
        One row per ledger × cut: strategy, density, teacher, protocol, share, budget, questions,
        sample_budget, accepted, acceptance (0 … 1), covered (questions), prompt_tokens, completion_tokens,
        cost_usd (null where a price is). Rollouts beyond the largest budget are in no cut and not counted.

    Raises:
        BadInput: a file is missing, not readable or no ledger, or a ledger is not sound; see `checks.sound`.
    """
    import duckdb

    budget = max(cut.budget for cut in cuts)
    with (
        tempfile.TemporaryDirectory(prefix="seedbed-") as spill,
        duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spill}) as connection,
    ):
        connection.execute("set variable budget = $1", [budget])
        connection.register("cuts", pa.Table.from_pylist([cut._asdict() for cut in dict.fromkeys(cuts)]))
        _attach(connection, ledger)
        try:
            connection.execute(f"create temp table asked as {statement('asked')}")
            _note_stopping(connection)
            checks.sound(connection.sql(statement("soundness")).to_arrow_table().to_pylist(), budget)
            return connection.sql(statement("draws")).to_arrow_table()
        except duckdb.Error as error:
            why = " ".join(str(error).split())
            raise BadInput(f"the ledgers cannot be scanned: {why}; run `dvc repro respond`") from error


def _note_stopping(connection: "duckdb.DuckDBPyConnection") -> None:
    """Make the relation `stopping`: with how many accepted responses the questions of a protocol end."""
    names = [name for (name,) in connection.sql("select distinct protocol from asked").fetchall()]
    columns = [pa.array(names, pa.string()), pa.array(map(stops_at, names), pa.int64())]
    connection.register("stopping", pa.table(columns, names=["protocol", "stops"]))


def _attach(connection: "duckdb.DuckDBPyConnection", ledger: Ledger) -> None:
    """Make the ledgers known as the relation `ledger`; refuse a file whose columns are others."""
    if isinstance(ledger, pa.Table):
        connection.register("ledger", ledger)
        return
    wanted = [Response.arrow_schema().field(name) for name in COLUMNS]
    for path in ledger:
        if not path.exists():
            raise BadInput(f"{path}: missing; run `dvc repro respond`")
        try:
            found = pq.read_schema(path)
        except (OSError, pa.ArrowException) as error:
            why = " ".join(str(error).split())
            raise BadInput(f"{path}: not readable: {why}; run `dvc repro respond`") from error
        # Types and what may be null too: the statements ask no further.
        odd = [field.name for field in wanted if field not in list(found)]
        if odd:
            raise BadInput(f"{path}: column {odd[0]} is not that of Response; run `dvc repro respond`")
    connection.read_parquet([str(path) for path in ledger]).create_view("ledger")
