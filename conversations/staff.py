"""Adding people, giving roles, suspending and letting in again, sign-in links: by administrators and supervisors.

Rules kept here:
- `MAY_GIVE` is the whole table. Supervisors answer for people who are officers or IDVAs and nothing else: a sign-in
  link for an administrator would make its maker one.
- Nobody changes their own roles or access.
- Everything is recorded in the trail, by id; names and staff ids stay sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from access import areas
from access.enrolment import issue_code, void_codes
from access.leases import renew_lease
from access.people import AlreadyKnown, Known, NewPerson, NoSuchPerson, PracticeMix, add_person, is_known, set_standing
from access.permissions import Action, roles_for
from access.roster import set_roles
from access.tables import CodePurpose, Role, Standing
from audit.events import Event
from conversations import rota, wording
from conversations.errors import AboveYou, AlreadyHere, LineError, NoSuchMember, OnOneself, RoleMissing, StaffRefused
from conversations.post import note
from conversations.work import Work

MAY_GIVE: dict[Role, frozenset[Role]] = {
    Role.ADMIN: frozenset(Role),
    Role.SUPERVISOR: frozenset({Role.OFFICER, Role.IDVA}),
}


def may_give(work: Work, by: str) -> frozenset[Role]:
    """The roles this person may give and take. Raises `RoleMissing` for everybody else."""
    person = work.person(by)
    given = frozenset(role for held in person.roles for role in MAY_GIVE.get(held, ()))
    if not person.active or not given:
        raise RoleMissing
    return given


def answers_for(work: Work, by: str, person: Known) -> bool:
    """Whether `by` may change this person: what a page shows. Raises `RoleMissing`."""
    return person.id != by and person.roles <= may_give(work, by)


def member(work: Work, by: str, person_id: str) -> Known:
    """Somebody on the list. Raises `RoleMissing` or `NoSuchMember`."""
    may_give(work, by)
    try:
        return work.person(person_id)
    except NoSuchPerson:
        raise NoSuchMember from None


def look_at_list(work: Work, by: str, people: Sequence[NewPerson]) -> None:
    """Whether the people of a file could be added now. Raises `RoleMissing`, or `StaffRefused` with the line."""
    _each(work, by, people, lambda new: _must_be_new(work, new))


def add_list(work: Work, by: str, people: Sequence[NewPerson]) -> None:
    """Add the people of a file, all or none."""
    _each(work, by, people, lambda new: _add(work, by, new))


def add(work: Work, by: str, new: NewPerson) -> str:
    """Add somebody; gives their id. Raises `RoleMissing`, `AboveYou`, `AlreadyHere` or `StaffRefused`."""
    if not new.roles <= may_give(work, by):
        raise AboveYou
    return _add(work, by, new)


def _each(work: Work, by: str, people: Sequence[NewPerson], act: Callable[[NewPerson], object]) -> None:
    given = may_give(work, by)
    for line, new in enumerate(people, 2):  # the first line names the columns
        try:
            if not new.roles <= given:
                raise AboveYou
            act(new)
        except LineError as refused:
            raise StaffRefused(f"Line {line}: {refused}") from None


def _add(work: Work, by: str, new: NewPerson) -> str:
    person_id = work.new_id()
    try:
        add_person(work.session, work.line.keyring, person_id, replace(new, lease=work.line.policy.lease), work.now)
    except AlreadyKnown:
        raise AlreadyHere from None
    except PracticeMix as refused:
        raise StaffRefused(str(refused)) from None
    work.record(Event.PERSON_ADDED, by, person=person_id, roles=_joined(new.roles))
    return person_id


def _must_be_new(work: Work, new: NewPerson) -> None:
    if is_known(work.session, work.line.keyring, new.staff_id):
        raise AlreadyHere


def give_roles(work: Work, by: str, person_id: str, roles: frozenset[Role]) -> None:
    """Let somebody hold exactly these roles, from the next request on. What a lost role held goes to others."""
    person = _theirs(work, by, person_id)
    if not roles <= may_give(work, by):
        raise AboveYou
    if not roles:
        raise StaffRefused("Choose at least one role.")
    lost = person.roles - roles
    set_roles(work.session, person_id, roles)
    work.record(Event.ROLES_SET, by, person=person_id, roles=_joined(roles), before=_joined(person.roles))
    if lost:
        void_codes(work.session, person_id, work.now)
    for action, leave in ((Action.LEAD, rota.leave_leads), (Action.SEE_DESK, rota.leave_idvas)):
        if lost & roles_for(action) and not roles & roles_for(action):
            leave(work, person_id)
    work.wake(person_id)


def set_area(work: Work, by: str, person_id: str, area: str | None) -> None:
    """Say where somebody works, from their next message on. None: wherever the line's officers are."""
    before = _theirs(work, by, person_id).area
    areas.set_area(work.session, person_id, area)
    work.record(Event.AREA_SET, by, person=person_id, area=area or "", before=before or "")


def suspend(work: Work, by: str, person_id: str) -> None:
    """Take somebody's access away at once."""
    if _theirs(work, by, person_id).active:
        rota.suspend(work, person_id, by)


def let_in_again(work: Work, by: str, person_id: str) -> None:
    """Give somebody who was suspended their access back. They sign in anew."""
    if not _theirs(work, by, person_id).active:
        set_standing(work.session, person_id, Standing.ACTIVE)
        work.record(Event.STANDING_SET, by, person=person_id, standing=Standing.ACTIVE.value)


def renew(work: Work, by: str, person_id: str) -> None:
    """Let somebody's enrolment run anew from today."""
    _theirs(work, by, person_id)
    renew_lease(work.session, person_id, work.now + work.line.policy.lease)
    work.record(Event.LEASE_RENEWED, by, person=person_id)


def make_link(work: Work, by: str, person_id: str, role: Role) -> str:
    """A one-time sign-in link for somebody, in a role they hold. Its person is told at Telegram that it was made."""
    person = _theirs(work, by, person_id)
    if not person.active or role not in person.roles:
        raise StaffRefused("This person cannot sign in in that role now.")
    code = work.line.token()
    issue_code(work.session, code, CodePurpose.SIGN_IN, person_id, work.now, role=role)
    work.record(Event.CODE_ISSUED, by, person=person_id, purpose=CodePurpose.SIGN_IN.value, role=role.value)
    note(work, person_id, wording.say("link_made", by=work.person(by).title))
    return work.line.doors.link(f"/sign-in/{code}")


def _theirs(work: Work, by: str, person_id: str) -> Known:
    """Somebody whom `by` may change. Raises what says why not."""
    person = member(work, by, person_id)
    if person_id == by:
        raise OnOneself
    if not answers_for(work, by, person):
        raise AboveYou
    return person


def _joined(roles: frozenset[Role]) -> str:
    return ",".join(sorted(role.value for role in roles))
