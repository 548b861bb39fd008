"""Every query about consultations, messages, offers, duty and due times. The queues have `queues`.

Rules kept here:
- Whoever is going to decide about a consultation loads it with `lock`: one decision at a time about each.
- Lock order: consultation, then routing (`lock_routing`), then the trail's head at the very end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from conversations.errors import NotYours
from conversations.routing import OnDuty
from conversations.states import ENDED, OWNED, UNOWNED, State, Timer
from conversations.tables import (
    Consultation,
    Due,
    Erased,
    Held,
    Installation,
    LegalHold,
    Message,
    MessageKind,
    MessageVersion,
    Offer,
    OfferKind,
    Shift,
    Tap,
    Thread,
)
from conversations.tables_duty import StartCheck

IDVA_DUTY = "idva"
LEAD_DUTY = "lead"


def lock(session: Session, consultation_id: str) -> Consultation:
    """The consultation, locked for this transaction. Raises `NotYours` if there is none."""
    query = select(Consultation).where(Consultation.id == consultation_id).with_for_update()
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotYours
    return row


def lock_if_free(session: Session, consultation_id: str) -> Consultation | None:
    """The consultation, locked, or None while somebody else is at it."""
    query = select(Consultation).where(Consultation.id == consultation_id).with_for_update(skip_locked=True)
    return session.scalar(query.execution_options(populate_existing=True))


def by_ref(session: Session, ref: str) -> Consultation:
    """The consultation with this reference, not locked. Raises `NotYours`."""
    row = session.scalar(select(Consultation).where(Consultation.ref == ref.upper()))
    if row is None:
        raise NotYours
    return row


def of_incident(session: Session, incident_hash: str) -> list[Consultation]:
    """All consultations with this incident log number, oldest first."""
    query = select(Consultation).where(Consultation.incident_hash == incident_hash)
    return list(session.scalars(query.order_by(Consultation.asked_at, Consultation.id)))


def ref_taken(session: Session, ref: str) -> bool:
    """Whether a reference was ever given."""
    given = session.scalar(select(Consultation.id).where(Consultation.ref == ref))
    return given is not None or erased(session, ref) is not None


def erased(session: Session, ref: str) -> Erased | None:
    """What is kept of an erased consultation: that it was, and how it went."""
    return session.scalar(select(Erased).where(Erased.ref == ref.upper()))


def ended_before(session: Session, before: datetime) -> list[Consultation]:
    """Everything that ended before then, first ended first."""
    query = select(Consultation).where(Consultation.state.in_(_names(ENDED)), Consultation.ended_at <= before)
    return list(session.scalars(query.order_by(Consultation.ended_at, Consultation.id)))


def standing_holds(session: Session, consultation_ids: Sequence[str]) -> list[LegalHold]:
    """The legal holds on these that nobody has lifted, oldest first."""
    query = select(LegalHold).where(LegalHold.consultation_id.in_(consultation_ids), LegalHold.lifted_at.is_(None))
    return list(session.scalars(query.order_by(LegalHold.placed_at, LegalHold.id)))


def live_of_officer(session: Session, officer_id: str) -> list[Consultation]:
    """The officer's consultations that still owe an answer, newest first."""
    return _all(session, Consultation.officer_id == officer_id, Consultation.state.not_in(_names(ENDED)))


def recent_of_officer(session: Session, officer_id: str, limit: int = 50) -> list[Consultation]:
    """The officer's consultations, newest first."""
    query = select(Consultation).where(Consultation.officer_id == officer_id)
    return list(session.scalars(query.order_by(Consultation.asked_at.desc(), Consultation.id).limit(limit)))


def owned_by(session: Session, idva_id: str) -> list[Consultation]:
    """The live consultations this IDVA has, newest first."""
    return _all(session, Consultation.idva_id == idva_id, Consultation.state.in_(_names(OWNED)))


def open_to(session: Session, person_id: str) -> list[Consultation]:
    """Every live consultation this person can write in, as officer or as IDVA."""
    return live_of_officer(session, person_id) + owned_by(session, person_id)


