"""One run of draws: what the store lacks is sent, as much at a time as is allowed, and handed on in order."""

import asyncio
import operator
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from stages.errors import BadInput
from stages.records import Article, SeedProblem
from stages.teacher import engines, planning, prompts, wire
from stages.teacher.outcomes import Outcome, Request, amount, cost, total
from stages.teacher.settings import Config
from stages.teacher.store import ResponseStore, Row
from stages.teacher.store import Spent as Books

if TYPE_CHECKING:
    from stages.teacher.batches import Settled
    from stages.teacher.endpoint import Endpoint
    from stages.teacher.simulator import Prepared

Kept = asyncio.Future[Row]  # resolves when a reply is safe in the store, to the row that is there
Verdict = tuple[prompts.Reply | None, str]  # see `wire.judge`

LOOKAHEAD = 256  # requests looked up in the store at once, ahead of those being sent
WINDOW = 4096  # requests between the first that is not settled and the last that was read, at least
JUDGED = 20  # replies before their share of malformed ones means anything
APART_S = 0.001  # between the first requests of a run
GRACE_S = 5.0  # after a fault, time for replies in flight to come in and be kept: they are paid for


class Draw(NamedTuple):
    """A request as it is keyed."""

    key: str
    prompt: prompts.Prompt
    sampling: wire.Sampling


class Missing(NamedTuple):
    """A draw to make."""

    item: Draw
    first: Row | None  # its first reply where only the repair is missing


