"""Searching the trail: each search is itself in the trail before its results are shown.

Rules kept here:
- What is looked for goes into the leaf as ids, labels and times. A log number stands there only as the consultations
  it led to.
- A restricted consultation is found by nobody who may not know of it: its leaves say so, and nothing more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from access.people import NoSuchPerson, find_by_staff_id, services
from access.permissions import Action
from audit.disclosure import Happened
from audit.events import Category, Event
from audit.finding import Wanted, find
from audit.trail import length
from conversations import store
from conversations.disclose import happened
from conversations.errors import NobodyKnown, NotYours
from conversations.standing import require, seen_by
from conversations.tables import Consultation, Erased
from conversations.work import Work

PAGE = 50


@dataclass(frozen=True)
class Asked:
    """What somebody typed. Empty or None: whatever it is."""

    staff_id: str = ""
    ref: str = ""
    log: str = ""  # incident log number, of any force
    kind: str = ""  # an event's label, or a category
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None  # leaves before this one


@dataclass(frozen=True)
class Found:
    """One leaf as it is shown."""

    leaf: Happened
    category: str
    ref: str  # of its consultation; "" where it is about none


def search(work: Work, by: str, asked: Asked) -> list[Found]:
    """The newest leaves that fit, newest first, `PAGE` at most. Raises `RoleMissing`, `NotYours` or `NobodyKnown`."""
    require(work, by, Action.SEARCH_TRAIL)
    wanted = _wanted(work, by, asked)
    _record(work, by, wanted)
    leaves = [json.loads(data) for data in find(work.session, wanted, length(work.session), PAGE)]
    refs = _references(work, by, {one["consultation"] for one in leaves if one["consultation"] is not None})
    return [_found(work, one, refs) for one in leaves]


def _wanted(work: Work, by: str, asked: Asked) -> Wanted:
    person = None
    if asked.staff_id.strip():
        try:
            person = find_by_staff_id(work.session, work.line.keyring, asked.staff_id.strip()).id
        except NoSuchPerson:
            raise NobodyKnown from None
    return Wanted(
        person=person,
        consultations=_consultations(work, by, asked),
        events=_labels(asked.kind),
        since=asked.since,
        until=asked.until,
        before=asked.before,
    )


def _consultations(work: Work, by: str, asked: Asked) -> tuple[str, ...] | None:
    if asked.ref.strip():
        erased = store.erased(work.session, asked.ref.strip())
        if erased is not None:
            return (erased.consultation_id,)
        rows = seen_by(work, [store.by_ref(work.session, asked.ref.strip())], by)
        if not rows:
            raise NotYours
        return (rows[0].id,)
    if asked.log.strip():
        hashes = [work.hash("incident", f"{one}:{asked.log.strip().upper()}") for one in services(work.session)]
        found = [row for one in hashes for row in store.of_incident(work.session, one)]
        return tuple(row.id for row in seen_by(work, found, by))
    return None


def _labels(kind: str) -> tuple[str, ...] | None:
    if not kind:
        return None
    return tuple(one.label for one in Event if kind in (one.label, one.category.value))


def _record(work: Work, by: str, wanted: Wanted) -> None:
    facts: dict[str, Any] = {
        "person": wanted.person,
        "kinds": len(wanted.events) if wanted.events is not None else None,
        "since": int(wanted.since.timestamp()) if wanted.since else None,
        "until": int(wanted.until.timestamp()) if wanted.until else None,
    }
    for consultation in wanted.consultations or (None,):
        work.record(Event.TRAIL_SEARCHED, by, consultation, **facts)


def _references(work: Work, by: str, ids: set[str]) -> dict[str, str]:
    rows = list(work.session.scalars(select(Consultation).where(Consultation.id.in_(ids))))
    seen = {row.id: row.ref for row in seen_by(work, rows, by)}
    erased = work.session.execute(select(Erased.consultation_id, Erased.ref).where(Erased.consultation_id.in_(ids)))
    return (
        dict.fromkeys((row.id for row in rows), "restricted") | seen | {one: f"{ref} (erased)" for one, ref in erased}
    )


def _found(work: Work, leaf: dict[str, Any], refs: dict[str, str]) -> Found:
    ref = refs.get(leaf["consultation"], "") if leaf["consultation"] is not None else ""
    shown = happened(work, leaf if ref != "restricted" else leaf | {"facts": {}})
    return Found(shown, leaf["category"], ref)


KINDS = (*(one.value for one in Category), *(one.label for one in Event))
"""What can be asked for as a kind."""
