"""Pools of questions about the small world, and ledgers of the embedded teacher's real draws."""

from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from small_world import lands, settle

from stages import files, respond
from stages.records import PoolQuestion, Response
from stages.teacher import phrasing


def pool(count: int, facts: int = 5) -> list[PoolQuestion]:
    """Return a question about each of the first `facts` facts of `count` lands; no price, no level."""
    asked = [(land, fact) for land in lands(count) for fact in land.facts[:facts]]
    return [
        PoolQuestion(
            strategy="random",
            density=None,
            question_id=f"q{rank:03}",
            rank=rank,
            round=0,
            question=phrasing.questions(fact.name, land.title)[0],
            answer=fact.value,
            answer_aliases=[],
            title=land.title,
            page_id=land.page_id,
            revision_id=land.revision_id,
            log10_density=None,
            acceptance=1.0,
            group=0,
        )
        for rank, (land, fact) in enumerate(asked)
    ]


def settle_pools(folder: Path) -> None:
    """Put the small world and two pools, of 20 and of 150 questions, into `folder`."""
    settle(folder)
    files.write_parquet(folder / "pool.parquet", pool(20, facts=1), PoolQuestion)
    files.write_parquet(folder / "many.parquet", pool(30), PoolQuestion)


def run(verb: Any, options: str) -> Result:
    """Run a verb here."""
    return CliRunner().invoke(verb.main, options.split())


def draw(protocol: str, budget: int, of: str = "pool", more: str = "") -> tuple[list[Response], str]:
    """Return the ledger OF-PROTOCOL-BUDGET.parquet, drawn here, and what the verb said."""
    name = f"{of}-{protocol}-{budget}"
    options = f"--pool {of}.parquet --articles articles --protocol {protocol} --budget {budget}"
    result = run(respond, f"{options} --out {name}.parquet --metrics m.json{more}")
    assert result.exit_code == 0, result.output
    return files.read_parquet(Path(f"{name}.parquet"), Response), result.output


def one_by_one(rows: list[Response], stops: int, cap: int) -> list[Response]:
    """Return what drawing one by one, until `stops` are accepted, makes of a ledger that goes further."""
    kept, accepted = [], dict.fromkeys((row.question_id for row in rows), 0)
    for row in rows:  # by question, then by rollout
        if row.rollout < cap and accepted[row.question_id] < stops:
            kept.append(row.model_copy(update={"protocol": f"until_accepted_{stops}"}))
            accepted[row.question_id] += row.accepted
    return kept
