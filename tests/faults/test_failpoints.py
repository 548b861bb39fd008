"""kill -9 at every named place of the program, on both databases: nothing lost, nothing twice, nothing crossed.

Small, each is killed at on one of the two databases, in turn; in full on both.

The names are read from the source, so a new failpoint is killed at from the day it is written; one that the load
never passes fails the test.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.faults.campaign import Campaign, a_campaign, rule_of_three
from tests.faults.conftest import Tell
from tests.faults.line_process import CRASHED, ROOT

ROOMS = ("lanyard", "bot", "console", "conversations", "knowledge", "audit", "access", "storage")
# No load erases anything or rotates keys: tests/test_erasure_kills.py and test_key_crashes.py die at these.
ELSEWHERE = ("erase.", "keys.", "key_file.")
FAILPOINT = re.compile(r"\bfailpoint\(\s*\"([^\"]+)\"")
FULL = os.environ.get("LANYARD_PROVE") == "full"
ROUNDS = 10 if FULL else 1
PASSINGS = 5 if FULL else 1  # dies at the first, the second ... passing in turn
AT_ONCE = 9  # failpoints in one campaign: starting and settling cost more than dying
PATIENCE = 25.0  # seconds of load in which a failpoint must be passed
IMPATIENT = {"answer": 2.0, "lead_silent": 3.0, "next_look": 3.0}  # so that timers run out all the time

SMALL: Any = {"officers": 3, "idvas": 2, "rate": 2.5, "waits": IMPATIENT}


def failpoints() -> list[str]:
    """Every name in the source."""
    files = (file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py")))
    found = {name for file in files for name in FAILPOINT.findall(file.read_text())}
    return sorted(name for name in found if not name.startswith(ELSEWHERE))


def some_at_a_time() -> list[tuple[str, ...]]:
    """The names in groups, each with something of every room; the watch's first, while nobody has anything yet."""
    names = failpoints()
    groups = -(-len(names) // AT_ONCE)
    return [tuple(sorted(names[place::groups], reverse=True)) for place in range(groups)]


def test_intake_courier_and_watch_have_failpoints() -> None:
    rooms = {name.partition(".")[0] for name in failpoints()}
    assert rooms >= {"intake", "courier", "watch"}
    assert len(failpoints()) >= 15


def _die_at(campaign: Campaign, crash_at: str) -> None:
    """Start, work until it dies there. Timers run out only where nobody takes what is offered."""
    campaign.load.ignores = 1.0 if crash_at.startswith("watch.") else 0.3
    campaign.start(crash_at)
    campaign.load.write_some(2)  # while it is dead; then nobody writes until it is ready, however slow the machine
    campaign.load.wait(until=campaign.process.ready_or_dead)
    died = campaign.load.run(PATIENCE, until=lambda: not campaign.process.alive)
    assert died, f"{crash_at} was not passed in {PATIENCE} s of work"
    status = campaign.process.buried()
    assert status == CRASHED, f"{crash_at}: exit status {status}\n{campaign.process.last_lines()}"
    campaign.kills += 1


def _recover(campaign: Campaign) -> None:
    """Start for good; everybody takes what is offered, and is then done with it."""
    campaign.load.ignores = 0.0
    campaign.load.accept_again()
    campaign.start()
    campaign.settle()
    assert campaign.check() == []
    campaign.load.withdraw_all()
    campaign.settle(60)
    campaign.process.kill()


@pytest.mark.prove
@pytest.mark.timeout(7200 if FULL else 240)
@pytest.mark.parametrize("names", some_at_a_time(), ids=lambda names: names[0])
def test_dying_at_a_failpoint_loses_nothing(
    names: tuple[str, ...], database_url: str, tmp_path: Path, seed: int, tell: Tell
) -> None:
    here = names if FULL else names[database_url.startswith("postgresql") :: 2]
    with a_campaign(tmp_path, database_url, seed=seed, **SMALL) as campaign:
        for again in range(ROUNDS):
            for place, name in enumerate(here):
                _die_at(campaign, f"{name}:{1 + (place + again) % PASSINGS}")
            _recover(campaign)
    tell(f"{', '.join(here)}: {rule_of_three(campaign.kills, 'kills')}")
