"""Following a chain: each link is looked up by the keys of the one before."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import Field

from stages import params, protocols, questions
from stages.errors import BadInput
from stages.records import (
    Article,
    Knowledge,
    KnowledgePoint,
    PoolQuestion,
    Record,
    Response,
    SeedQuestion,
    SynthesizedQuestion,
    TrainingExample,
)
from stages.teacher import client, outcomes, prompts
from stages.teacher.store import ResponseStore, Row
from stages.tracing import chain, reading, replaying

R = TypeVar("R", bound=Record)
SECOND = "+1"  # ends the id of a question that `question_synthesis` proposed


class Settings(params.Section):
    """What of params.yaml decides a request."""

    seed: int
    teacher: client.Config
    teachers: dict[str, dict[str, object]] = Field(default_factory=dict)
    ask: questions.Config | None = None
    problems: str | None = None


class Asked(NamedTuple):
    """What is known of a request beside its key; `prompt` is None where it cannot be made again."""

    settings: Settings | None  # of the graph that it was sent for
    prompt: prompts.Prompt | None
    teacher: str = "teacher"  # name of its section
    rollout: int = 0
    temperature: float | None = None  # None: the teacher's


def settings_above(path: Path) -> Settings | None:
    """Return the settings of the graph that a file is of; None where no folder above it has a params.yaml."""
    written = reading.nearest(path, "params.yaml")
    return params.load(Settings, written) if written else None


def problems_above(path: Path) -> tuple[Path, ...]:
    """Return where the settings of the graph that a file is of say that its problems are."""
    written, settings = reading.nearest(path, "params.yaml"), settings_above(path)
    return (
        (reading.shown(written.parent / settings.problems),)
        if written and settings and settings.problems
        else ()
    )


class Places(NamedTuple):
    """Where the graph's files are; None: neither given nor found."""

    responses: Path | None
    pool: Path | None
    questions: Path | None
    knowledge: Path | None
    synthesis: Path | None
    articles: Path | None
    problems: tuple[Path, ...]


