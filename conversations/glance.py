"""Whether anything changed that a page shows: fingerprints, without opening a word.

Rules kept here:
- Cheap, and no reading: nothing is unsealed, so nothing is recorded. A page that looks every few seconds leaves
  no trace in the trail until there is something new to read.
- A page is compared with what it was made from: both come from `glance`, in one transaction each.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from sqlalchemy import func, select

from access.tables import Role
from conversations import store
from conversations.tables import Consultation, Message, Outbox, Tap
from conversations.work import Work

AROUND = "around"  # what stands beside the consultations: lists, duty
OFFERS = "offers"  # what this IDVA is asked to take
PANES = "panes"  # which consultations this IDVA has


def glance(work: Work, person_id: str, role: Role) -> dict[str, str]:
    """A fingerprint for each consultation of this person (by reference) and for what stands around them."""
    if role is Role.OFFICER:
        rows = store.recent_of_officer(work.session, person_id)
        return _each(work, person_id, rows) | {AROUND: _print(map(_outside, rows))}
    if role is Role.IDVA:
        return _of_idva(work, person_id)
    return {AROUND: _print([*map(_outside, store.live(work.session)), *_duty(work, store.LEAD_DUTY)])}


def _of_idva(work: Work, person_id: str) -> dict[str, str]:
    owned = store.owned_by(work.session, person_id)
    offers = store.offers_to(work.session, person_id)
    asked = _each(work, person_id, [work.session.get_one(Consultation, one.consultation_id) for one in offers])
    return (
        asked
        | _each(work, person_id, owned)
        | {
            OFFERS: _print([*((one.id, one.due_at) for one in offers), *sorted(asked.items())]),
            AROUND: _print([*map(_outside, store.unowned(work.session)), *_duty(work, store.IDVA_DUTY)]),
            PANES: _print(row.ref for row in owned),
        }
    )


def _each(work: Work, person_id: str, rows: list[Consultation]) -> dict[str, str]:
    ids = [row.id for row in rows]
    wordings, receipts, taps = _wordings(work, ids), _receipts(work, person_id, ids), _taps(work, person_id, ids)
    return {
        row.ref: _print([_outside(row), row.messages, wordings.get(row.id), receipts.get(row.id), taps.get(row.id)])
        for row in rows
    }


def _outside(row: Consultation) -> object:
    """What a list shows of it."""
    asked = (row.ref, row.state, row.changed_at, row.urgent, row.grade, row.victim_safe)
    return (*asked, row.incident_hash, row.idva_id, row.transfer_to)


def _wordings(work: Work, ids: list[str]) -> dict[str, object]:
    query = select(Message.consultation_id, func.sum(Message.versions)).where(Message.consultation_id.in_(ids))
    rows = work.session.execute(query.group_by(Message.consultation_id))
    return {found: count for found, count in rows}  # noqa: C416 - rows are not pairs to dict()


def _receipts(work: Work, person_id: str, ids: list[str]) -> dict[str, object]:
    """How far this person's own words have got; what others were shown by the line is not theirs to see."""
    query = (
        select(Outbox.consultation_id, Outbox.state, func.count())
        .join(Message, Message.id == Outbox.message_id)
        .where(Outbox.consultation_id.in_(ids), Message.author_id == person_id, Outbox.person_id != person_id)
        .group_by(Outbox.consultation_id, Outbox.state)
        .order_by(Outbox.consultation_id, Outbox.state)
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for consultation_id, state, count in work.session.execute(query):
        found.setdefault(consultation_id or "", []).append((state, count))
    return dict(found)


def _taps(work: Work, person_id: str, ids: list[str]) -> dict[str, object]:
    """How many buttons still work: pressed elsewhere, they go from every page."""
    query = select(Tap.consultation_id, func.count()).where(
        Tap.consultation_id.in_(ids), Tap.person_id == person_id, Tap.used_at.is_(None), Tap.expires_at > work.now
    )
    return {found or "": count for found, count in work.session.execute(query.group_by(Tap.consultation_id))}


def _duty(work: Work, *duties: str) -> Iterable[object]:
    for duty in sorted({store.IDVA_DUTY, *duties}):
        for person in store.on_duty(work.session, duty, work.now):
            shift = store.current_shift(work.session, person, duty, work.now)
            yield (duty, person, shift.ends_at if shift else None, store.load_of(work.session, person))


def _print(facts: Iterable[object]) -> str:
    return blake2b(repr(list(facts)).encode(), digest_size=6).hexdigest()