class Run:
    """One call of `client.each`; the arguments are its."""

    def __init__(
        self,
        config: Config,
        store: ResponseStore,
        articles: Sequence[Article] | None,
        problems: Sequence[SeedProblem],
        progress: Callable[[int, int], None] | None,
        keep: Callable[[Outcome], None],
    ) -> None:
        self.config, self.store, self.keep = config, store, keep
        self.progress = progress or (lambda done, total: None)
        self.model = config.model
        self.simulator: Prepared | None = None
        if config.max_cost is not None and None in (config.price.input, config.price.output):
            raise BadInput("teacher.max_cost: teacher.price is not known; set it, or set max_cost to null")
        if config.backend == "embedded":
            from stages.teacher import simulator

            if articles is None and not problems:
                raise ValueError("the embedded teacher needs articles to read, or problems to solve")
            self.simulator = simulator.prepared(articles or (), config.model, config.embedded, problems)
            self.model = self.simulator.model_id
        elif config.backend == "vllm":
            from stages.teacher import local_model

            self.model = local_model.model_id(config.model, config.vllm.revision)
        at_once = {"batch": config.batch.size, "vllm": config.vllm.size}.get(
            config.backend, config.concurrency
        )
        self.window = max(WINDOW, 64 * config.concurrency, 2 * at_once)
        self.backlog: deque[Missing] = deque()  # read, and not being drawn yet
        self.places: dict[str, list[int]] = {}  # where each key stands that is not settled yet
        self.ready: dict[int, Outcome] = {}  # settled, waiting for an earlier one
        self.read = self.handed_on = self.settled = self.total = 0
        self.reasons: Counter[str] = Counter()
        self.stopping = False
        self._saving: set[Kept] = set()  # replies that came and are not safe yet
        self._fault: Exception | None = None  # met while one was settled
        self._before: Books | None = None  # what was spent before this run
        self._received = [0, 0]  # tokens of this run's prompts and replies
        self._room = asyncio.Event()
        self.batched = config.backend in ("vllm", "batch")
        self._endpoint: Endpoint | None = None  # where requests go one by one
        self._batched: engines.Batched | None = None  # where they go many at once

    async def all(self, requests: Iterable[Request]) -> None:
        """Serve every request with `concurrency` workers that share one stream of them."""
        self.total = operator.length_hint(requests, 0)
        self.requests = iter(requests)
        first = await self._take()
        if first:
            try:
                first = await self._connect(first)
                await (self._work_batched(first) if self.batched else self._work(first))
            finally:
                await self._close()
        self._check_malformed(final=True)

    def look(self, requests: Iterable[Request]) -> None:
        """Count the requests that the store lacks instead of sending them; hand on outcomes up to the first.

        Raises:
            planning.Unbought: it lacks some.
        """
        tally, lacking, left = planning.Tally(self.config, self.model), False, iter(requests)
        while part := list(islice(left, LOOKAHEAD)):
            items = [self._begin(request) for request in part]
            rows = self.store.get([item.key for item in items])
            for item in items:
                outcome = self._from_store(item, rows.get(item.key))
                lacking = lacking or outcome is None
                characters = None if outcome else sum(len(content) for _, content in item.prompt.messages)
                tally.note(item.prompt.reply.wire_name(), item.key, characters)
                if outcome and not lacking:
                    self.keep(outcome)
        tally.close()

    async def _work_batched(self, first: list[Missing]) -> None:
        """Hand the engine as many draws at once as it wants."""
        assert self._batched is not None
        many = first
        while many:
            most = self._affordable(self._batched.size, many[0].item)
            while len(many) < most and (self.backlog or not self._full):
                group = await self._take()
                if not group:
                    break
                many += group
            await self._draw(many)
            await self._all_settled()
            self._raise_fault()
            many = await self._take() or []

    async def _work(self, first: list[Missing]) -> None:
        async def worker(group: list[Missing] | None, delay: float) -> None:
            await asyncio.sleep(delay)
            while not self.stopping and (group := group or await self._take()):
                await self._draw(group)
                self._raise_fault()
                group = None

        starts = [first, *[None] * (self.config.concurrency - 1)]
        # One after the other: replies that come all at once lie unread longer, and a kill would lose them.
        apart = 0.0 if self.simulator else APART_S
        workers = [asyncio.create_task(worker(start, apart * i)) for i, start in enumerate(starts)]
        try:
            # Not gather: when it is cancelled it cancels the workers and waits for them, and one whose
            # cancellation a library lost to a reply in the same instant (as asyncio.wait_for does before
            # Python 3.12) would draw on for ever.
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
            await self._all_settled()
            while self.backlog:  # malformed replies of another process that was first
                await self._draw([self.backlog.popleft()])
                await self._all_settled()
            self._raise_fault()
        except Exception as error:
            self.stopping = True
            self._room.set()
            await asyncio.wait(workers, timeout=self.config.timeout if isinstance(error, Spent) else GRACE_S)
            await self._all_settled()
            raise
        finally:
            self.stopping = True
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    @property
    def _full(self) -> bool:
        """Return whether so many outcomes wait for an earlier one that no request is read for now."""
        return self.read - self.handed_on > self.window

    async def _take(self) -> list[Missing] | None:
        """Return the next draws for one request, as soon as there is room for them; None at the end."""
        while not self.backlog:
            if self._full:
                self._room.clear()
                await self._room.wait()
                self._raise_fault()
                if self.stopping:
                    return None
            elif not self._look_up(list(islice(self.requests, LOOKAHEAD))):
                return None
            else:
                await asyncio.sleep(0)  # so that an interrupt is heard where all is in the store
        group = [self.backlog.popleft()]
        if self.batched:
            return group
        while self.backlog and len(group) < self.config.accepts.n and _follows(group, self.backlog[0]):
            group.append(self.backlog.popleft())
        return group

    def _look_up(self, requests: list[Request]) -> bool:
        """Settle what the store can serve in full, and put the rest into the backlog; False at the end."""
        items: list[Draw] = []
        for request in requests:
            item = self._begin(request)
            if item.key in self.places:
                self.places[item.key].append(self.read)
            else:
                self.places[item.key] = [self.read]
                items.append(item)
            self.read += 1
        self._divide(items)
        return bool(requests)

    def _divide(self, items: list[Draw]) -> None:
        rows = self.store.get([item.key for item in items])
        for item in items:
            row = rows.get(item.key)
            outcome = self._from_store(item, row)
            if outcome:
                self._settle(item, outcome)
            else:
                self.backlog.append(Missing(item, row))

    def _begin(self, request: Request) -> Draw:
        config = self.config
        temperature = config.temperature if request.temperature is None else request.temperature
        sampling = wire.Sampling(float(temperature), config.max_tokens, request.seed, request.rollout)
        prompt = request.prompt
        key = wire.request_key(self.model, prompt.messages, prompt.reply, sampling)
        return Draw(key, prompt, sampling)

    def _from_store(self, item: Draw, row: Row | None) -> Outcome | None:
        """Return the outcome if the store has all of it."""
        if row is None:
            return None
        completion = wire.read_completion(row.body)
        reply, reason = wire.judge(completion, item.prompt.reply)
        if reason == wire.OK:
            return self._outcome([row], reply, reason, paid=[])
        second = self._repair(item, completion, reason)
        repaired = self.store.get([second.key]).get(second.key)
        if repaired is None:
            return None
        reply, reason = wire.judge(wire.read_completion(repaired.body), item.prompt.reply)
        return self._outcome([row, repaired], reply, reason, paid=[])

    async def _draw(self, group: list[Missing]) -> None:
        """Draw replies where the store has none, and second ones where the first are malformed."""
        new = iter(await self._send([item for item, first in group if first is None], together=True))
        bad: list[tuple[Draw, Kept | Row, Draw]] = []
        for item, first in group:
            kept, came = (first, None) if first else next(new)
            said = came.said if came else wire.read_completion(first.body if first else "")
            verdict = wire.judge(said, item.prompt.reply)
            if verdict[1] != wire.OK:
                bad.append((item, kept, self._repair(item, said, verdict[1])))
            elif isinstance(kept, Row):  # another process's, sound where this run's was not
                self._settle(item, self._outcome([kept], *verdict, []))
            else:
                assert came
                self._settle_once_kept(item, [], kept, came, verdict)
        firsts = [(kept, False) if isinstance(kept, Row) else (await kept, True) for _, kept, _ in bad]
        repaired = await self._send([repair for *_, repair in bad], together=False)
        for (item, _, _), first_row, (second, came) in zip(bad, firsts, repaired, strict=True):
            verdict = wire.judge(came.said, item.prompt.reply)
            self._settle_once_kept(item, [first_row], second, came, verdict)

    def _settle_once_kept(
        self,
        item: Draw,
        before: list[tuple[Row, bool]],
        last: Kept,
        came: wire.Received,
        verdict: Verdict,
    ) -> None:
        """Settle a draw as soon as its last reply is safe; whoever drew it goes on meanwhile.

        Args:
            item: the draw.
            before: its earlier replies, and whether this run paid for them.
            last: resolves when the reply is safe, to what the store holds.
            came: the last reply.
            verdict: on it.
        """

        def settle(done: Kept) -> None:
            self._saving.discard(done)
            if done.cancelled():
                return
            try:
                row, (reply, reason) = done.result(), verdict
                if row.body != came.text:  # another process was first: its reply is the one that counts
                    reply, reason = wire.judge(wire.read_completion(row.body), item.prompt.reply)
                    if not before and reason != wire.OK:
                        self.backlog.append(Missing(item, row))
                        return
                rows, paid = [*(r for r, _ in before), row], [*(r for r, new in before if new), row]
                self._settle(item, self._outcome(rows, reply, reason, paid))
            except Exception as error:
                self._fault = self._fault or error
                self._room.set()

        self._saving.add(last)
        last.add_done_callback(settle)

    async def _all_settled(self) -> None:
        """Wait until every reply that came is safe."""
        while self._saving:
            await asyncio.wait(self._saving)

    def _raise_fault(self) -> None:
        if self._fault:
            raise self._fault

    def _repair(self, item: Draw, completion: wire.Completion, reason: str) -> Draw:
        messages = wire.repair_messages(item.prompt.messages, completion, reason, item.prompt.reply)
        prompt = prompts.Prompt(messages, item.prompt.reply)
        key = wire.request_key(self.model, messages, prompt.reply, item.sampling)
        return Draw(key, prompt, item.sampling)

    async def _send(self, items: list[Draw], together: bool) -> list[tuple[Kept, wire.Received]]:
        """Send requests; return what came, and futures that resolve when that is safe in the store.

        Args:
            items: to be drawn.
            together: they are rollouts of one conversation, for one request where the endpoint takes that.
        """
        if not items:
            return []
        self._check_cost()
        if self._batched:
            received = await self._batched.complete([self._job([item]) for item in items])
        else:
            assert self._endpoint is not None
            jobs = [self._job(items)] if together else [self._job([item]) for item in items]
            received = [one for job in jobs for one in await self._endpoint.complete(job)]
        for one in received:
            self._received[0] += one.said.prompt_tokens
            self._received[1] += one.said.completion_tokens
        kept = [
            self.store.save(self._row(item.key, item.prompt.reply.wire_name(), one))
            for item, one in zip(items, received, strict=True)
        ]
        await asyncio.sleep(0)  # what came in this turn is committed before anything else is done with it
        return list(zip(kept, received, strict=True))

    def _job(self, items: list[Draw]) -> wire.Job:
        key, prompt, sampling = items[0]
        n = len(items)
        body = wire.request_body(self.model, prompt.messages, prompt.reply, sampling, self.config.accepts, n)
        return wire.Job(key, body, n, prompt.reply.wire_name())

    def _row(self, key: str, task: str | None, received: wire.Received) -> Row:
        text, said, request_id, latency_s = received
        tokens = said.prompt_tokens, said.completion_tokens
        return Row(key, self.model, text, said.finish_reason, *tokens, latency_s, request_id, task)

    def _outcome(self, rows: list[Row], reply: prompts.Reply | None, reason: str, paid: list[Row]) -> Outcome:
        return Outcome(
            key=rows[-1].key,
            reply=reply,
            reason=reason,
            prompt_tokens=sum(row.prompt_tokens for row in rows),
            completion_tokens=sum(row.completion_tokens for row in rows),
            cost_usd=total(cost(row, self.config.price) for row in rows),
            cached=not paid,
            repaired=len(rows) > 1,
            calls=len(paid),
            paid_usd=total(cost(row, self.config.price) for row in paid),
        )

    def _settle(self, item: Draw, outcome: Outcome) -> None:
        first, *twins = self.places.pop(item.key)
        self.ready[first] = outcome
        for twin in twins:
            self.ready[twin] = outcome._replace(cached=True, calls=0, paid_usd=0.0)
        self.settled += 1 + len(twins)
        self.reasons[outcome.reason] += 1 + len(twins)
        self._check_malformed(final=False)
        while self.handed_on in self.ready:
            self.keep(self.ready.pop(self.handed_on))
            self.handed_on += 1
        self._room.set()
        self.progress(self.settled, self.total)

    def _check_malformed(self, final: bool) -> None:
        done, limit = self.settled, self.config.max_malformed
        malformed = done - self.reasons[wire.OK]
        spread = 0.0 if final else 3.0 * (limit * (1.0 - limit) * done) ** 0.5
        if done >= JUDGED and malformed > limit * done + spread:
            named = ", ".join(
                f"{n} {reason}" for reason, n in sorted(self.reasons.items()) if reason != wire.OK
            )
            raise BadInput(
                f"teacher '{self.config.model}': {malformed} of {done} replies are malformed after "
                f"repair ({named}); raise teacher.max_tokens or max_malformed, or take a model with "
                "structured outputs"
            )

    def _affordable(self, size: int, item: Draw) -> int:
        """Return how many draws like one the cap leaves room for, at their dearest; at least one."""
        left = self._left()
        if left is None:
            return size
        characters = sum(len(content) for _, content in item.prompt.messages)
        dearest = amount(characters / planning.CHARACTERS, self.config.max_tokens, self.config.price)
        return max(1, min(size, int(left / dearest))) if dearest else size

    def _check_cost(self) -> None:
        """Raise `Spent` if what was ever spent on this model has reached the cap."""
        left = self._left()
        if left is not None and left <= 0:
            cap = self.config.max_cost or 0.0
            raise Spent(
                f"teacher '{self.config.model}': {cap - left:.4f} USD are spent, teacher.max_cost is "
                f"{cap:g}; what was drawn is kept, raise it to go on"
            )

    def _left(self) -> float | None:
        """Return the USD that the cap leaves; None without one."""
        if self.config.max_cost is None:
            return None
        stored = self.store.spent(self.model)
        self._before = self._before or stored
        # A reply that came counts before it is in the store's books.
        prompt = max(stored.prompt_tokens, self._before.prompt_tokens + self._received[0])
        completion = max(stored.completion_tokens, self._before.completion_tokens + self._received[1])
        return self.config.max_cost - (amount(prompt, completion, self.config.price) or 0.0)

    async def _connect(self, first: list[Missing]) -> list[Missing]:
        """Open the engine; return those of the first draws that are still missing then."""
        if not self.batched:
            self._endpoint = engines.endpoint(self.config, self.simulator and self.simulator.application)
            return first
        if self.config.backend == "vllm":
            self._batched = engines.offline(self.config)
        else:
            self._batched = open_ = engines.batches(self.config, self.model, self.store)
            if await open_.settle(self._put):  # an earlier run was stopped while it waited
                found, self.backlog = [*first, *self.backlog], deque()
                self._divide([item for item, _ in found])
                first = await self._take() or []
        return first

    async def _close(self) -> None:
        for engine in (self._endpoint, self._batched):
            if engine:
                await engine.close()

    def _put(self, late: "Settled") -> "Future[Row]":
        """Keep a reply that an earlier run was waiting for."""
        return self.store.put(self._row(late.key, late.task, late.received))


class Spent(BadInput):
    """The cap on the cost is reached."""


def _follows(group: list[Missing], other: Missing) -> bool:
    """Return whether a draw is the next rollout of a group's conversation, and can go with it."""
    last = group[-1]
    wanted = last.item.sampling._replace(rollout=last.item.sampling.rollout + 1)
    if last.first or other.first or other.item.sampling != wanted:
        return False
    return last.item.prompt == other.item.prompt
