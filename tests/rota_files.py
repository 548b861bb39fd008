"""Rota files for tests: iCalendar and CSV, as others would send them."""

from __future__ import annotations

from datetime import UTC, datetime

NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)  # a Tuesday in summer time; the clocks go back on the Sunday
HEAD = "staff_id,duty,starts,ends\n"
LONDON = ";TZID=Europe/London:"


def calendar(*events: list[str], around: str = "") -> bytes:
    """An iCalendar file of these events."""
    blocks = ["\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"]) for lines in events]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", around, *blocks, "END:VCALENDAR", ""]).encode()


def event(
    starts: str, ends: str, *more: str, staff_id: str = "N-100", uid: str = "one", kind: str = LONDON
) -> list[str]:
    """One event with local times."""
    return [f"UID:{uid}", f"SUMMARY:{staff_id}", f"DTSTART{kind}{starts}", f"DTEND{kind}{ends}", *more]


def csv_of(*rows: str) -> bytes:
    """A CSV file of these rows."""
    return (HEAD + "\n".join(rows) + "\n").encode()