def just_ended_of(session: Session, idva_id: str, since: datetime) -> list[Consultation]:
    """Consultations this IDVA had that ended or were lost a moment ago."""
    return _all(
        session,
        Consultation.last_idva_id == idva_id,
        Consultation.changed_at >= since,
        or_(
            Consultation.idva_id.is_(None),
            Consultation.idva_id != idva_id,
            Consultation.state.in_(_names(ENDED)),
        ),
    )


def unowned(session: Session) -> list[Consultation]:
    """Everything no IDVA has yet: urgent first, then oldest."""
    query = select(Consultation).where(Consultation.state.in_(_names(UNOWNED)))
    return list(session.scalars(query.order_by(Consultation.urgent.desc(), Consultation.asked_at, Consultation.id)))


def live(session: Session) -> list[Consultation]:
    """Every consultation that still owes something, oldest first."""
    query = select(Consultation).where(Consultation.state.not_in(_names(ENDED)))
    return list(session.scalars(query.order_by(Consultation.asked_at, Consultation.id)))


def position_in_queue(session: Session, row: Consultation) -> int:
    """Where this one stands among those that wait; 1 is next."""
    other = Consultation  # in the order of `unowned`, counted by the database: a crowd asks this again and again
    earlier = or_(other.asked_at < row.asked_at, and_(other.asked_at == row.asked_at, other.id < row.id))
    before = earlier & other.urgent.is_(True) if row.urgent else or_(other.urgent.is_(True), earlier)
    query = select(func.count()).where(other.state.in_(_names(UNOWNED)), other.id != row.id, before)
    return (session.scalar(query) or 0) + 1


def earlier_on_incident(session: Session, row: Consultation) -> list[str]:
    """IDVAs who had an earlier consultation on the same incident, or this very one."""
    had = [row.last_idva_id] if row.last_idva_id else []
    if row.incident_hash is None:
        return had
    query = select(Consultation.last_idva_id).where(
        Consultation.incident_hash == row.incident_hash, Consultation.id != row.id
    )
    return had + [idva for idva in session.scalars(query) if idva]


def lock_routing(session: Session) -> None:
    """One routing decision at a time, so that nobody is offered more than they have room for."""
    session.scalar(select(Installation).where(Installation.name == "routing").with_for_update())


