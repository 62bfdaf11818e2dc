"""The teacher's one client: draws replies, each paid for once, in order, from any backend."""

import asyncio
import difflib
import operator
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from stages import params
from stages.errors import BadInput
from stages.records import Article, SeedProblem
from stages.teacher import prompts, wire
from stages.teacher.competence import Embedded
from stages.teacher.store import ResponseStore, Row

if TYPE_CHECKING:
    from stages.teacher.endpoint import Endpoint
    from stages.teacher.simulator import Prepared

LOOKAHEAD = 256  # requests looked up in the store at once, ahead of those being sent
JUDGED = 20  # replies before their share of malformed ones means anything
GRACE_S = 5.0  # after a fault, time for replies in flight to come in and be kept: they are paid for


class Price(params.Section):
    """What the teacher charges; null where it is not known, then every cost is null too."""

    input: float | None = Field(ge=0)  # USD per million prompt tokens
    output: float | None = Field(ge=0)  # USD per million completion tokens


class Config(params.Section):
    """The teacher: which one, how it is sampled, how hard it may be worked."""

    backend: Literal["embedded", "openai"]  # the simulator in process, or any OpenAI-compatible URL
    model: str = Field(min_length=1)
    base_url: str | None  # of the API for backend openai; null is OpenAI's own
    api_key_env: str = Field(min_length=1)  # name of the environment variable with the key (backend openai)
    temperature: float = Field(ge=0, le=2)
    max_tokens: int = Field(ge=1)  # per reply
    concurrency: int = Field(ge=1)  # requests in flight
    timeout: float = Field(gt=0)  # seconds for one reply
    retries: int = Field(ge=0)  # after 429, 5xx, lost connections and garbled bodies
    max_malformed: float = Field(ge=0, le=1)  # share of replies still malformed after repair
    price: Price
    embedded: Embedded


class _Others(params.Section):
    teachers: dict[str, Config]


def named(config: Config, others: Mapping[str, Mapping[str, Any]], name: str) -> Config:
    """Return the settings of one of several teachers.

    Args:
        config: the section `teacher`.
        others: the section `teachers`: by name, the settings in which each differs from `config`; of `price`
            and `embedded` too, only what differs.
        name: "teacher", or a name of `others`.

    Raises:
        BadInput: no teacher of this name; a setting that is unknown or out of range.
    """
    if name == "teacher":
        return config
    if name not in others:
        (close,) = difflib.get_close_matches(name, ["teacher", *others], n=1, cutoff=0.0)
        raise BadInput(f"params.yaml: setting 'teachers.{name}' is missing; did you mean '{close}'?")
    try:
        merged = _merged(config.model_dump(), others[name])
        return _Others.model_validate({"teachers": {name: merged}}).teachers[name]
    except ValidationError as error:
        raise BadInput(f"params.yaml: {params.explain(error, _Others)}") from error


def _merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    nested = {
        key: _merged(settings[key], value)
        for key, value in changes.items()
        if isinstance(value, Mapping) and isinstance(settings.get(key), Mapping)
    }
    return {**settings, **changes, **nested}


class Request(NamedTuple):
    """One draw: a prompt, which of its rollouts, and how it is sampled (None: as the config says)."""

    prompt: prompts.Prompt
    rollout: int = 0
    temperature: float | None = None
    seed: int = 0


class Outcome(NamedTuple):
    """What came of one request.

    Tokens and cost are those of the whole draw, repair included, whenever it was paid; `calls` and `paid_usd`
    are what this run added.
    """

    key: str  # of the request whose reply this is: the repair's where there was one
    reply: prompts.Reply | None  # None where it is malformed
    reason: str  # "ok" or the fault's name, see wire.FAULTS
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    cached: bool  # nothing was sent: all of it was in the store
    repaired: bool  # a second reply was asked for
    calls: int
    paid_usd: float | None


class Tally(NamedTuple):
    """What a list of outcomes adds up to."""

    draws: int
    cached: int
    calls: int
    repaired: int
    reasons: dict[str, int]  # outcomes per reason, sorted by name
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None  # of all draws, whenever paid
    paid_usd: float | None  # by this run

    def __str__(self) -> str:
        """Say it in one line."""
        line = f"{self.draws:,} draws: {self.cached:,} from the store, {self.calls:,} calls"
        line += f", {self.repaired:,} repaired" if self.repaired else ""
        bad = [f"{n:,} {reason}" for reason, n in self.reasons.items() if reason != wire.OK]
        line += f", malformed: {', '.join(bad)}" if bad else ""
        return line + (f", {self.paid_usd:.2f} USD paid" if self.paid_usd else "")


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """Add up outcomes, for a verb's one line and the ledger's totals."""
    outcomes = list(outcomes)
    return Tally(
        draws=len(outcomes),
        cached=sum(o.cached for o in outcomes),
        calls=sum(o.calls for o in outcomes),
        repaired=sum(o.repaired for o in outcomes),
        reasons=dict(sorted(Counter(o.reason for o in outcomes).items())),
        prompt_tokens=sum(o.prompt_tokens for o in outcomes),
        completion_tokens=sum(o.completion_tokens for o in outcomes),
        cost_usd=_total([o.cost_usd for o in outcomes]),
        paid_usd=_total([o.paid_usd for o in outcomes]),
    )


