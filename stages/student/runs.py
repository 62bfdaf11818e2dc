"""The training runs of a cell: one per token budget and training seed, and what is kept of each."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from stages.errors import BadInput
from stages.records import TrainingLog
from stages.student.config import Train
from stages.student.encoding import Rows


class Job(NamedTuple):
    """One model to train."""

    seed: int
    tokens: int | None = None  # training tokens to show; None leaves it to `train.steps`

    def __str__(self) -> str:
        return str(self.seed) if self.tokens is None else f"{self.seed} at {self.tokens} tokens"

    @property
    def folder(self) -> str:
        """Return the name of its model's folder inside the cell's."""
        return f"seed-{self.seed}" if self.tokens is None else f"tokens-{self.tokens}-seed-{self.seed}"


class Run(NamedTuple):
    """What one training run did."""

    seed: int
    tokens_budget: int | None  # training tokens asked for; None where the number of steps was given
    steps: int
    rows: int  # shown, with repetitions
    tokens: int  # shown, prompts included, padding not
    completion_tokens: int  # that carried loss
    first_loss: float  # nats per completion token, mean over the first tenth of the steps
    final_loss: float  # nats per completion token, mean over the last tenth of the steps


class Point(NamedTuple):
    """One logged step."""

    step: int  # optimizer steps done
    tokens: int  # shown so far, prompts included, padding not
    loss: float | None  # nats per completion token, mean over the steps since the point before
    learning_rate: float  # of the step just done
    accuracy: float | None  # share of the probe's items, 0 … 1


class Trained(NamedTuple):
    """One run, its course and the size of its model."""

    run: Run
    points: list[Point]
    size: dict[str, int]  # see `modelling.sizes`

    @property
    def job(self) -> Job:
        """Return what was asked for."""
        return Job(self.run.seed, self.run.tokens_budget)


def jobs(tokens: Sequence[int], config: Train, rows: Rows) -> list[Job]:
    """Return the models to train, budget by budget, and within a budget seed by seed.

    Args:
        tokens: budgets of training tokens; empty leaves it to `train.steps`.
        config: seeds and batch.
        rows: training set.

    Raises:
        BadInput: a budget is not positive, is given twice, or may be smaller than one step.
    """
    step = config.batch * int(rows.lengths.max(initial=0))
    for budget, count in Counter(tokens).items():
        if budget < 1:
            raise BadInput(f"token budget {budget}: not a positive number of tokens; correct --tokens")
        if count > 1:
            raise BadInput(f"token budget {budget}: given {count} times; give --tokens {budget} once")
        if budget < step:
            raise BadInput(
                f"token budget {budget}: smaller than a batch of {config.batch} rows, which takes up to "
                f"{step} tokens; raise --tokens or lower `train.batch`"
            )
    return every_job(tokens, config)


def every_job(tokens: Sequence[int], config: Train) -> list[Job]:
    """Return what `jobs` does, whatever the training set."""
    return [Job(seed, budget) for budget in (tokens or (None,)) for seed in config.seeds]


def longest_first(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs with large budgets first, so that no core ends on a long one while the others wait."""
    return sorted(jobs, key=lambda job: -(job.tokens or 0))


def summary(student: str, rows: Rows, trained: Sequence[Trained]) -> dict[str, Any]:
    """Return what is kept beside a cell's models: coordinates, data, size and what each run did."""
    return {
        "student": student,
        **rows.cell,
        "rows": len(rows),
        "questions": int(rows.questions.max(initial=-1)) + 1,
        "truncated_rows": rows.truncated,
        "size": trained[0].size if trained else None,
        "runs": [one.run._asdict() for one in trained],
    }


def log(student: str, rows: Rows, trained: Sequence[Trained]) -> list[TrainingLog]:
    """Return the logged steps of every run of a cell."""
    return [
        TrainingLog(
            student=student,
            **rows.cell,
            tokens_budget=one.run.tokens_budget,
            seed=one.run.seed,
            **point._asdict(),
        )
        for one in trained
        for point in one.points
    ]
