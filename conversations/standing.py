"""What somebody is to a consultation, and how far it is: what `access.permissions` asks about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from access.permissions import Action, Relation, Stage, roles_for
from conversations import store
from conversations.errors import RoleMissing
from conversations.states import ENDED, OWNED, UNOWNED, State
from conversations.tables import Consultation
from conversations.tables_access import BrokenGlass, NamedReader, Restriction
from conversations.work import Work

HELPLESS = UNOWNED | {State.STALE, State.ADVICE_RAISED}
"""States in which anybody who can help has to see that help is needed, restricted or not."""


def relation_to(work: Work, row: Consultation, person_id: str) -> Relation:
    """What this person is to it; having asked it comes before all else."""
    if person_id == row.officer_id:
        return Relation.ASKER
    if person_id == row.idva_id:
        return Relation.OWNER
    if any(offer.idva_id == person_id for offer in store.open_offers(work.session, row.id)):
        return Relation.OFFERED
    if not seen_by(work, [row], person_id):
        return Relation.SHUT_OUT
    if open_until(work, row.id, person_id) is not None:
        return Relation.GLASS
    return Relation.FORMER if person_id == row.last_idva_id else Relation.STRANGER


def open_until(work: Work, consultation_id: str, person_id: str) -> datetime | None:
    """Until when this person's broken glass leaves it open to them."""
    query = select(func.max(BrokenGlass.ends_at)).where(
        BrokenGlass.consultation_id == consultation_id,
        BrokenGlass.person_id == person_id,
        BrokenGlass.ends_at > work.now,
    )
    return work.session.scalar(query)


def has_part(row: Consultation, person_id: str) -> bool:
    """Whether this is one of its two sides now."""
    return person_id in (row.officer_id, row.idva_id)


def seen_by(work: Work, rows: Sequence[Consultation], person_id: str) -> list[Consultation]:
    """Those of which this person may know at all: not the restricted ones of others, unless help is needed."""
    ids = [row.id for row in rows if State(row.state) not in HELPLESS and not has_part(row, person_id)]
    named = select(NamedReader.consultation_id).where(NamedReader.person_id == person_id)
    hidden = select(Restriction.consultation_id).where(Restriction.consultation_id.not_in(named))
    shut = set(work.session.scalars(hidden.where(Restriction.consultation_id.in_(ids)))) if ids else set()
    return [row for row in rows if row.id not in shut]


def stage_of(row: Consultation) -> Stage:
    """How far it is."""
    state = State(row.state)
    if state in ENDED:
        return Stage.ENDED
    return Stage.HELD if state in OWNED else Stage.WAITING


def may(work: Work, person_id: str, action: Action) -> bool:
    """Whether this person holds a role that may do this to some consultation, or at all."""
    return any(work.has_role(person_id, role) for role in roles_for(action))


def require(work: Work, person_id: str, action: Action) -> None:
    """The second wall, in the use cases. Raises `RoleMissing` for whoever `may` not."""
    if not may(work, person_id, action):
        raise RoleMissing
