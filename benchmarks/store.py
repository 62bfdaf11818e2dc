"""What the response store costs an event loop: CPU per row, and how soon a row is safe.

A row is safe from a kill once it is in the WAL, and from a power cut, too, once its future resolves.

    python benchmarks/store.py [FOLDER]
"""

import asyncio
import hashlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from stages.teacher.store import ResponseStore, Row

ROWS = 4000
FLIGHT = 64  # requests in flight, of 50 ms each, give or take half
WORDS = 150  # of a reply
Save = Callable[[Row], Awaitable[Row]]


def rows(count: int) -> list[Row]:
    """Return rows whose keys are as random as a store's."""
    message = {"role": "assistant", "content": "word " * WORDS}
    usage = {"prompt_tokens": 100, "completion_tokens": WORDS}
    body = json.dumps(
        {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
    )
    keys = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(count)]
    return [Row(key, "model", body, "stop", 100, WORDS, 0.05, "req-1", "respond") for key in keys]


async def drive(save: Save | None, waits: list[float]) -> None:
    """Let `FLIGHT` workers draw rows at random instants; none waits for its row to be safe."""
    stream, chance, tasks = iter(rows(ROWS)), random.Random(0), set()

    async def safe(row: Row) -> None:
        assert save is not None
        begun = time.perf_counter()
        await save(row)
        waits.append(time.perf_counter() - begun)

    async def work() -> None:
        for row in stream:
            await asyncio.sleep(0.05 * chance.uniform(0.5, 1.5))
            task = asyncio.create_task(safe(row) if save else asyncio.sleep(0))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    await asyncio.gather(*[work() for _ in range(FLIGHT)])
    await asyncio.gather(*tasks)


def measured(save: Save | None) -> tuple[float, float, list[float]]:
    """Return CPU seconds, wall seconds and how long each row took to be safe."""
    waits: list[float] = []
    cpu, wall = time.process_time(), time.perf_counter()
    asyncio.run(drive(save, waits))
    return time.process_time() - cpu, time.perf_counter() - wall, waits


def main() -> None:
    """Print one line per way of putting a row."""
    nothing = min(measured(None)[0] for _ in range(3))
    for name in ("save", "put"):
        with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
            runs = []
            for i in range(3):
                with ResponseStore(Path(folder) / f"{i}.sqlite") as store:
                    put = (
                        store.save if name == "save" else lambda row, s=store: asyncio.wrap_future(s.put(row))
                    )
                    runs.append(measured(put))
        cpu, wall, waits = min(runs)
        waits.sort()
        figures = f"{(cpu - nothing) / ROWS * 1e6:.0f} µs CPU a row at {ROWS / wall:,.0f} rows/s"
        median, most = statistics.median(waits) * 1e3, waits[-ROWS // 100] * 1e3
        print(f"{name}: {figures}; safe after {median:.0f} ms in the median, {most:.0f} ms at 99 %")


if __name__ == "__main__":
    main()
