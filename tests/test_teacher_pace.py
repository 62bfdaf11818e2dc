"""The pace of an endpoint: rates hold in every minute, overload makes it slower, freedom faster."""

import asyncio
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from scripted_teacher import GOOD, config, rollouts, teacher

from stages.teacher import pace
from stages.teacher.client import draw
from stages.teacher.pace import Pace, Rate


@pytest.mark.parametrize("limit", [1, 2, 60, 90, 601, 6000])
def test_a_rate_is_exceeded_in_no_minute_and_nearly_used_in_full(monkeypatch, limit):
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    rate, sent = Rate(limit), []
    for _ in range(limit * 4 + 4):
        now[0] += rate.claim(1)
        sent.append(now[0])
    in_a_minute = [sum(start <= at < start + 60 for at in sent) for start in sent]
    assert max(in_a_minute) <= limit
    assert limit < 60 or sent[-1] - sent[0] < 4.3 * 60


def test_a_claim_above_a_seconds_worth_waits_for_its_share(monkeypatch):
    monkeypatch.setattr(pace.time, "monotonic", lambda: 0.0)
    rate = Rate(6000)
    assert rate.claim(100) == 0
    assert rate.claim(1000) == pytest.approx(1000 / ((6000 - 100) / 60))


def test_no_more_are_in_flight_than_the_limit_and_a_turn_is_never_lost():
    async def run():
        here, most, done = 0, 0, 0
        line = Pace(5)

        async def one(i):
            nonlocal here, most, done
            await line.enter(1)
            here += 1
            most = max(most, here)
            await asyncio.sleep(0.001 * (i % 3))
            here -= 1
            done += 1
            line.leave()

        tasks = [asyncio.create_task(one(i)) for i in range(200)]
        await asyncio.sleep(0.002)
        for task in tasks[50:100]:
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        return most, done, line.flying

    assert asyncio.run(run()) == (5, 150, 0)


def after(replies, overloaded_every, concurrency=64):
    """Return the limit after so many replies, every n-th of which says that it was too much."""
    line = Pace(concurrency)
    for i in range(replies):
        if overloaded_every and i % overloaded_every == 0:
            line.overloaded(None)
        else:
            line.succeeded()
    return line.limit


def test_a_wall_halves_the_number_in_flight_and_chance_refusals_hardly_lower_it():
    assert after(64, 1) < 64 * 0.6
    assert after(2000, 1) == 1
    assert after(2000, 20) > 56  # 5 % of the replies, by chance
    assert after(2000, 0) == 64


def test_the_number_in_flight_grows_back():
    line = Pace(64)
    for _ in range(500):
        line.overloaded(None)
    low = line.limit
    for _ in range(1500):
        line.succeeded()
    assert low == 1 and line.limit == 64


def test_a_wish_to_be_left_alone_holds_for_all_only_where_most_are_refused():
    few, most = Pace(8), Pace(8)
    for _ in range(40):
        most.overloaded(5.0)
    for _ in range(38):
        few.succeeded()
    few.overloaded(5.0)
    assert most._quiet_until > time.monotonic() + 4
    assert few._quiet_until == 0


def test_an_endpoint_with_room_for_three_is_found_out_and_every_reply_comes(store):
    """A server that refuses whatever comes while three requests are being answered."""
    busy, lock, refused, most = 0, threading.Lock(), 0, 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            nonlocal busy, refused, most
            self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                taken = busy < 3
                busy += taken
                refused += not taken
                most = max(most, busy)
            if taken:
                time.sleep(0.01)
                with lock:
                    busy -= 1
            body = GOOD.body.encode() if taken else b"{}"
            self.send_response(200 if taken else 429)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 128

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    outcomes = draw(
        rollouts(300), config(backend="openai", base_url=url, model="m", concurrency=32, retries=0), store
    )
    server.shutdown()
    server.server_close()
    assert [o.reason for o in outcomes] == ["ok"] * 300
    assert most == 3
    assert refused < 300, "it was not slowed down"


def test_requests_per_minute_are_kept_at_the_server(store):
    with teacher() as (url, served):
        draw(
            rollouts(8),
            config(backend="openai", base_url=url, model="m", requests_per_minute=240, concurrency=8),
            store,
        )
    # four at once (a second's worth), then one each 60/236 s
    assert served[-1].at - served[0].at >= 0.6
