"""Who a request comes from and whether they may. One cookie for each role, so that one browser can hold a window for
each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastapi import Request, Response

from access.permissions import Action, Relation, Stage, allow, roles_for
from access.signin import NotSignedIn, SignedIn, touch, who_is
from access.tables import Role
from console.front import Front
from conversations import store
from conversations.errors import NotYours
from conversations.standing import relation_to, stage_of
from conversations.work import Work


def cookie_name(front: Front, role: Role) -> str:
    """`__Host-` wherever the browser can hold us to it."""
    prefix = "__Host-" if _secure(front) else ""
    return f"{prefix}lanyard-{role.value}"


def set_cookie(front: Front, response: Response, role: Role, token: str) -> None:
    """Hand the session's token to the browser."""
    response.set_cookie(cookie_name(front, role), token, secure=_secure(front), httponly=True, samesite="lax", path="/")


def clear_cookie(front: Front, response: Response, role: Role) -> None:
    """Take it back."""
    response.delete_cookie(cookie_name(front, role), secure=_secure(front), httponly=True, samesite="lax", path="/")


def who(action: Action) -> Callable[[Request], Awaitable[SignedIn]]:
    """A dependency: whoever is signed in and may do this, for rooms of several roles. As `admit`."""

    async def found(request: Request) -> SignedIn:
        return await admit(request, action)

    return found


def permitted(action: Action) -> Callable[[Request], Awaitable[str]]:
    """A dependency: the id of whoever is signed in and may do this. As `admit`."""

    async def found(request: Request) -> str:
        return (await admit(request, action)).person_id

    return found


async def admit(request: Request, action: Action, role: Role | None = None) -> SignedIn:
    """Who is signed in and may do this, to the consultation of the address if it names one. With several windows open
    it is the one that may; `role`: in this role alone. Raises `NotSignedIn`, or `NotYours`."""
    front: Front = request.app.state.front
    roles = sorted(roles_for(action), key=lambda one: one.value) if role is None else [role]
    tokens = {one: token for one in roles if (token := request.cookies.get(cookie_name(front, one))) is not None}
    ref: str | None = request.path_params.get("ref")
    found = await front.run(lambda work: _admitted(work, tokens, action, ref))
    if found.needs_touch and "hx-trigger-name" not in request.headers and not _automatic(request):
        await front.run(lambda work: touch(work.session, found.token_hash, work.now))
    return found


def _admitted(work: Work, tokens: dict[Role, str], action: Action, ref: str | None) -> SignedIn:
    here = _sessions(work, tokens)
    if not here:
        raise NotSignedIn
    row = store.by_ref(work.session, ref) if ref is not None else None
    for one in here:
        relation = relation_to(work, row, one.person_id) if row else Relation.NONE
        if allow(one.role, action, relation, stage_of(row) if row else Stage.NONE):
            return one
    raise NotYours


def _sessions(work: Work, tokens: dict[Role, str]) -> list[SignedIn]:
    found = []
    for role, token in tokens.items():
        with suppress(NotSignedIn):
            found.append(who_is(work.session, token, role, work.now))
    return found


async def look(request: Request, role: Role) -> SignedIn:
    """Who is signed in, without counting as use. Raises `NotSignedIn`."""
    front: Front = request.app.state.front
    token = request.cookies.get(cookie_name(front, role))
    if token is None:
        raise NotSignedIn

    def find(work: Work) -> SignedIn:
        return who_is(work.session, token, role, work.now)

    return await front.run(find)


def _automatic(request: Request) -> bool:
    """Refreshes that nobody asked for do not keep a session alive."""
    return request.headers.get("x-automatic") == "1"


def _secure(front: Front) -> bool:
    return front.line.doors.public_url.startswith("https")