def mark(session: Session, name: str, value: str) -> None:
    """Set a mark of this installation; until this transaction ends, nobody else sets or takes it away."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    made = dialect.insert(Installation).values(name=name, value=value)
    session.execute(made.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def idvas_on_duty(session: Session, row: Consultation, now: datetime) -> list[OnDuty]:
    """Everybody who may be offered this consultation now."""
    people = on_duty(session, IDVA_DUTY, now)
    knowing = set(earlier_on_incident(session, row))
    loads = _loads(session, people)
    query = select(Offer.idva_id, func.max(Offer.offered_at)).where(Offer.idva_id.in_(people)).group_by(Offer.idva_id)
    last_offers = {person: at for person, at in session.execute(query)}  # noqa: C416 - rows are not pairs to dict()
    silent = not_reached(session, people, now)
    return [
        OnDuty(person, loads.get(person, 0), last_offers.get(person), person in knowing, person not in silent)
        for person in people
    ]


def load_of(session: Session, idva_id: str) -> int:
    """How many live consultations this IDVA has, open offers counted."""
    return _loads(session, [idva_id]).get(idva_id, 0)


def on_duty(session: Session, duty: str, now: datetime) -> list[str]:
    """Who is on this duty now, in a fixed order."""
    query = select(Shift.person_id).where(Shift.duty == duty, Shift.starts_at <= now, Shift.ends_at > now)
    return sorted(set(session.scalars(query)))


def current_shift(session: Session, person_id: str, duty: str, now: datetime) -> Shift | None:
    """The shift this person is on now; the one that ends last if there are several."""
    query = select(Shift).where(
        Shift.person_id == person_id, Shift.duty == duty, Shift.starts_at <= now, Shift.ends_at > now
    )
    return session.scalar(query.order_by(Shift.ends_at.desc()).limit(1))


def next_shift(session: Session, now: datetime) -> datetime | None:
    """When the next IDVA comes on duty, as far as is known."""
    return session.scalar(select(func.min(Shift.starts_at)).where(Shift.duty == IDVA_DUTY, Shift.starts_at > now))


def unannounced_shifts(session: Session, now: datetime) -> list[Shift]:
    """Shifts that have begun without the waiting questions having been looked at."""
    query = select(Shift).where(Shift.announced.is_(False), Shift.starts_at <= now).order_by(Shift.starts_at)
    return list(session.scalars(query.with_for_update(skip_locked=True)))


def missed_starts(session: Session, asked_before: datetime, now: datetime) -> list[StartCheck]:
    """Test calls at the start of shifts that still run, which nobody has answered and nobody was told of."""
    query = _unanswered(now).where(StartCheck.missed_at.is_(None), StartCheck.asked_at <= asked_before)
    return list(session.scalars(query.with_for_update(skip_locked=True, of=StartCheck)))


def not_reached(session: Session, people: Sequence[str], now: datetime) -> set[str]:
    """Who of these has not answered the test call of a shift that runs."""
    return {check.person_id for check in session.scalars(_unanswered(now).where(StartCheck.person_id.in_(people)))}


def _unanswered(now: datetime) -> Select[StartCheck]:
    running = select(StartCheck).join(Shift, Shift.id == StartCheck.shift_id).where(Shift.ends_at > now)
    return running.where(StartCheck.answered_at.is_(None))


def offers_of(session: Session, row: Consultation, kind: OfferKind = OfferKind.QUESTION) -> list[Offer]:
    """The offers of the current search, oldest first."""
    query = select(Offer).where(Offer.consultation_id == row.id, Offer.search == row.search, Offer.kind == kind.value)
    return list(session.scalars(query.order_by(Offer.offered_at, Offer.id)))


def open_offers(session: Session, consultation_id: str) -> list[Offer]:
    """Offers of a consultation that nobody has answered yet."""
    query = select(Offer).where(Offer.consultation_id == consultation_id, Offer.outcome.is_(None))
    return list(session.scalars(query.order_by(Offer.offered_at, Offer.id)))


def offers_to(session: Session, idva_id: str) -> list[Offer]:
    """Offers that wait for this IDVA's answer, oldest first."""
    query = select(Offer).where(Offer.idva_id == idva_id, Offer.outcome.is_(None))
    return list(session.scalars(query.order_by(Offer.offered_at, Offer.id)))


def messages_of(session: Session, consultation_id: str) -> list[Message]:
    """The thread, in order."""
    query = select(Message).where(Message.consultation_id == consultation_id)
    return list(session.scalars(query.order_by(Message.number)))


def wordings_of(session: Session, consultation_id: str) -> list[tuple[Message, MessageVersion]]:
    """Every wording of every message of a consultation, in order."""
    query = select(Message, MessageVersion).join(MessageVersion).where(Message.consultation_id == consultation_id)
    found = session.execute(query.order_by(Message.number, MessageVersion.number))
    return [(message, version) for message, version in found]


def last_advice(session: Session, consultation_id: str) -> Message:
    """The advice that stands. Raises NoResultFound where none was given."""
    query = select(Message).where(Message.consultation_id == consultation_id, Message.kind == MessageKind.ADVICE.value)
    return session.scalars(query.order_by(Message.number.desc()).limit(1)).one()


def versions_of(session: Session, message_ids: Sequence[str]) -> dict[str, list[MessageVersion]]:
    """Every wording of these messages, first to last."""
    found: dict[str, list[MessageVersion]] = {message_id: [] for message_id in message_ids}
    query = select(MessageVersion).where(MessageVersion.message_id.in_(message_ids)).order_by(MessageVersion.number)
    for version in session.scalars(query):
        found[version.message_id].append(version)
    return found


def message_of_origin(session: Session, origin: str) -> Message | None:
    """The message that came from this message of a channel."""
    return session.scalar(select(Message).where(Message.origin == origin))


def messages_since(session: Session, person_id: str, since: datetime) -> int:
    """How many messages somebody wrote since then."""
    query = select(func.count()).select_from(Message).where(Message.author_id == person_id, Message.at > since)
    return session.scalar(query) or 0


