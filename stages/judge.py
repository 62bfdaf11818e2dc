"""Grade one cell's answers to SimpleQA as published: a judge says correct, incorrect or not attempted."""

from pathlib import Path
from typing import Any

import click
from pydantic import Field

from stages import benchmarks, files, judging, params
from stages.benchmarks.reading import read
from stages.errors import BadInput
from stages.grid import PLAIN
from stages.judging import asking, figures
from stages.progress import Progress
from stages.records import Article, ItemScore, Judged
from stages.tables.figures import number
from stages.teacher import client, prompts_judging
from stages.teacher.store import ResponseStore, default_path

READ = click.Path(exists=True, path_type=Path)


class Params(params.Section):
    """What this verb reads of params.yaml."""

    benchmarks: benchmarks.Config
    judge: judging.Config
    teacher: client.Config
    teachers: dict[str, dict[str, Any]] = Field(default_factory=dict)


@click.command()
@click.option("--scores", type=READ, required=True, help="Scores of a cell, Parquet, from score.")
@click.option("--articles", type=READ, help="Articles, Parquet, whose names the embedded teacher knows.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Parquet, one grade a row.")
@click.option("--metrics", type=click.Path(path_type=Path), required=True, help="JSON of shares and F1.")
def main(scores: Path, articles: Path | None, out: Path, metrics: Path) -> None:
    """Ask the judge about every answer that is not empty; measure F1 and what it rests on."""
    p = params.load(Params)
    name = p.judge.teacher or PLAIN.teacher
    config = client.named(p.teacher, p.teachers, name)
    simulated = config.backend == "embedded"
    if simulated and p.judge.template:
        raise BadInput("judge.template: the embedded teacher reads its own prompt alone; set it to null")
    if simulated and not articles:
        raise BadInput(f"judge: the embedded teacher '{name}' needs --articles")
    template = read_template(p.judge.template) if p.judge.template else None
    folder = p.benchmarks.folder
    items = read({one: folder / one for one in judging.BENCHMARKS if (folder / one).is_dir()})
    answers = asking.answers(files.read_parquet(scores, ItemScore), items, str(scores))
    requests = [asking.request(answer, template) for answer in answers]
    corpus = files.read_parquet(articles, Article) if simulated and articles else None
    with ResponseStore(default_path()) as store:
        asked = [one for one in requests if one]
        outcomes = client.draw(asked, config, store, corpus, progress=Progress("grades"))
    came = iter(outcomes)
    rows = [
        asking.judged(answer, next(came) if one else None, name)
        for answer, one in zip(answers, requests, strict=True)
    ]
    found = figures.figures(rows)
    files.write_parquet(out, rows, Judged)
    told = {"teacher": name, "model": config.model, "simulator": simulated, "level": figures.LEVEL}
    files.write_json(metrics, {"judge": told, **found})
    of_each = ", ".join(f"{one} F1 {number(entry['f1']['value'])}" for one, entry in found.items())
    click.echo(f"{out}: {len(rows)} answers, {of_each}; {client.tally(outcomes)}")


def read_template(path: Path) -> str:
    """Read a grader's prompt.

    Args:
        path: of its text, UTF-8.

    Raises:
        BadInput: it cannot be read, or lacks a place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{path}: not readable: {error}; set judge.template to a text file, or to null"
        ) from error
    return prompts_judging.checked(text, str(path))


if __name__ == "__main__":
    main()
