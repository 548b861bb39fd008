"""Made-up entries, and a house with curators, for the tests of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from access.people import NewPerson
from access.tables import Role
from knowledge.entry import Confirmation, Entry, Kind, Phone, Source
from tests.house import TEAM

TODAY = date(2026, 11, 20)
CURATORS = {
    "cleo": NewPerson("C-500", "Cleo Example", "Example Hospitals NHS Trust", frozenset({Role.CURATOR})),
    "carl": NewPerson("C-600", "Carl Sample", "Example Constabulary", frozenset({Role.CURATOR})),
}
WITH_CURATORS = TEAM | CURATORS

ENTRY = Entry(
    id="example-helpline",
    title="Example Helpline",
    kind=Kind.SERVICE,
    topics=("stalking-harassment",),
    body="Ring them for advice. They listen at any hour.",
    areas=("uk",),
    sources=(Source("Example Directory", "2026-10-01"),),
    confirmation=Confirmation.TWO,
    owner="catalogue lead",
    checked=date(2026, 11, 1),
    review_by=date(2027, 5, 1),
    phones=(Phone("01632 960123", "any hour"),),
)


def entry(entry_id: str = "example-helpline", **changes: Any) -> Entry:
    """A made-up entry."""
    return replace(ENTRY, id=entry_id, **changes)