class Library:
    """The files of one graph and its response stores, open.

    Args:
        places: of the files.
        stores: the first that has a key counts.
    """

    def __init__(self, places: Places, stores: Iterable[ResponseStore]) -> None:
        self.places, self.stores = places, list(stores)
        self._read: dict[Path, Settings | None] = {}

    def trace(self, path: Path, row: str) -> chain.Chain:
        """Follow a training set's row back to its article or problem.

        Args:
            path: of the set, Parquet.
            row: its index, or QUESTION_ID:ROLLOUT.

        Raises:
            BadInput: no such row; a link is missing: the files are of different runs, or one was not found.
        """
        index, example = reading.example(path, row)
        pool_file, pooled = self._pooled(example)
        return chain.Chain(
            file=str(path),
            index=index,
            example=example,
            response=self._response(example, pooled),
            pool=chain.Pooled(file=str(pool_file), row=pooled),
            origin=self._origin(pooled),
        )

    def _pooled(self, example: TrainingExample) -> tuple[Path, PoolQuestion]:
        found = reading.rows(
            _given(self.places.pool, "pool"),
            PoolQuestion,
            "synthesize",
            strategy=example.strategy,
            density=example.density,
            question_id=example.question_id.removesuffix(SECOND),
        )
        return _one(found, f"question {example.question_id} of {_target(example)}", "pool")

    def _response(self, example: TrainingExample, pooled: PoolQuestion) -> chain.Step:
        protocol = protocols.parse(protocols.parse(example.protocol).ledger)
        found = list(
            reading.rows(
                _given(self.places.responses, "responses"),
                Response,
                "respond",
                strategy=example.strategy,
                density=example.density,
                teacher=example.teacher,
                protocol=protocol.name,
                question_id=pooled.question_id,
            )
        )

        def call(rollout: int) -> tuple[Path, Response]:
            asked = f"call {rollout} of {example.teacher}, {protocol.name}, about {pooled.question_id}"
            return _one([(f, row) for f, row in found if row.rollout == rollout], asked, "responses")

        def step(rollout: int) -> chain.Step:
            file, row = call(rollout)
            needs = protocol.needs(rollout)
            earlier = [call(i)[1] for i in needs]
            prompt = replaying.call(protocol, pooled, rollout, earlier)
            # A call that had nothing to be made of drew an answer to the pool's question anew.
            shown = needs if row.step != "answer" or row.question != pooled.question else ()
            spent = row.prompt_tokens + row.completion_tokens
            asked = Asked(self._settings(file), prompt, row.teacher, rollout)
            request = self._sent(row.request_key, asked, spent, row.cost_usd)
            return chain.Step(ledger=str(file), row=row, request=request, made_of=[step(i) for i in shown])

        return step(example.rollout)

    def _origin(self, pooled: PoolQuestion) -> chain.Origin:
        if pooled.domain != "knowledge":
            return self._problem(pooled.question_id)
        return self._written(pooled, pooled.question_id, pooled.round > 0)

    def _problem(self, problem_id: str) -> chain.Origin:
        for path in self.places.problems:
            found = reading.problem(path, problem_id)
            if found:
                file, place, row = found
                return chain.Origin(
                    kind="problem",
                    file=str(file),
                    place=place,
                    question_id=problem_id,
                    question=row.question,
                    answer=row.answer,
                )
        given = ", ".join(map(str, self.places.problems)) or "no file of problems"
        raise BadInput(f"{given}: no problem {problem_id}; pass --problems with the file that holds it")

    def _written(self, pooled: PoolQuestion, question_id: str, synthesized: bool) -> chain.Origin:
        """Return the origin of a question of knowledge: of the pool, or one that such a question rests on."""
        if synthesized:
            found = list(self._samples(pooled, question_id))
            row = _one(found, f"question {question_id} of {_target(pooled)}", "synthesis")
            return self._synthesized(pooled, *row)
        source = _given(self.places.questions, "questions")
        seeds = reading.rows(source, SeedQuestion, "ask", "questions.parquet", question_id=question_id)
        return self._seed(*_one(seeds, f"seed question {question_id}", "questions"))

    def _samples(self, pooled: PoolQuestion, question_id: str) -> Iterable[tuple[Path, SynthesizedQuestion]]:
        return reading.rows(
            _given(self.places.synthesis, "synthesis"),
            SynthesizedQuestion,
            "synthesize",
            "samples.parquet",
            strategy=pooled.strategy,
            density=pooled.density,
            question_id=question_id,
        )

    def _synthesized(self, pooled: PoolQuestion, file: Path, row: SynthesizedQuestion) -> chain.Origin:
        groups = self._groups(file.with_name("points.parquet"), row.question_id)
        page_file, article = self._article(row.page_id, row.revision_id)
        sources = [
            self._written(pooled, source, any(self._samples(pooled, source))) for source in row.sources
        ]
        return chain.Origin(
            kind="synthesized_question",
            file=str(file),
            question_id=row.question_id,
            question=row.question,
            answer=row.answer,
            evidence=row.evidence,
            request=self._sent(row.request_key, Asked(self._settings(file), None)),
            calls=row.calls,
            points=[chain.Point(text=text, group=groups.get(text)) for text in row.points],
            page=_page(page_file, article),
            sources=sources,
        )

    def _seed(self, file: Path, row: SeedQuestion) -> chain.Origin:
        page_file, article = self._article(row.page_id, row.revision_id)
        settings = self._settings(file)
        ask = settings.ask if settings else None
        asked = Asked(settings, replaying.seed_question(article, ask.per_article) if ask else None)
        annotation, points = None, []
        known = self.places.knowledge
        if known:
            name = "questions.parquet"
            for _, told in reading.rows(known, Knowledge, "annotate", name, question_id=row.question_id):
                prompt = replaying.annotation(row, article)
                annotation = self._sent(
                    told.request_key, Asked(self._settings(known), prompt, temperature=0.0)
                )
                groups = self._groups(known / "points.parquet", row.question_id)
                points = [chain.Point(text=text, group=groups.get(text)) for text in told.points]
        return chain.Origin(
            kind="seed_question",
            file=str(file),
            question_id=row.question_id,
            question=row.question,
            answer=row.answer,
            evidence=row.evidence,
            request=self._sent(row.request_key, asked),
            annotation=annotation,
            points=points,
            page=_page(page_file, article),
        )

    def _groups(self, path: Path, question_id: str) -> dict[str, int]:
        if not path.is_file():
            return {}
        found = reading.rows(path, KnowledgePoint, "annotate", question_id=question_id)
        return {point.text: point.group for _, point in found}

    def _article(self, page_id: int, revision_id: int) -> tuple[Path, Article]:
        path = _given(self.places.articles, "articles")
        found = reading.rows(path, Article, "extract", page_id=page_id, revision_id=revision_id)
        return _one(found, f"article {page_id} at revision {revision_id}", "articles")

    def _sent(
        self, key: str, asked: Asked, tokens: int | None = None, cost: float | None = None
    ) -> chain.Sent:
        """Return a request, with what the stores have of it and its first reply's key made again.

        Args:
            key: that a record names.
            asked: for the first reply's key.
            tokens: of the whole draw, as a record has them; None where none has.
            cost: likewise, USD.
        """
        row, store = self._stored(key)
        config = _config(asked)
        # The simulator's full id depends on all that it has read; the store's row tells it.
        model = row.model if row else config.model if config and config.backend != "embedded" else None
        expected = None
        if asked.prompt and config and model and asked.settings:
            teacher = replaying.Teacher(model, config.temperature, config.max_tokens, asked.settings.seed)
            expected = teacher.key(asked.prompt, asked.rollout, asked.temperature)
        first = self._stored(expected)[0] if expected and expected != key else None
        price = outcomes.cost(row, config.price) if row and config else None
        return chain.sent(
            chain.Draw(key, expected, tokens, cost), row, store, expected_stored=bool(first), price=price
        )

    def _settings(self, path: Path) -> Settings | None:
        if path not in self._read:
            self._read[path] = settings_above(path)
        return self._read[path]

    def _stored(self, key: str) -> tuple[Row | None, str]:
        for store in self.stores:
            row = store.get([key]).get(key)
            if row:
                return row, str(store.path)
        return None, ""


