"""A shift that a file, a pattern or a form asks for, before anybody looks at what is on the rota. Pure.

Rules kept here:
- Times are Europe/London. An hour that happens twice that night, or never, must carry its offset, or all is refused.
- Whose shift it is says the staff id alone, never a name.
- A file is taken whole or not at all; everything that is wrong with it is said, each with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from itertools import pairwise
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Europe/London")
LONGEST_SHIFT = timedelta(hours=14)
HORIZON = timedelta(days=90)  # nothing is planned further ahead
MOST_SHIFTS = 5_000
MOST_BYTES = 512 * 1024
MOST_SAID = 20  # of what is wrong
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)


class Duty(Enum):
    """What somebody is on duty as."""

    IDVA = "idva"  # answers
    LEAD = "lead"  # is called when nobody answers


class BadRota(Exception):
    """What is wrong with a rota, in sentences for whoever brings it."""

    def __init__(self, *wrong: str) -> None:
        more = len(wrong) - MOST_SAID
        super().__init__(" ".join([*wrong[:MOST_SAID], *([f"And {more} more."] if more > 0 else [])]))


@dataclass(frozen=True)
class Asked:
    """One shift that is asked for."""

    staff_id: str
    duty: Duty
    starts_at: datetime  # in UTC
    ends_at: datetime
    where: str  # where it stands in the file: "Line 3"


@dataclass(frozen=True)
class RotaFile:
    """All that a file asks for: those shifts that have not begun, and begin within the horizon."""

    shifts: tuple[Asked, ...]
    begun: int = 0  # how many were left out because they have begun or are over
    later: int = 0  # and how many because they are beyond the horizon


def moment(text: str) -> datetime:
    """A local time, or one with its offset, in UTC. Raises `BadRota`."""
    if not _MOMENT.fullmatch(text):
        raise BadRota(f"{text[:40]!r} is not a time like 2026-11-23T14:00.")
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else from_local(found)
    except (ValueError, OverflowError):
        raise BadRota(f"{text[:40]!r} is no such time.") from None


def from_local(wall: datetime) -> datetime:
    """What the clock on the wall shows, in UTC. Raises `BadRota` where it shows that twice or never."""
    earlier, later = (wall.replace(tzinfo=LOCAL, fold=fold) for fold in (0, 1))
    if earlier.utcoffset() != later.utcoffset():  # fold matters only around a change of the clocks
        there = earlier.astimezone(UTC).astimezone(LOCAL).replace(tzinfo=None) == wall
        how = "twice" if there else "never"
        raise BadRota(
            f"{wall:%Y-%m-%d %H:%M} happens {how} that night (Europe/London): give its offset, for example "
            f"{wall:%Y-%m-%dT%H:%M}+00:00."
        )
    return earlier.astimezone(UTC)


def at_hours(day: date, starts: timedelta, ends: timedelta) -> tuple[datetime, datetime]:
    """A shift by the clock on the wall, in UTC; one that ends no later than it starts ends the next day."""
    midnight = datetime.combine(day, time())
    over = timedelta(days=1) if ends <= starts else timedelta(0)
    return from_local(midnight + starts), from_local(midnight + ends + over)


def only_possible(asked: Sequence[Asked]) -> None:
    """Each of them ends after it starts and is not too long, and nobody is asked to be there twice. Raises
    `BadRota`."""
    wrong = [sentence for one in asked for sentence in _wrong(one)]
    for before, after in overlaps(asked):
        wrong.append(f"{after.where}: overlaps with {before.where[0].lower()}{before.where[1:]} (same person).")
    if wrong:
        raise BadRota(*wrong)


def _wrong(one: Asked) -> list[str]:
    length = one.ends_at - one.starts_at
    if length <= timedelta(0):
        return [f"{one.where}: ends before it starts, or when it starts."]
    if length > LONGEST_SHIFT:
        return [f"{one.where}: lasts {length / timedelta(hours=1):g} hours; 14 is the most."]
    return []


def overlaps(asked: Iterable[Asked]) -> list[tuple[Asked, Asked]]:
    """Pairs that follow each other in which the second of one person's shifts begins before the first has ended."""
    by_person: dict[tuple[str, Duty], list[Asked]] = {}
    for one in asked:
        by_person.setdefault((one.staff_id, one.duty), []).append(one)
    return [
        (before, after)
        for shifts in by_person.values()
        for before, after in pairwise(sorted(shifts, key=lambda one: (one.starts_at, one.ends_at)))
        if after.starts_at < before.ends_at
    ]


def within(asked: Sequence[Asked], now: datetime) -> RotaFile:
    """Those of them that can still be planned, checked. Raises `BadRota`."""
    only_possible(asked)
    begun = sum(one.starts_at <= now for one in asked)
    kept = tuple(one for one in asked if now < one.starts_at <= now + HORIZON)
    return RotaFile(kept, begun, len(asked) - begun - len(kept))
