"""A world of places in a box: statements spell their own place, and a teacher writes where it is told."""

from collections.abc import Sequence

import numpy as np

from stages.grid import Target
from stages.records import Article, SynthesizedQuestion
from stages.synthesis import Config, planning, steering
from stages.synthesis.candidates import Candidate, Candidates

K = 5
UNIFORM = Target("uniform", None)
_SETTINGS = {
    "questions": 60,
    "tolerance": 0.12,
    "level_tolerance": 0.02,
    "rounds": 12,
    "orders": 40,
    "max_calls": None,
    "max_cost": None,
    "detailed": True,
    "near_copy": 0.6,
    "densities": None,
    "ratios": None,
}


def settings(**changes: object) -> Config:
    return Config(**(_SETTINGS | changes))


def spelled(place: np.ndarray) -> str:
    return " ".join(f"{x:.9f}" for x in place)


def place(texts: Sequence[str]) -> steering.Places:
    """Return each statement's place; the group is its quarter by the first two coordinates."""
    found = {text: np.array([float(x) for x in text.split()]) for text in texts}
    return {text: (x, int(x[0] > 0.5) + 2 * int(x[1] > 0.5)) for text, x in found.items()}


def asked(centres: np.ndarray, seed: int = 0, spread: float = 0.02) -> list[Candidate]:
    """Return one question per centre (n × d), page i, with three points around it, the first at it."""
    rng = np.random.default_rng(seed)
    rows = []
    for i, centre in enumerate(centres):
        around = [centre, *(np.clip(centre + rng.normal(size=(2, len(centre))) * spread, 0, 1))]
        points = tuple(spelled(x) for x in around)
        rows.append(Candidate(f"q{i:04}", 0, f"What is {i}?", "it", (), f"T{i}", i, i, points))
    return rows


def crowded(n: int, d: int, seed: int = 0) -> list[Candidate]:
    """Return a source of which most lies in one corner of the box, and some anywhere."""
    rng = np.random.default_rng(seed)
    corner = rng.random((n, d)) * np.where(rng.random((n, 1)) < 0.8, 0.5, 1.0)
    return asked(corner, seed)


def even(n: int, d: int, seed: int = 0) -> list[Candidate]:
    """Return a source that lies everywhere in the box alike, each point on its own."""
    anywhere = np.random.default_rng(seed).random((n, 3, d))
    return [
        row._replace(points=tuple(spelled(x) for x in places))
        for row, places in zip(asked(anywhere[:, 0]), anywhere, strict=True)
    ]


def held(rows: Sequence[Candidate], k: int = K) -> Candidates:
    return Candidates(k, rows, place([text for row in rows for text in row.points]))


def pages(rows: Sequence[Candidate]) -> list[Article]:
    """Return the page of each question, its theme being the group of the question's first point."""
    group = place([row.points[0] for row in rows])
    return [
        Article(
            page_id=row.page_id,
            revision_id=row.page_id,
            timestamp="",
            title=row.title,
            aliases=[],
            text="",
            facts=[],
            categories=["World", f"Quarter {group[row.points[0]][1]}"],
        )
        for row in {row.page_id: row for row in rows}.values()
    ]


class Teacher:
    """Writes a question around the place it is told to, or far from it where it reads a second article.

    Args:
        reason: of what it writes: "valid", or the check that all of it fails.
        cost: of a question, USD.
        spread: of what it writes around an anchor.
    """

    def __init__(self, reason: str = "valid", cost: float | None = 0.01, spread: float = 0.15) -> None:
        self.reason, self.cost, self.spread = reason, cost, spread
        self.orders: list[planning.Order] = []

    def __call__(self, orders: list[planning.Order], number: int) -> list[SynthesizedQuestion]:
        self.orders += orders
        return [self._row(order, number) for order in orders]

    def _row(self, order: planning.Order, number: int) -> SynthesizedQuestion:
        rng = np.random.default_rng(order.serial)
        anchor = np.array([float(x) for x in order.sources[0][1].split()])
        centre = anchor if len(order.articles) == 1 else rng.random(len(anchor))
        around = np.clip(centre + rng.normal(size=(3, len(anchor))) * self.spread, 0, 1)
        return SynthesizedQuestion(
            strategy="uniform",
            density=None,
            question_id=f"s{order.serial:05}",
            round=number,
            group=order.group,
            sources=[order.sources[0][0]],
            question=f"Which {order.serial}?",
            answer="it",
            answer_aliases=[],
            evidence="",
            distractors=[],
            points=[spelled(x) for x in around],
            logic_form="",
            title=order.articles[0].title,
            page_id=order.articles[0].page_id,
            revision_id=1,
            verdict="valid" if self.reason == "valid" else "logic_error",
            reason=self.reason,
            in_pool=False,
            truth=None,
            calls=3,
            prompt_tokens=1,
            completion_tokens=1,
            cost_usd=self.cost,
            request_key="",
        )


def steer(
    target: Target, rows: Sequence[Candidate], teacher: Teacher | None = None, **changes: object
) -> steering.Steered:
    library = planning.Library(pages(rows), [row.page_id for row in rows])
    given = steering.Sources(library, place, teacher or Teacher())
    return steering.steer(target, rows, given, settings(**changes), K, seed=0)
