"""Who may do what: one table of role x action x relation x stage, read by one pure function.

Rules kept here:
- Deny by default: what no row of `GRANTS` allows, nobody may.
- A use case asks for more (whose turn it is, whether there is room) and says why not; this table says who may come to
  it at all. What it refuses does not exist for them: 404.
- Police roles have no row that opens what IDVAs keep to themselves; administrator and auditor have none that opens
  words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from access.tables import Role


class Action(Enum):
    """What can be asked of the pages."""

    LISTEN = "listen"  # be told that something changed; never what
    OWN_ACCOUNT = "own_account"  # end one's sessions, bind one's Telegram account
    MANAGE_PEOPLE = "manage_people"  # add people, give roles, suspend, make sign-in links
    LINK_IDENTITY = "link_identity"  # say which force or trust sign-in is one's own; add and remove passkeys
    MARK_SHOWN = "mark_shown"  # say that messages are on one's screen
    ASK = "ask"  # see one's own consultations, ask something new
    READ_ASKED = "read_asked"  # read what one asked and was answered
    WRITE_ASKED = "write_asked"  # write on, correct, confirm, withdraw, reopen, give grade and log number
    RESTRICT = "restrict"  # restrict it, name who may know of it, lift that
    BREAK_GLASS = "break_glass"  # open one of others in an emergency
    READ_GLASS = "read_glass"  # read what one opened so
    REVIEW_GLASS = "review_glass"  # say whether the other organisation's emergency access was justified
    SEE_DESK = "see_desk"  # offers to oneself, who waits, one's duty
    TAKE = "take"  # accept or decline
    READ_HELD = "read_held"  # read the consultation one has
    ANSWER = "answer"  # write, send an entry, advise, hand over
    NOTE = "note"  # write and read the private notes of IDVAs
    READ_NOTES = "read_notes"  # read them, to lead the IDVAs
    SEARCH_TRAIL = "search_trail"  # what happened, by whom and when; no words
    SEE_OWN_ADVICE = "see_own_advice"  # which advice one gave, by reference
    CORRECT_ADVICE = "correct_advice"  # send a correction of advice to whoever got it
    SEE_BOARD = "see_board"  # who waits, who has what, who is on duty; no words
    REVIEW = "review"  # read and mark what has ended and was drawn, urgent, flagged or graded otherwise later
    GRADE_LATER = "grade_later"  # say how the risk was graded once it had ended
    ANSWER_REVIEW = "answer_review"  # answer what a reviewer asks about a consultation one had
    READ_REPORTS = "read_reports"  # figures of the line; no words, and about no one consultation
    SHARE_REPORT = "share_report"  # take figures out of the house, without small numbers
    LEAD = "lead"  # be on duty as lead
    MANAGE_ROTA = "manage_rota"  # shifts, leave, patterns, imports; no words
    OWN_SHIFTS = "own_shifts"  # see one's coming shifts, swap them with a colleague who agrees
    LEAD_TAKE = "lead_take"  # deal with one in person, as lead
    READ_CATALOGUE = "read_catalogue"  # what officers may be offered
    READ_PROPOSALS = "read_proposals"  # versions, proposals, what is past review
    PROPOSE_ENTRY = "propose_entry"  # a new or changed entry
    DECIDE_ENTRY = "decide_entry"  # approve, refuse, publish, withdraw, switch back
    RECALL_ENTRY = "recall_entry"  # send a correction to whoever was shown it


class Relation(Enum):
    """What somebody is to the consultation in question."""

    NONE = "none"  # it is about no consultation
    STRANGER = "stranger"  # no part in it
    ASKER = "asker"  # asked it, whatever else they are
    OWNER = "owner"  # the IDVA who has it, or had it when it ended
    OFFERED = "offered"  # is being asked to take it
    FORMER = "former"  # the IDVA who had it before
    GLASS = "glass"  # broke the glass to it, less than half an hour ago
    SHUT_OUT = "shut_out"  # it is restricted, and this person not named


class Stage(Enum):
    """How far the consultation in question is."""

    NONE = "none"  # it is about no consultation
    WAITING = "waiting"  # no IDVA has it
    HELD = "held"  # an IDVA has it
    ENDED = "ended"  # nothing is owed


@dataclass(frozen=True)
class Grant:
    """One row: these roles may do this, being that to it, while it is there."""

    action: Action
    roles: frozenset[Role]
    relations: frozenset[Relation] = frozenset({Relation.NONE})
    stages: frozenset[Stage] = frozenset(Stage)


def _grant(
    action: Action, roles: set[Role], relations: set[Relation] | None = None, stages: set[Stage] | None = None
) -> Grant:
    return Grant(action, frozenset(roles), frozenset(relations or {Relation.NONE}), frozenset(stages or Stage))


_A, _R = Action, Relation
_ANYBODY = set(Role)
_BOARD = {Role.SUPERVISOR, Role.IDVA_LEAD}
_READERS = _ANYBODY - {Role.AUDITOR}

GRANTS: tuple[Grant, ...] = (
    _grant(_A.LISTEN, _ANYBODY),
    _grant(_A.OWN_ACCOUNT, _ANYBODY),
    _grant(_A.MANAGE_PEOPLE, {Role.ADMIN, Role.SUPERVISOR}),
    _grant(_A.LINK_IDENTITY, _ANYBODY),
    _grant(_A.MARK_SHOWN, {Role.OFFICER}, {_R.ASKER}),
    _grant(_A.MARK_SHOWN, {Role.IDVA}, {_R.OWNER, _R.OFFERED, _R.FORMER}),
    _grant(_A.ASK, {Role.OFFICER}),
    _grant(_A.READ_ASKED, {Role.OFFICER}, {_R.ASKER}),
    _grant(_A.WRITE_ASKED, {Role.OFFICER}, {_R.ASKER}),
    _grant(_A.RESTRICT, {Role.OFFICER}, {_R.ASKER}),
    _grant(_A.RESTRICT, {Role.IDVA}, {_R.OWNER}),
    _grant(_A.BREAK_GLASS, _BOARD | {Role.SERGEANT}),
    _grant(_A.READ_GLASS, _BOARD | {Role.SERGEANT}, {_R.GLASS}),
    _grant(_A.REVIEW_GLASS, _BOARD),
    _grant(_A.SEE_DESK, {Role.IDVA}),
    # Strangers too: what waits may be taken by whoever is free, and who comes too late is told who has it.
    _grant(_A.TAKE, {Role.IDVA}, {_R.OWNER, _R.OFFERED, _R.FORMER, _R.STRANGER}),
    _grant(_A.READ_HELD, {Role.IDVA}, {_R.OWNER}),
    _grant(_A.ANSWER, {Role.IDVA}, {_R.OWNER}),
    _grant(_A.NOTE, {Role.IDVA}, {_R.OWNER, _R.FORMER}),
    _grant(_A.READ_NOTES, {Role.IDVA_LEAD}, {_R.STRANGER, _R.OWNER, _R.OFFERED, _R.FORMER, _R.GLASS}),
    _grant(_A.SEARCH_TRAIL, {Role.SUPERVISOR, Role.AUDITOR}),
    _grant(_A.SEE_OWN_ADVICE, {Role.IDVA}),
    # A stranger only when whoever advised no longer uses the line: the use case looks.
    _grant(_A.CORRECT_ADVICE, {Role.IDVA}, {_R.OWNER, _R.FORMER, _R.STRANGER}),
    _grant(_A.SEE_BOARD, _BOARD | {Role.SERGEANT}),
    _grant(_A.REVIEW, _BOARD),
    # Whoever had a part is told that somebody else reviews it: the use case looks at all who ever had.
    _grant(_A.REVIEW, _BOARD, set(Relation) - {_R.NONE, _R.SHUT_OUT}, {Stage.ENDED}),
    _grant(_A.GRADE_LATER, {Role.SUPERVISOR, Role.SERGEANT}),
    _grant(_A.ANSWER_REVIEW, {Role.IDVA}),
    _grant(_A.READ_REPORTS, _BOARD),
    _grant(_A.SHARE_REPORT, _BOARD),
    _grant(_A.LEAD, _BOARD),
    _grant(_A.MANAGE_ROTA, _BOARD),
    _grant(_A.OWN_SHIFTS, {Role.IDVA}),
    _grant(_A.LEAD_TAKE, _BOARD, {_R.STRANGER, _R.OWNER, _R.OFFERED, _R.FORMER, _R.GLASS}),
    _grant(_A.READ_CATALOGUE, _READERS),
    _grant(_A.READ_PROPOSALS, {Role.IDVA, Role.IDVA_LEAD, Role.SUPERVISOR, Role.CURATOR}),
    _grant(_A.PROPOSE_ENTRY, {Role.IDVA, Role.CURATOR}),
    _grant(_A.DECIDE_ENTRY, {Role.CURATOR}),
    _grant(_A.RECALL_ENTRY, {Role.CURATOR}),
)


def allow(role: Role, action: Action, relation: Relation = Relation.NONE, stage: Stage = Stage.NONE) -> bool:
    """Whether somebody in this role may do this, being `relation` to a consultation at `stage`."""
    return any(
        one.action is action and role in one.roles and relation in one.relations and stage in one.stages
        for one in GRANTS
    )


def roles_for(action: Action) -> frozenset[Role]:
    """The roles that may do this to some consultation, or at all."""
    return frozenset(role for one in GRANTS if one.action is action for role in one.roles)
