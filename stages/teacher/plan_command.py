"""`python -m stages.teacher plan`: what the stages of this graph would buy, before they buy it."""

import json
import shlex
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import click

from stages import files
from stages.errors import BadInput
from stages.teacher import planning
from stages.teacher.outcomes import amount
from stages.teacher.planning import Bill, Estimate, Look
from stages.teacher.store import ResponseStore, default_path

VERBS = ("ask", "annotate", "synthesize", "respond", "judge")  # that call the teacher


class Stage(NamedTuple):
    """A stage that calls the teacher."""

    name: str
    verb: str
    arguments: list[str]
    before: frozenset[str]  # the stages of this kind that its inputs come from, near and far


class Planned(NamedTuple):
    """What a stage would buy."""

    stage: str
    looks: list[Look]
    note: str  # why it may be more, or cannot be said


def stages() -> list[Stage]:
    """Return the stages of this folder's graph that call the teacher, those first that others need.

    Raises:
        BadInput: no graph here, or DVC cannot read it.
    """
    import networkx
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            graph = repo.index.graph
            order = list(reversed(list(networkx.topological_sort(graph))))
            own = [s for s in order if Path(s.wdir).resolve() == Path.cwd().resolve() and _verb(s.cmd)]
            names = {stage: stage.addressing for stage in own}
            return [
                Stage(
                    names[stage],
                    _verb(stage.cmd),
                    shlex.split(stage.cmd)[3:],
                    frozenset(names[s] for s in networkx.descendants(graph, stage) if s in names),
                )
                for stage in own
            ]
    except DvcException as error:
        raise BadInput(f"dvc.yaml: {' '.join(str(error).split())}") from error


def _verb(command: str | None) -> str:
    """Return the verb of a stage's command if it calls the teacher, else nothing."""
    words = shlex.split(command or "")
    verb = words[2].removeprefix("stages.") if words[:2] == ["python", "-m"] and len(words) > 2 else ""
    return verb if verb in VERBS else ""


def look(stage: Stage, lacking: frozenset[str]) -> Planned:
    """Run a stage's verb up to the first requests that the store lacks.

    Args:
        stage: to be looked at.
        lacking: stages before it that will buy something, so that its inputs will be others.
    """
    main = import_module(f"stages.{stage.verb}").main
    changed = ", ".join(sorted(lacking & stage.before))
    note = f"of its inputs as they are; {changed} will change them" if changed else ""
    with planning.looking() as looks:
        try:
            main(list(stage.arguments), standalone_mode=False)
        except planning.Unbought:
            note = note or ("" if _alone(stage) else "at least; what follows depends on these replies")
        except files.Unwritten:
            pass
        except click.ClickException as error:
            note = f"cannot be said: {error.format_message()}"
    return Planned(stage.name, looks, note)


def _alone(stage: Stage) -> bool:
    """Return whether all that a stage asks is asked at once."""
    if stage.verb in ("ask", "annotate", "judge"):
        return True
    if stage.verb == "synthesize":
        return False
    from stages import protocols

    named = dict(zip(stage.arguments, stage.arguments[1:], strict=False)).get("--protocol")
    protocol = protocols.parse(named) if named else None
    return protocol is None or (protocol.stops is None and not any(protocol.needs(i) for i in range(16)))