def draw(
    requests: Iterable[Request],
    config: Config,
    store: ResponseStore,
    articles: Sequence[Article] | None = None,
    problems: Sequence[SeedProblem] = (),
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Draw a reply to each request, from the store where it is there, and return them in input order.

    A reply counts once it is committed to the store. A malformed one gets one repair attempt. The same
    request twice is drawn once.

    Args:
        requests: read as they are needed; a long generator is fine.
        config: which teacher, and how.
        store: where replies are looked up and kept.
        articles: what the simulator has read; only for backend embedded.
        problems: what the simulator can solve; only for backend embedded.
        progress: called with (outcomes so far, requests in all, 0 where not known).

    Raises:
        BadInput: no API key; the teacher cannot be reached or does not speak the protocol; more than
            `max_malformed` of at least 20 outcomes are malformed (in mid-run only where the excess is beyond
            three standard deviations, so that an early streak stops nothing). What was returned is stored.
    """
    return asyncio.run(_Run(config, store, articles, problems, progress).all(requests))


class _Draw(NamedTuple):
    """A request as it is keyed."""

    key: str
    prompt: prompts.Prompt
    sampling: wire.Sampling


_Missing = tuple[_Draw, Row | None]  # a draw to make, and its first reply where only the repair is missing


class _Run:
    """One call of `draw`."""

    def __init__(
        self,
        config: Config,
        store: ResponseStore,
        articles: Sequence[Article] | None,
        problems: Sequence[SeedProblem],
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.config, self.store = config, store
        self.progress = progress or (lambda done, total: None)
        self.model = config.model
        self.simulator: Prepared | None = None
        if config.backend == "embedded":
            from stages.teacher import simulator

            if articles is None and not problems:
                raise ValueError("the embedded teacher needs articles to read, or problems to solve")
            self.simulator = simulator.prepared(articles or (), config.model, config.embedded, problems)
            self.model = self.simulator.model_id
        self.outcomes: dict[int, Outcome] = {}
        self.places: dict[str, int] = {}  # where each key stands first
        self.twins: list[tuple[int, int]] = []  # (a later place, the first place of the same key)
        self.malformed = 0
        self.total = 0
        self.stopping = False
        self._endpoint: Endpoint | None = None

    async def all(self, requests: Iterable[Request]) -> list[Outcome]:
        """Serve every request with `concurrency` workers that share one stream of them."""
        self.total = operator.length_hint(requests, 0)
        stream = self._missing(requests)
        first = next(stream, None)
        if first is not None:
            self._endpoint = self._connect()
            try:
                await self._work([first], stream)
            finally:
                await self._endpoint.close()
        self._check_malformed(final=True)
        for twin, first_place in self.twins:
            self.outcomes[twin] = self.outcomes[first_place]._replace(cached=True, calls=0, paid_usd=0.0)
        if self.twins:
            self.progress(len(self.outcomes), self.total)
        return [self.outcomes[i] for i in range(len(self.outcomes))]

    async def _work(self, pending: list[_Missing], stream: Iterator[_Missing]) -> None:
        async def worker() -> None:
            while not self.stopping:
                missing = pending.pop() if pending else next(stream, None)
                if missing is None:
                    return
                self._settle(missing[0], await self._draw(*missing))

        workers = [asyncio.create_task(worker()) for _ in range(self.config.concurrency)]
        try:
            # Not gather: when it is cancelled it cancels the workers and waits for them, and one whose
            # cancellation a library lost to a reply in the same instant (as asyncio.wait_for does before
            # Python 3.12) would draw on for ever.
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except Exception:
            self.stopping = True
            await asyncio.wait(workers, timeout=GRACE_S)
            raise
        finally:
            self.stopping = True
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    def _missing(self, requests: Iterable[Request]) -> Iterator[_Missing]:
        """Yield the draws that the store cannot serve in full; settle the others on the way."""
        places = enumerate(requests)
        while part := list(islice(places, LOOKAHEAD)):
            draws: list[_Draw] = []
            for i, request in part:
                item = self._begin(request)
                if self.places.setdefault(item.key, i) == i:
                    draws.append(item)
                else:
                    self.twins.append((i, self.places[item.key]))
            rows = self.store.get([item.key for item in draws])
            for item in draws:
                row = rows.get(item.key)
                outcome = self._from_store(item, row)
                if outcome:
                    self._settle(item, outcome)
                else:
                    yield item, row

    def _begin(self, request: Request) -> _Draw:
        config = self.config
        temperature = config.temperature if request.temperature is None else request.temperature
        sampling = wire.Sampling(float(temperature), config.max_tokens, request.seed, request.rollout)
        prompt = request.prompt
        key = wire.request_key(self.model, prompt.messages, prompt.reply, sampling)
        return _Draw(key, prompt, sampling)

    def _from_store(self, item: _Draw, row: Row | None) -> Outcome | None:
        """Return the outcome if the store has all of it."""
        if row is None:
            return None
        completion = wire.read_completion(row.body)
        reply, reason = wire.judge(completion, item.prompt.reply)
        if reason == wire.OK:
            return self._outcome([row], reply, reason, calls=0, paid=[])
        second = self._repair(item, completion, reason)
        repaired = self.store.get([second.key]).get(second.key)
        if repaired is None:
            return None
        reply, reason = wire.judge(wire.read_completion(repaired.body), item.prompt.reply)
        return self._outcome([row, repaired], reply, reason, calls=0, paid=[])

    async def _draw(self, item: _Draw, first: Row | None) -> Outcome:
        """Draw a reply where the store has none, and a second one where the first is malformed."""
        paid: list[Row] = []
        if first is None:
            first, completion = await self._ask(item, paid)
        else:
            completion = wire.read_completion(first.body)
        reply, reason = wire.judge(completion, item.prompt.reply)
        if reason == wire.OK:
            return self._outcome([first], reply, reason, len(paid), paid)
        repaired, completion = await self._ask(self._repair(item, completion, reason), paid)
        reply, reason = wire.judge(completion, item.prompt.reply)
        return self._outcome([first, repaired], reply, reason, len(paid), paid)

    def _repair(self, item: _Draw, completion: wire.Completion, reason: str) -> _Draw:
        messages = wire.repair_messages(item.prompt.messages, completion, reason, item.prompt.reply)
        prompt = prompts.Prompt(messages, item.prompt.reply)
        return _Draw(
            wire.request_key(self.model, messages, prompt.reply, item.sampling), prompt, item.sampling
        )

    async def _ask(self, item: _Draw, paid: list[Row]) -> tuple[Row, wire.Completion]:
        """Send one request, note what came in `paid`, and return what the store then holds for its key."""
        assert self._endpoint is not None
        body = wire.request_body(self.model, item.prompt.messages, item.prompt.reply, item.sampling)
        started = time.perf_counter()
        text, said, request_id = await self._endpoint.complete(body)
        row = Row(
            item.key,
            self.model,
            text,
            said.finish_reason,
            said.prompt_tokens,
            said.completion_tokens,
            round(time.perf_counter() - started, 6),
            request_id,
        )
        kept = await asyncio.wrap_future(self.store.put(row))
        paid.append(row)
        return kept, said if kept is row else wire.read_completion(kept.body)

    def _outcome(
        self, rows: list[Row], reply: prompts.Reply | None, reason: str, calls: int, paid: list[Row]
    ) -> Outcome:
        return Outcome(
            key=rows[-1].key,
            reply=reply,
            reason=reason,
            prompt_tokens=sum(row.prompt_tokens for row in rows),
            completion_tokens=sum(row.completion_tokens for row in rows),
            cost_usd=_total([_cost(row, self.config.price) for row in rows]),
            cached=calls == 0,
            repaired=len(rows) > 1,
            calls=calls,
            paid_usd=_total([_cost(row, self.config.price) for row in paid]),
        )

    def _settle(self, item: _Draw, outcome: Outcome) -> None:
        self.outcomes[self.places[item.key]] = outcome
        self.malformed += outcome.reason != wire.OK
        self.progress(len(self.outcomes), self.total)
        self._check_malformed(final=False)

    def _check_malformed(self, final: bool) -> None:
        done, limit = len(self.outcomes), self.config.max_malformed
        spread = 0.0 if final else 3.0 * (limit * (1.0 - limit) * done) ** 0.5
        if done >= JUDGED and self.malformed > limit * done + spread:
            reasons = Counter(o.reason for o in self.outcomes.values() if o.reason != wire.OK)
            named = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))
            raise BadInput(
                f"teacher '{self.config.model}': {self.malformed} of {done} replies are malformed after "
                f"repair ({named}); raise teacher.max_tokens or max_malformed, or take a model with "
                "structured outputs"
            )

    def _connect(self) -> "Endpoint":
        from stages.teacher import endpoint  # openai takes a second to import

        config = self.config
        if self.simulator:
            app, url, key = self.simulator.application, endpoint.IN_PROCESS_URL, "embedded"
        else:
            app, url = None, config.base_url or endpoint.OPENAI_URL
            key = endpoint.api_key(config.api_key_env)
        return endpoint.Endpoint(
            url, key, timeout=config.timeout, retries=config.retries, connections=config.concurrency, app=app
        )


def _cost(row: Row, price: Price) -> float | None:
    """Return the price of one response in USD."""
    if price.input is None or price.output is None:
        return None
    return (row.prompt_tokens * price.input + row.completion_tokens * price.output) / 1e6


def _total(costs: list[float | None]) -> float | None:
    """Return the sum, None if a part of it is not known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