def _config(asked: Asked) -> client.Config | None:
    settings, name = asked.settings, asked.teacher
    if settings is None or (name != "teacher" and name not in settings.teachers):
        return None
    return client.named(settings.teacher, settings.teachers, name)


def _given(path: Path | None, option: str) -> Path:
    if path is None:
        folder = "pools" if option == "pool" else option
        raise BadInput(f"no datasets/{folder} in a folder above the set; pass --{option}")
    return path


def _one(found: Iterable[tuple[Path, R]], what: str, option: str) -> tuple[Path, R]:
    """Return the one row that was found; the same row in several files is one."""
    rows = list(found)
    if not rows:
        raise BadInput(f"no {what} in the files of --{option}; pass those that the set was made of")
    others = [file for file, row in rows if row != rows[0][1]]
    if others:
        raise BadInput(f"{rows[0][0]} and {others[0]} both have {what}, and differ; pass one as --{option}")
    return rows[0]


def _target(row: TrainingExample | PoolQuestion) -> str:
    return row.strategy if row.density is None else f"{row.density} dex"


def _page(file: Path, article: Article) -> chain.Page:
    return chain.Page(
        file=str(file),
        title=article.title,
        page_id=article.page_id,
        revision_id=article.revision_id,
        timestamp=article.timestamp,
    )
