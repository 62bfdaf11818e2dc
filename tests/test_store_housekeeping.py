"""`python -m stages.teacher store`: stats, verify, export and prune on real files."""

import subprocess
import sys

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from planted_store import fill, overwrite, query, row, schema_1

from stages.teacher import store_reports
from stages.teacher.__main__ import main
from stages.teacher.store import ResponseStore, Spent

ROWS = [row(i, model="a" if i < 70 else "b", task=("respond", "seed_questions")[i % 2]) for i in range(100)]
NAMES = ("stats", "verify", "export", "prune")


@pytest.fixture
def path(tmp_path):
    fill(tmp_path / "s.sqlite", ROWS)
    return tmp_path / "s.sqlite"


def run(path, command, *options, status=0):
    result = CliRunner().invoke(main, ["store", command, "--path", str(path), *map(str, options)])
    assert result.exit_code == status, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


def test_every_command_and_option_has_help():
    group = main.commands["store"]
    assert sorted(group.commands) == sorted(NAMES)
    assert all(command.help for command in [group, *group.commands.values()])
    assert all(option.help for command in group.commands.values() for option in command.params)


@pytest.mark.parametrize(
    "command", [["stats"], ["verify"], ["export", "--out", "out"], ["prune", "--model", "a"]]
)
def test_a_missing_store_is_one_line_and_is_not_made(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", "folder/none.sqlite")
    result = CliRunner().invoke(main, ["store", *command])
    assert result.exit_code == 1
    assert result.output == (
        "Error: folder/none.sqlite: no response store here; name one by --path or SEEDBED_STORE\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_stats_counts_rows_tokens_and_spending(path):
    out = run(path, "stats")
    assert "s.sqlite: 100 rows, " in out
    assert "a, respond: 35 rows, 245 prompt and 1,225 completion tokens" in out
    assert "spent on b: 30 calls, 210 prompt and 2,565 completion tokens" in out


def test_stats_of_a_store_of_schema_1_says_that_tasks_are_not_stored(tmp_path):
    schema_1(tmp_path / "s.sqlite", ROWS)
    assert "a, task not stored: 70 rows" in run(tmp_path / "s.sqlite", "stats")


def test_verify_tells_sound_from_damaged_and_repairs(path):
    assert run(path, "verify").endswith("100 rows read, all of them sound\n")
    assert run(path, "verify", "--repair").endswith("all of them sound\n")
    assert [p.name for p in path.parent.glob("*damaged*")] == []  # nothing to set aside
    overwrite(path, path.read_bytes().index(b"reply 5"), b"R")
    assert "99 rows" not in (said := run(path, "verify", status=1))
    assert said.endswith("100 rows read, 1 changed; run this again with --repair\n")
    assert len(said.splitlines()) == 1
    assert "built anew of 99 rows; the damaged file is kept as s.sqlite.damaged-" in run(
        path, "verify", "--repair"
    )
    assert run(path, "verify").endswith("99 rows read, all of them sound\n")


def test_export_is_typed_whole_and_read_by_duckdb(path, tmp_path, monkeypatch):
    monkeypatch.setattr(store_reports, "GROUP_ROWS", 30)
    said = run(path, "export", "--out", tmp_path / "out")
    assert said == f"{tmp_path / 'out' / 'responses.parquet'}: 100 rows of {path}\n"
    file = pq.ParquetFile(tmp_path / "out" / "responses.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [30, 30, 30, 10]
    columns = ", ".join(ROWS[0]._fields)
    found = duckdb.sql(f"select {columns} from '{tmp_path}/out/responses.parquet' order by key").fetchall()
    assert found == [tuple(r) for r in ROWS]
    typed = f"select typeof(created), typeof(latency_s) from '{tmp_path}/out/responses.parquet' limit 1"
    assert duckdb.sql(typed).fetchall() == [("TIMESTAMP WITH TIME ZONE", "DOUBLE")]
    spent = duckdb.sql(f"select model, calls from '{tmp_path}/out/spending.parquet' order by model")
    assert spent.fetchall() == [("a", 70), ("b", 30)]


def test_export_leaves_bodies_out_and_other_files_alone(path, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("kept")
    run(path, "export", "--out", tmp_path / "out", "--no-bodies")
    run(path, "export", "--out", tmp_path / "out", "--no-bodies")
    assert "body" not in pq.read_schema(tmp_path / "out" / "responses.parquet").names
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "mine.txt",
        "responses.parquet",
        "spending.parquet",
    ]


def test_export_is_of_one_instant(path, tmp_path, monkeypatch):
    table = store_reports._table

    def meanwhile(*given):
        fill(path, [row(900, model="a")])
        return table(*given)

    monkeypatch.setattr(store_reports, "_table", meanwhile)
    run(path, "export", "--out", tmp_path / "out")
    assert pq.read_table(tmp_path / "out" / "responses.parquet").num_rows == 100
    assert sum(pq.read_table(tmp_path / "out" / "spending.parquet")["calls"].to_pylist()) == 100


def test_an_empty_store_exports_empty_tables(tmp_path):
    ResponseStore(tmp_path / "s.sqlite").close()
    run(tmp_path / "s.sqlite", "export", "--out", tmp_path)
    assert pq.read_table(tmp_path / "responses.parquet").num_rows == 0


def test_a_damaged_row_is_not_exported(path, tmp_path):
    overwrite(path, path.read_bytes().index(b"reply 5"), b"R")
    assert "is not what was stored; run `python" in run(path, "export", "--out", tmp_path / "out", status=1)
    assert not list((tmp_path / "out").glob("*"))


def test_prune_shows_then_deletes_and_spending_stays(path):
    shown = run(path, "prune", "--model", "a", "--task", "respond")
    assert "a, respond: 35 rows, 245 prompt and 1,225 completion tokens" in shown
    assert "would delete 35 rows" in shown
    assert query(path, "select count(*) from responses") == [(100,)]
    size = path.stat().st_size
    assert "deleted 35 rows" in run(path, "prune", "--model", "a", "--task", "respond", "--yes")
    assert query(path, "select count(*) from responses where model = 'a' and task = 'respond'") == [(0,)]
    assert path.stat().st_size < size
    with ResponseStore(path) as store:
        assert len(store) == 65
        assert store.spent("a") == Spent(70, 490, 2485)
    assert run(path, "verify").endswith("65 rows read, all of them sound\n")
    assert "no such rows" in run(path, "prune", "--task", "respond", "--model", "a", "--yes")


def test_prune_by_date_takes_what_is_older(path):
    older = "update responses set created = '2020-01-02T00:00:00.000Z' where key < 'key-00010'"
    with ResponseStore(path) as store:
        store._reader.execute(older)
    assert "no such rows" in run(path, "prune", "--before", "2020-01-02", "--yes")  # the day itself stays
    assert "deleted 10 rows" in run(path, "prune", "--before", "2020-01-02T00:00:01", "--yes")


def test_prune_of_everything_is_refused(path):
    assert "say which rows" in run(path, "prune", "--yes", status=1)


def test_prune_waits_for_no_one_who_has_the_store_open(path, monkeypatch):
    monkeypatch.setattr(store_reports, "ALONE_S", 0.1)
    script = "import sys; from pathlib import Path; from stages.teacher.store import ResponseStore\n"
    script += "with ResponseStore(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=-1, stdout=-1, text=True)
    assert other.stdout.readline() == "open\n"
    assert "another process holds it" in run(path, "prune", "--model", "a", "--yes", status=1)
    other.communicate(timeout=20)
    assert query(path, "select count(*) from responses") == [(100,)]
    assert "deleted 70 rows" in run(path, "prune", "--model", "a", "--yes")
