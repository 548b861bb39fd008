"""Telegram may hand over anything twice, late, out of order, under ids that jump: no extra effect, none missed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from bot.telegram_batch import arrival_of
from storage.sealing import KEY_BYTES
from tests.faults.conftest import Tell
from tests.faults.flood import (
    IDVAS,
    OFFICERS,
    STRANGER,
    Flood,
    Update,
    a_flood,
    lanes_mixed,
    repeated,
    says,
    telegram_id,
)
from tests.place import copied
from tests.telegram_wire import edited, tap

FULL = os.environ.get("LANYARD_PROVE") == "full"
UPDATES = {"sqlite": 10_000 if FULL else 2_000, "postgresql": 10_000 if FULL else 1_000}
TAPS = 1_000 if FULL else 300
DIFFERENT = {"sqlite": 0.03, "postgresql": 0.1}  # this share of the updates is not a repeat
# What a refused tap may leave: that it arrived, that it was refused, and how often.
OUTSIDE = ("inbox", "leaf", "leaf_person", "tile", "trail_head", "attempt")


@pytest.fixture(autouse=True)
def same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two floods seal under the same keys, so that even keyed hashes are the same in both."""
    monkeypatch.setattr("storage.keys.new_key", lambda: b"s" * KEY_BYTES)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def kind(request: pytest.FixtureRequest) -> str:
    """Which kind of database."""
    return str(request.param)


