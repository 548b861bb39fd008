"""The shipped program answers in time: the acknowledgement and the first offer within a second of the question."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from access.tables import Role
from tests.botapi import BotApi, Person
from tests.hostile.test_without_database import WITHIN, a_line, officer_of

TIMES = 7
A_SECOND = 1.0


def test_acknowledged_and_offered_within_a_second(database_url: str, tmp_path: Path) -> None:
    acknowledged, offered = [], []
    with a_line(tmp_path / "line", database_url) as (installation, api, _):
        officer = officer_of(installation, api)
        idva = api.person(installation.members(Role.IDVA)[0].telegram)
        for _ in range(TIMES):
            news = {who: shown(who) for who in (officer, idva)}
            began = time.monotonic()
            officer.write("Is this coercive control?")
            acknowledged.append(until_new(api, officer, news[officer], "Received", began))
            offered.append(until_new(api, idva, news[idva], "", began))
            officer.write("/withdraw")
            officer.wait_for("withdrawn", WITHIN)
            assert api.wait_until(lambda: "withdrawn" in officer.from_bot[-1].text, WITHIN)
    said = f"acknowledged after {median(acknowledged):.2f} s, offered after {median(offered):.2f} s"
    print(f"{said} (medians of {TIMES})")
    assert median(acknowledged) < A_SECOND
    assert median(offered) < A_SECOND


def shown(who: Person) -> int:
    """How many messages the bot has put into this chat."""
    return len(who.from_bot)


def until_new(api: BotApi, who: Person, before: int, words: str, began: float) -> float:
    """Seconds until a message with these words, and buttons, is new in somebody's chat."""

    def there() -> bool:
        return any(words in one.text and one.labels for one in who.from_bot[before:])

    assert api.wait_until(there, WITHIN)
    return time.monotonic() - began
