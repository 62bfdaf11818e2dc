"""Overload and outages are waited out, and no longer than patience."""

import itertools
import json
import time

import pytest
from scripted_teacher import GOOD, Entry, config, rollouts, teacher

from stages.errors import BadInput
from stages.teacher.client import draw


def test_overload_is_waited_out_though_no_retry_is_left(store):
    storm = [Entry(status, json.dumps({"error": {"message": "busy"}})) for status in (429, 503, 529) * 3]
    with teacher(GOOD, *storm) as (url, served):
        outcomes = draw(
            rollouts(2),
            config(backend="openai", base_url=url, model="m", retries=0, concurrency=1, patience=30),
            store,
        )
    assert [o.reason for o in outcomes] == ["ok", "ok"]
    assert len(served) == 11


def test_a_server_that_is_down_from_the_start_is_waited_for_and_one_that_is_not_there_is_not(store):
    down = Entry(502, "<html>Bad gateway</html>")
    settings = {"backend": "openai", "model": "m", "retries": 0, "concurrency": 2, "patience": 30}
    with teacher(*[down] * 5) as (url, _):
        assert len(draw(rollouts(4), config(base_url=url, **settings), store)) == 4
    started = time.monotonic()
    with pytest.raises(BadInput, match="cannot be reached"):
        draw(rollouts(9), config(base_url=url, **settings), store)
    assert time.monotonic() - started < 8


def test_a_clock_that_jumps_changes_no_wait(store, monkeypatch):
    """The hour is taken from nowhere but the server's own header."""
    from stages.teacher import endpoint

    sent, again = "Thu, 26 Nov 2026 10:00:00 GMT", "Thu, 26 Nov 2026 10:00:07 GMT"
    assert endpoint._retry_after({"Retry-After": again, "Date": sent}) == 7
    jumps = itertools.cycle([0.0, 4e9, -4e9, 1e9])
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    wait = Entry(429, "{}", (("Retry-After", "0.3"),))
    with teacher(wait, GOOD, wait) as (url, served):
        draw(rollouts(30), config(backend="openai", base_url=url, model="m", concurrency=4), store)
    assert len(served) == 32 and served[-1].at - served[0].at < 8


def test_an_outage_is_waited_out_after_a_first_success_and_no_longer_than_patience(store):
    down = Entry(500, "{}")
    settings = {"backend": "openai", "model": "m", "retries": 0, "concurrency": 1}
    with teacher(GOOD, *[down] * 6) as (url, _):
        assert len(draw(rollouts(4), config(base_url=url, patience=30, **settings), store)) == 4
    started = time.monotonic()
    with teacher(GOOD, then=down) as (url, _), pytest.raises(BadInput, match="status 500"):
        draw(rollouts(9), config(base_url=url, patience=0.5, **settings), store)
    assert 0.5 < time.monotonic() - started < 8
