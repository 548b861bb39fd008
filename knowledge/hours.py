"""Opening hours: OpenStreetMap's `opening_hours`, read in Europe/London with England's bank holidays.

Rules kept here:
- "PH off" closes a service on England's bank holidays (`holidays`: the reader of hours knows the wrong ones).
- What is not known, or not confirmed, says so; no hour is guessed.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import opening_hours

LOCAL = ZoneInfo("Europe/London")
BANK_HOLIDAYS = holidays.country_holidays("GB", subdiv="ENG")
PH_OFF = "PH off"
FURTHEST = 14  # days ahead that "opens" looks


class BadHours(ValueError):
    """These are no opening hours. Write them as in OpenStreetMap: `Mo-Fr 09:00-17:00; Sa 10:00-12:00; PH off`."""

    def __str__(self) -> str:
        return self.__doc__ or ""


def require_hours(hours: str) -> None:
    """Check that hours can be read. Raises `BadHours`."""
    if hours:
        _parsed(hours)


def is_open(hours: str, now: datetime) -> bool | None:
    """Whether it is open at a moment; None where the hours are not known. Raises `BadHours`."""
    if not hours:
        return None
    local = now.astimezone(LOCAL)
    if _holiday(hours, local.date()):
        return False
    return _parsed(hours).state(local)[0] is opening_hours.State.OPEN


def next_change(hours: str, now: datetime) -> datetime | None:
    """When it next opens or closes, in local time; None: not within a fortnight. Raises `BadHours`."""
    local, before = now.astimezone(LOCAL), is_open(hours, now)
    end = local + timedelta(days=FURTHEST)
    while local < end:
        change = _parsed(hours).next_change(local)
        midnight = datetime.combine(local.date() + timedelta(days=1), time(), LOCAL)
        # Whether tomorrow is a bank holiday is not known to the reader of hours: look at each midnight too.
        local = min(change, midnight) if change is not None else midnight
        if is_open(hours, local) is not before:
            return local
    return None


def open_state(hours: str, now: datetime, *, confirmed: bool) -> str:
    """What to tell a reader: "open now until 20:00", "closed, opens Mon 09:00", "open 24 hours", "hours not known"."""
    if not hours:
        return "hours not known"
    change = next_change(hours, now)
    local = now.astimezone(LOCAL)
    if is_open(hours, now):
        said = "open 24 hours" if change is None else f"open now until {_when(change, local)}"
    else:
        said = "closed" if change is None else f"closed, opens {_when(change, local)}"
    return said if confirmed else f"{said} (hours not confirmed)"


def _when(moment: datetime, now: datetime) -> str:
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment:%a %H:%M}"


def _holiday(hours: str, day: date) -> bool:
    return PH_OFF in hours and day in BANK_HOLIDAYS


@lru_cache(maxsize=4096)
def _parsed(hours: str) -> opening_hours.OpeningHours:
    kept = ";".join(part for part in hours.split(";") if part.strip() != PH_OFF)
    if not opening_hours.validate(kept):
        raise BadHours
    return opening_hours.OpeningHours(kept, timezone=LOCAL)