@pytest.fixture
def fresh(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Makes a migrated database of this kind."""

    def make(name: str) -> str:
        if kind == "postgresql":
            return str(request.getfixturevalue("postgres").new_database())
        return copied(request.getfixturevalue("migrated"), tmp_path / f"{name}.db")

    return make


class Writer:
    """Makes what people do, under ids that jump up and down."""

    def __init__(self, flood: Flood, chance: Random) -> None:
        self._flood = flood
        self._chance = chance
        self._ids = iter(chance.sample(range(1, 2**31), 20_000))

    def text(self, name: str, text: str) -> Update:
        return says(self._flood.house, next(self._ids), name, text)

    def edit(self, of: Update, text: str) -> Update:
        said = of["message"]
        again = edited(next(self._ids), sender=said["from"]["id"], text=text, date=said["date"])
        again["edited_message"] |= {"message_id": said["message_id"]}
        return again

    def tap(self, sender: int, token: str) -> Update:
        number = next(self._ids)
        return tap(number, sender, data=token, id=str(number))

    def lines(self, names: list[str], many: int) -> list[Update]:
        """People write; one in six changes what they wrote."""
        done: list[Update] = []
        for number in range(many):
            said = [one for one in done if "message" in one]
            if said and self._chance.random() < 1 / 6:
                done.append(self.edit(self._chance.choice(said), f"changed {number}"))
            else:
                done.append(self.text(self._chance.choice(names), f"line {number}"))
        return done


OFFICER_NAMES = [f"officer{number}" for number in range(OFFICERS)]
IDVA_NAMES = [f"idva{number}" for number in range(IDVAS)]


async def _a_day(flood: Flood, chance: Random, many: int) -> list[Update]:
    """Feed a day's work: questions, changes, every third button, answers (some of them held). Give what was fed."""
    writer = Writer(flood, chance)
    fed = [writer.text(name, "question") for name in OFFICER_NAMES] + writer.lines(OFFICER_NAMES, many // 2)
    await flood.feed(fed)
    taps = [writer.tap(telegram_id(who), token) for who, _, token in flood.buttons(0)[::3] if who]
    await flood.feed(taps)
    talk = writer.lines(OFFICER_NAMES + IDVA_NAMES, many - many // 2 - len(taps))
    await flood.feed(talk)
    return fed + taps + talk


@pytest.mark.prove
async def test_repeated_updates_have_no_extra_effect_and_none_is_missed(
    fresh: Callable[[str], str], kind: str, tell: Tell
) -> None:
    many = UPDATES[kind]
    async with a_flood(fresh("once")) as once, a_flood(fresh("often")) as often:
        fed = await _a_day(once, Random(11), round(many * DIFFERENT[kind]))
        await often.feed(repeated(fed, many - len(fed), Random(12)))
        often.house.clock.forward(hours=1)
        await often.feed(repeated(fed, len(fed), Random(13)))  # old ones, once more after an hour
        assert often.digest() == once.digest()
        assert often.inbox() == {str(update["update_id"]): ["done"] for update in fed}
        assert len(once.words()) > len(fed) / 2
    tell(f"{kind}: {many} updates, {many - len(fed)} of them repeats: no extra effect")


async def test_updates_of_different_people_may_come_in_any_order_and_ids_may_jump(
    fresh: Callable[[str], str], kind: str, tell: Tell
) -> None:
    many = round(UPDATES[kind] * DIFFERENT[kind])
    async with a_flood(fresh("in_order")) as in_order, a_flood(fresh("mixed")) as mixed:
        writer = Writer(in_order, Random(21))
        fed = [writer.text(name, "question") for name in OFFICER_NAMES] + writer.lines(OFFICER_NAMES, many)
        await in_order.feed(fed)
        changed = lanes_mixed(fed, Random(22))
        assert changed != fed
        numbers = [update["update_id"] for update in changed]
        assert sum(later < earlier for earlier, later in pairwise(numbers)) > many / 4
        await mixed.feed(repeated(changed, 2 * len(changed), Random(23)))
        assert mixed.stories() == in_order.stories()
        assert mixed.inbox() == {str(update["update_id"]): ["done"] for update in fed}


@pytest.mark.prove
async def test_replayed_and_foreign_taps_have_no_extra_effect(
    fresh: Callable[[str], str], kind: str, tell: Tell
) -> None:
    chance, many = Random(31), TAPS
    async with a_flood(fresh("once")) as once, a_flood(fresh("often")) as often:
        writer = Writer(once, chance)
        questions = [writer.text(name, f"question of {name}") for name in OFFICER_NAMES]
        await once.feed(questions)
        await often.feed(questions)
        buttons = [(who, token) for who, _, token in once.buttons(0) if who]
        pressed = chance.sample(buttons, len(buttons) // 2)
        taps = [writer.tap(telegram_id(who), token) for who, token in pressed]
        await once.feed(taps)
        untouched = [button for button in buttons if button not in pressed]
        replays = _replays(writer, pressed, taps, many, chance)
        replays += [writer.tap(_other(who, chance), token) for who, token in untouched]
        await often.feed(replays)
        assert often.digest(without=OUTSIDE) == once.digest(without=OUTSIDE)
        assert all(states == ["done"] for states in often.inbox().values())
        assert len(replays) - len(taps) >= many
    tell(f"{kind}: {len(replays) - len(taps)} replayed and foreign taps: no extra effect")


def _other(who: str, chance: Random) -> int:
    """Somebody else's account, or a stranger's."""
    return chance.choice([telegram_id(name) for name in OFFICER_NAMES + IDVA_NAMES if name != who] + [STRANGER])


def _replays(
    writer: Writer, pressed: list[tuple[str, str]], taps: list[Update], many: int, chance: Random
) -> list[Update]:
    """Every tap in its turn; before it foreigners press the same button, after it its owner does, again."""
    each = -(-many // len(taps))
    given: list[Update] = []
    for (who, token), first in zip(pressed, taps, strict=True):
        before = each // 2
        given += [writer.tap(_other(who, chance), token) for _ in range(before)]
        given.append(first)
        given += [writer.tap(telegram_id(who), token) for _ in range(each - before)]
    again = chance.choices(pressed, k=20)
    return given + [writer.tap(telegram_id(who), token) for who, token in again]


async def test_one_update_stored_by_many_at_the_same_moment_is_stored_once(
    fresh: Callable[[str], str], kind: str
) -> None:
    async with a_flood(fresh("many")) as flood:
        updates = [says(flood.house, number, "officer1", f"line {number}") for number in range(1, 31)]
        arrivals = [arrival_of(json.dumps(update).encode()) for update in updates]
        with ThreadPoolExecutor(8) as threads:
            for arrival in arrivals:
                done = [threads.submit(flood.intake._store, arrival) for _ in range(8)]
                assert [one.result() for one in done] == [None] * 8
        assert flood.inbox() == {arrival.key: ["waiting"] for arrival in arrivals}
