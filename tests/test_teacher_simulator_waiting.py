"""Files of the simulator's Batch API, and batches that stop, expire, break, go on or are listed."""

import asyncio

from starlette.applications import Starlette
from test_teacher_simulator_batches import client, contents, create, ended, jsonl, line, simulated

from stages.teacher import simulator_batches
from stages.teacher.simulator_wire import HANDLERS


def test_batches_are_listed_newest_first_in_pages():
    async def run():
        api = client(simulated())
        made = [await create(api, jsonl([line()])) for _ in range(5)]
        page = await api.batches.list(limit=2)
        return [b.id for b in made], page, [b.id async for b in api.batches.list(limit=2)]

    made, page, listed = asyncio.run(run())
    assert listed == made[::-1]
    assert (len(page.data), page.has_more) == (2, True)


def test_a_cancelled_batch_keeps_what_was_served_and_names_the_rest():
    async def run():
        served = []
        api = client(simulated(served))
        made = await create(api, jsonl(map(line, range(200))))
        while len(served) < 5:
            await asyncio.sleep(0)
        asked = await api.batches.cancel(made.id)
        done = await ended(api, asked)
        late = await asyncio.gather(api.batches.cancel(made.id), return_exceptions=True)
        output, errors = [await contents(api, x) for x in (done.output_file_id, done.error_file_id)]
        return asked, done, output, errors, served, late[0]

    asked, done, output, errors, served, late = asyncio.run(run())
    assert (asked.status, done.status, late.status_code) == ("cancelling", "cancelled", 409)
    assert 5 <= len(output) == len(served) < 200
    assert {x["error"]["code"] for x in errors} == {"batch_cancelled"}
    assert len({x["custom_id"] for x in output + errors}) == 200


def test_a_batch_out_of_time_expires_with_what_it_has():
    now = [1000.0]

    def answer(body):
        now[0] += 10 * 3600
        return {"id": "chatcmpl-1", "choices": []}

    async def run():
        app = Starlette(
            routes=simulator_batches.routes(answer, ["seedbed-simulator"], lambda: now[0]),
            exception_handlers=HANDLERS,
        )
        api = client(app)
        done = await ended(api, await create(api, jsonl(map(line, range(5)))))
        return done, await contents(api, done.output_file_id), await contents(api, done.error_file_id)

    done, output, errors = asyncio.run(run())
    assert (done.status, len(output)) == ("expired", 3)
    assert [x["error"]["code"] for x in errors] == ["batch_expired"] * 2
    assert done.expires_at == 1000 + 24 * 3600


def test_a_request_that_breaks_the_teacher_is_an_error_line_and_the_others_go_on():
    def answer(body):
        if b'"seed":1,' in body:
            raise RuntimeError("broken")
        return {"id": "chatcmpl-1", "choices": []}

    async def run():
        app = Starlette(routes=simulator_batches.routes(answer, ["seedbed-simulator"]))
        api = client(app)
        done = await ended(api, await create(api, jsonl(map(line, range(3)))))
        return done, await contents(api, done.error_file_id)

    done, errors = asyncio.run(run())
    assert done.request_counts.to_dict() == {"total": 3, "completed": 2, "failed": 1}
    assert [(x["custom_id"], x["response"]["status_code"]) for x in errors] == [("r1", 500)]


def test_a_batch_goes_on_in_another_event_loop():
    app, served = None, []
    app = simulated(served)

    async def begin():
        made = await create(client(app), jsonl(map(line, range(300))))
        while len(served) < 10:
            await asyncio.sleep(0)
        return made

    made = asyncio.run(begin())
    assert len(served) < 300

    async def finish():
        return await ended(client(app), made)

    assert asyncio.run(finish()).request_counts.completed == 300
    assert len(served) == len(set(served)) == 300


def test_an_upload_is_kept_to_the_byte():
    content = bytes(range(256)) * 9 + b"\r\n--x\r\n\r\n--\r\n"

    async def run():
        api = client(simulated())
        file = await api.files.create(file=("in.jsonl", content), purpose="batch")
        return file, (await api.files.content(file.id)).content

    file, read = asyncio.run(run())
    assert read == content
    assert (file.bytes, file.filename, file.purpose, file.object) == (
        len(content),
        "in.jsonl",
        "batch",
        "file",
    )
