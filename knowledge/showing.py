"""An entry as people read it, on a phone, in plain text: numbers to tap, open now or when next, how far to trust it.

Rule kept here: a number, an hour or a conflict that nobody has confirmed says so wherever it is shown.
"""

from __future__ import annotations

from datetime import datetime

from knowledge.entry import Confirmation, Entry, Kind
from knowledge.hours import open_state

TRUST = {
    Confirmation.RUNG: "number checked by ringing it",
    Confirmation.TWO: "number seen at two publishers, not rung",
    Confirmation.TWO_REPOSITORIES: "NOT CONFIRMED: number from secondary lists only",
    Confirmation.OWN: "number from the service's own page, not rung",
    Confirmation.ONE: "NOT CONFIRMED: number from one source only",
    Confirmation.NONE: "NOT CONFIRMED",
}


def card(entry: Entry, now: datetime) -> str:
    """The whole entry. What to ring comes first for a service, what to do first for anything else."""
    reach = _reach(entry, now)
    body = [entry.body.strip()]
    parts = [entry.title, *(reach + body if entry.kind is Kind.SERVICE else body + reach), _footing(entry)]
    return "\n\n".join(part for part in parts if part)


def title_line(entry: Entry, now: datetime) -> str:
    """One line: what it is, and for a service its number and whether it is open."""
    reach = [entry.phones[0].number] if entry.phones else []
    if entry.kind is Kind.SERVICE:
        reach.append(open_state(entry.hours, now, confirmed=entry.hours_confirmed))
    return f"• {entry.title}" + (f" ({', '.join(reach)})" if reach else "")


def _reach(entry: Entry, now: datetime) -> list[str]:
    lines = [f"Ring {one.number}" + (f" ({one.label})" if one.label else "") for one in entry.phones]
    lines += [f"Text {entry.text}"] if entry.text else []
    lines += [entry.web] if entry.web else []
    if entry.kind is Kind.SERVICE:
        lines.append(f"Hours: {open_state(entry.hours, now, confirmed=entry.hours_confirmed)}")
    if entry.cost and entry.phones:
        lines.append(f"Cost: {entry.cost}")
    if entry.phones:
        lines.append(TRUST[entry.confirmation])
    lines += [f"Sources disagree: {one}" for one in entry.conflicts]
    return ["\n".join(lines)] if lines else []


def _footing(entry: Entry) -> str:
    names = "; ".join(f"{one.name} ({one.date})" for one in entry.sources)
    return f"Checked {entry.checked:%d %b %Y} against: {names}"
