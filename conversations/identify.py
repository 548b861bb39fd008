"""Somebody came back from the sign-in of their force or trust: they are let in, or it is linked to them.

Rule kept here: what is refused is recorded with the provider's name and without who it was.
"""

from __future__ import annotations

from access import identity as identities
from access.enrolment import CodeRefused, issue_code, peek_code, use_code
from access.oidc import Identity
from access.signin import may_begin, open_session
from access.tables import CodePurpose, Role, Way, WebSession
from audit.events import Event
from conversations import mini_app
from conversations.work import BY_THE_LINE, Work

CHOICES = {Way.PROVIDER: CodePurpose.CHOICE, Way.PASSKEY: CodePurpose.PASSKEY}
"""What somebody who came that way chooses one of their roles with."""


def let_in(work: Work, provider: str, identity: Identity, token: str) -> list[Role]:
    """The roles of whom this is; none: nobody's. With one role, `token` is their session's from now on; with several,
    it is the code with which they choose."""
    person_id = identities.whose(work.session, work.line.keyring, identity)
    roles = arrive(work, person_id, Way.PROVIDER, token, provider=provider) if person_id else []
    if not roles:
        refused(work, provider)
    return roles


def arrive(work: Work, person_id: str, way: Way, token: str, **facts: str) -> list[Role]:
    """As `let_in`, of somebody who is known."""
    held = identities.roles_of(work.session, person_id)
    roles = [one for one in held if may_begin(work.session, person_id, one, work.now)]
    if len(roles) == 1:
        _begin(work, person_id, roles[0], way, token, **facts)
    elif roles:
        issue_code(work.session, token, CHOICES[way], person_id, work.now)
    return roles


def step_up(work: Work, provider: str, identity: Identity, entry_hash: str, token: str) -> str:
    """Somebody came back into the Mini App; gives the page they go on to. Raises `InitDataRefused` for whoever is not
    the person that Telegram named."""
    person_id = identities.whose(work.session, work.line.keyring, identity)
    return mini_app.step_up(work, entry_hash, person_id, Way.PROVIDER, token, provider=provider)


def choose(work: Work, code: str, role: Role, token: str) -> None:
    """Begin in one of one's roles. Raises `CodeRefused`."""
    for way, purpose in CHOICES.items():
        if peek_code(work.session, code, purpose, work.now):
            _begin(work, use_code(work.session, code, purpose, work.now).person_id, role, way, token)
            return
    raise CodeRefused


def link(work: Work, session_hash: str, provider: str, identity: Identity) -> WebSession | None:
    """Link it to whoever holds the session that went there; None: refused."""
    try:
        holder = identities.link(work.session, work.line.keyring, session_hash, provider, identity, work.now)
    except identities.CannotLink:
        refused(work, provider)
        return None
    work.record(Event.IDENTITY_LINKED, holder.person_id, provider=provider)
    return holder


def unlink(work: Work, person_id: str, provider: str) -> None:
    """It is no longer theirs."""
    if identities.unlink(work.session, person_id, provider):
        work.record(Event.IDENTITY_UNLINKED, person_id, provider=provider)


def refused(work: Work, provider: str) -> None:
    """Somebody came back and was not let in."""
    work.record(Event.IDENTITY_REFUSED, BY_THE_LINE, provider=provider)


def _begin(work: Work, person_id: str, role: Role, way: Way, token: str, **facts: str) -> None:
    open_session(work.session, person_id, role, way, token, work.line.policy.lease, work.now)
    work.record(Event.SIGNED_IN, person_id, role=role.value, **facts)
