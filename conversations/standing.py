"""What somebody is to a consultation, and how far it is: what `access.permissions` asks about."""

from __future__ import annotations

from access.permissions import Action, Relation, Stage, roles_for
from conversations import store
from conversations.errors import RoleMissing
from conversations.states import ENDED, OWNED, State
from conversations.tables import Consultation
from conversations.work import Work


def relation_to(work: Work, row: Consultation, person_id: str) -> Relation:
    """What this person is to it; having asked it comes before all else."""
    if person_id == row.officer_id:
        return Relation.ASKER
    if person_id == row.idva_id:
        return Relation.OWNER
    if any(offer.idva_id == person_id for offer in store.open_offers(work.session, row.id)):
        return Relation.OFFERED
    return Relation.FORMER if person_id == row.last_idva_id else Relation.STRANGER


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