def set_due(session: Session, consultation_id: str, timer: Timer, at: datetime, count: int = 0) -> None:
    """Set or move a timer."""
    row = session.scalar(select(Due).where(Due.consultation_id == consultation_id, Due.timer == timer.value))
    if row is None:
        session.add(Due(consultation_id=consultation_id, timer=timer.value, at=at, count=count))
    else:
        row.at, row.count = at, count
    session.flush()


def timers_of(session: Session, consultation_id: str) -> dict[Timer, Due]:
    """The timers running for a consultation."""
    rows = session.scalars(select(Due).where(Due.consultation_id == consultation_id))
    return {Timer(row.timer): row for row in rows}


def cancel_timers(session: Session, consultation_id: str, timers: Sequence[Timer]) -> None:
    """Stop these timers."""
    names = [timer.value for timer in timers]
    session.execute(delete(Due).where(Due.consultation_id == consultation_id, Due.timer.in_(names)))


def due_now(session: Session, now: datetime, limit: int = 50) -> list[Due]:
    """What is due, oldest first, at one moment urgent first. Not locked: the consultation is, then the row is looked
    at again."""
    query = select(Due).join(Consultation, Consultation.id == Due.consultation_id).where(Due.at <= now)
    order = (Due.at, Consultation.urgent.desc(), Consultation.asked_at, Due.seq)
    return list(session.scalars(query.order_by(*order).limit(limit)))


def next_due_at(session: Session) -> datetime | None:
    """When the next timer runs out."""
    return session.scalar(select(func.min(Due.at)))


def due_row(session: Session, seq: int) -> Due | None:
    """A due row as it is now, if it is still there."""
    return session.scalar(select(Due).where(Due.seq == seq).execution_options(populate_existing=True))


def held_due(session: Session, now: datetime) -> list[Held]:
    """Held lines about which the line acts by itself now; not locked: each is looked at again when it is."""
    return list(session.scalars(select(Held).where(Held.due_at <= now).order_by(Held.due_at)))


def held_if_free(session: Session, held_id: str, now: datetime) -> Held | None:
    """A held line that is due now, locked; None when it is not, or while somebody else is at it."""
    query = select(Held).where(Held.id == held_id, Held.due_at <= now).with_for_update(skip_locked=True)
    return session.scalar(query.execution_options(populate_existing=True))


def held_of_origin(session: Session, person_id: str, origin: str) -> Held | None:
    """The held line, not resolved yet, that came from this message of a channel."""
    query = select(Held).where(Held.person_id == person_id, Held.origin == origin, Held.due_at.is_not(None))
    return session.scalar(query.with_for_update())


def thread_to(session: Session, person_id: str, remote: str) -> Thread | None:
    """Which consultation a topic of somebody's chat belongs to."""
    return session.scalar(select(Thread).where(Thread.person_id == person_id, Thread.remote == remote))


def expire_taps(session: Session, consultation_id: str, now: datetime, actions: Sequence[str] = ()) -> None:
    """Make the unused buttons of a consultation stale: all, or those of these actions."""
    stale = update(Tap).where(Tap.consultation_id == consultation_id, Tap.used_at.is_(None))
    session.execute((stale.where(Tap.action.in_(actions)) if actions else stale).values(expires_at=now))


def _loads(session: Session, people: Sequence[str]) -> dict[str, int]:
    owned = (
        select(Consultation.idva_id, func.count())
        .where(Consultation.idva_id.in_(people), Consultation.state.in_(_names(OWNED)))
        .group_by(Consultation.idva_id)
    )
    asked = (
        select(Offer.idva_id, func.count())
        .where(Offer.idva_id.in_(people), Offer.outcome.is_(None))
        .group_by(Offer.idva_id)
    )
    loads: dict[str, int] = {}
    for query in (owned, asked):
        for person, count in session.execute(query):
            loads[person or ""] = loads.get(person or "", 0) + count
    return loads


def _all(session: Session, *where: ColumnElement[bool]) -> list[Consultation]:
    query = select(Consultation).where(*where)
    return list(session.scalars(query.order_by(Consultation.asked_at.desc(), Consultation.id)))


def _names(states: frozenset[State]) -> list[str]:
    return sorted(state.value for state in states)


RECENT = timedelta(minutes=2)
"""How long after a consultation ended an IDVA's plain line may still have been meant for it."""