@click.command()
@click.option("--stage", "only", multiple=True, help="A stage, NAME or NAME@CELL; repeat it. All by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def plan(only: tuple[str, ...], as_json: bool) -> None:
    """Say what the stages of this folder's graph would buy: calls, tokens, cost and time, with intervals."""
    known = stages()
    chosen = [s for s in known if not only or s.name in only or s.name.split("@")[0] in only]
    if not chosen:
        names = ", ".join(dict.fromkeys(s.name.split("@")[0] for s in known))
        raise BadInput(
            f"--stage {', '.join(only) or 'all'}: no such stage calls the teacher; there are: {names}"
        )
    rows, lacking = [], frozenset[str]()
    for number, stage in enumerate(chosen, 1):
        click.echo(f"[{number} of {len(chosen)}] {stage.name}", err=True)
        planned = look(stage, lacking)
        rows.append(planned)
        if any(found.missing for found in planned.looks) or planned.note:
            lacking |= {stage.name}
    click.echo(json.dumps(_document(rows), indent=2) if as_json else _table(rows))


def _document(rows: list[Planned]) -> dict[str, Any]:
    """Return the plan as plain columns."""
    with ResponseStore(default_path()) as store:
        measured = cache(store.measured)  # of each model and kind: it reads all their rows
        found = [
            (planned, [planning.bill(one, measured(one.model, one.task)) for one in planned.looks])
            for planned in rows
        ]
        spent = _spent(rows, store)
    bills = [one for _, many in found for one in many]
    return {
        "level": planning.LEVEL,
        "stages": [
            {
                "stage": planned.stage,
                "requests": sum(one.requests for one in planned.looks),
                **_sums(many),
                "note": planned.note,
            }
            for planned, many in found
        ],
        "total": _sums(bills),
        "spent": spent,
    }


def _sums(bills: list[Bill]) -> dict[str, Any]:
    parts = {
        "prompt_tokens": planning.total([one.prompt_tokens for one in bills]),
        "completion_tokens": planning.total([one.completion_tokens for one in bills]),
        "usd": planning.total([one.usd for one in bills]),
    }
    times = [one.seconds for one in bills if one.calls]
    return {
        "calls": sum(one.calls for one in bills),
        **{name: estimate._asdict() for name, estimate in parts.items()},
        "seconds": None if None in times else sum(x for x in times if x is not None),
    }


def _spent(rows: list[Planned], store: ResponseStore) -> list[dict[str, Any]]:
    """Return what was spent on each model, and what its cap leaves."""
    models = {found.model: found.config for planned in rows for found in planned.looks}
    told = []
    for model, config in models.items():
        spent = store.spent(model)
        usd = amount(spent.prompt_tokens, spent.completion_tokens, config.price)
        left = None if config.max_cost is None or usd is None else config.max_cost - usd
        told.append(
            {"model": model, "calls": spent.calls, "usd": usd, "max_cost": config.max_cost, "left": left}
        )
    return told


def _table(rows: list[Planned]) -> str:
    """Return the plan as Markdown that also reads in a terminal."""
    from stages.tables.grids import Grid, markdown

    told = _document(rows)
    lines = [_line(entry["stage"], entry, entry["note"]) for entry in told["stages"]]
    lines.append(_line("all", told["total"], ""))
    caps = [
        f"{entry['model']}: {entry['usd']:.4f} USD spent in {entry['calls']:,} calls"
        + (f", teacher.max_cost leaves {entry['left']:.4f}" if entry["left"] is not None else "")
        for entry in told["spent"]
        if entry["usd"] is not None
    ]
    return markdown(
        Grid(
            title="What the teacher would be asked",
            head=("stage", "requests", "calls", "tokens in", "tokens out", "USD", "time", "note"),
            rows=lines,
            note=(
                "Calls: distinct requests that the store lacks, exact; a malformed reply costs one call "
                f"more. Tokens and USD: {100 * planning.LEVEL:g} % intervals from the tokens of the replies "
                "of the same model and kind in the store; without such replies, up to max_tokens each. – "
                "where a price or a measure is not known. " + "; ".join(caps)
            ).strip(),
            texts=1,
        )
    )


def _line(name: str, entry: Mapping[str, Any], note: str) -> tuple[str, ...]:
    requests = entry.get("requests")
    return (
        name,
        "" if requests is None else f"{requests:,}",
        f"{entry['calls']:,}",
        _figure(Estimate(**entry["prompt_tokens"]), ",.0f"),
        _figure(Estimate(**entry["completion_tokens"]), ",.0f"),
        _figure(Estimate(**entry["usd"]), ".4g"),
        _duration(entry["seconds"]),
        note,
    )


def _figure(estimate: Estimate, form: str) -> str:
    value, low, high = estimate
    if value is None:
        return "–" if high is None else f"at most {high:{form}}"
    return f"{value:{form}}" if low == high else f"{value:{form}} [{low:{form}}, {high:{form}}]"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds:,.0f} s" if seconds < 600 else f"{seconds / 60:,.0f} min"
