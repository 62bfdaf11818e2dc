"""Malformed replies: repaired once, named, counted."""

import pytest
from scripted_teacher import GOOD, WORLD, completion, config, rollouts, teacher

from stages.errors import BadInput
from stages.teacher import wire
from stages.teacher.client import draw, tally

BAD = completion("Paris.")


def over_socket(url, **changes):
    return config(backend="openai", base_url=url, model="m", **changes)


def test_a_malformed_reply_is_repaired_once_and_both_are_stored_and_priced(store):
    with teacher(BAD, GOOD) as (url, served):
        (outcome,) = draw(rollouts(1), over_socket(url), store)
        again = draw(rollouts(1), over_socket(url), store)
    assert [m["role"] for m in served[1].body["messages"]] == ["system", "user", "assistant", "user"]
    assert len(served) == len(store) == 2
    assert (outcome.reason, outcome.reply.answer, outcome.repaired, outcome.calls) == ("ok", "Paris", True, 2)
    assert (outcome.prompt_tokens, outcome.completion_tokens) == (20, 10)
    assert outcome.cost_usd == outcome.paid_usd == pytest.approx((20 * 1.0 + 10 * 2.0) / 1e6)
    assert again == [outcome._replace(cached=True, calls=0, paid_usd=0.0)]
    assert outcome.key in store.get([outcome.key])


def test_only_the_repair_is_drawn_where_only_it_is_missing(store):
    with teacher(BAD, "drop") as (url, served), pytest.raises(BadInput):
        draw(rollouts(1), over_socket(url, retries=0, patience=0), store)
    with teacher(GOOD) as (url, served):
        (outcome,) = draw(rollouts(1), over_socket(url), store)
    assert len(served) == 1
    assert (outcome.reason, outcome.calls, outcome.cached, outcome.prompt_tokens) == ("ok", 1, False, 20)
    assert outcome.paid_usd == outcome.cost_usd / 2


@pytest.mark.parametrize("reason", sorted(wire.FAULTS))
def test_a_reply_still_malformed_after_repair_is_named(store, reason):
    entry = {
        "refused": completion(None, refusal="No."),
        "truncated": completion("{", finish="length"),
        "empty": completion(""),
        "not_json": BAD,
        "wrong_schema": completion("{}"),
    }[reason]
    with teacher(BAD, entry) as (url, _):
        (outcome,) = draw(rollouts(1), over_socket(url), store)
    assert (outcome.reply, outcome.reason, outcome.calls) == (None, reason, 2)
    assert f"1 {reason}" in str(tally([outcome]))


def test_the_simulators_own_truncation_is_caught_by_the_same_path(store):
    outcomes = draw(rollouts(5), config(max_tokens=4), store, WORLD)
    assert {o.reason for o in outcomes} == {"truncated"}
    assert len(store) == 10


def test_too_many_malformed_replies_stop_the_run_and_stay_stored(store):
    bad = config(max_tokens=4, concurrency=1)
    for _ in range(2):  # the second time from the store
        with pytest.raises(BadInput, match=r"20 of 20 replies are malformed after repair \(20 truncated\)"):
            draw(rollouts(20), bad, store, WORLD)
    assert len(store) == 40
    assert len(draw(rollouts(19), bad, store, WORLD)) == 19  # too few to mean anything


def test_an_early_streak_of_malformed_replies_stops_nothing(store):
    # 6 of the first 20, within three standard deviations of 10 %, and 6 of 60 in the end.
    with teacher(*[BAD] * 12) as (url, _):
        outcomes = draw(rollouts(60), over_socket(url, concurrency=1), store)
    assert tally(outcomes).reasons == {"not_json": 6, "ok": 54}
