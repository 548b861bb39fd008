"""Who a request comes from and whether they may.

Rules kept here:
- One cookie for each role, so that one browser can hold a window for each. A room of several roles has the role in its
  address: nothing is ever done in the name of whoever else is signed in there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from fastapi import Request, Response

from access.permissions import Action, Relation, Stage, allow, roles_for
from access.signin import NotSignedIn, SignedIn, touch, who_is
from access.tables import Role
from console.fields import own_fields_only
from console.front import Front
from conversations import store
from conversations.errors import NotYours
from conversations.standing import relation_to, stage_of
from conversations.work import Work


def cookie_name(front: Front, role: Role) -> str:
    """`__Host-` wherever the browser can hold us to it."""
    return f"{_prefix(front)}lanyard-{role.value}"


def set_cookie(front: Front, response: Response, role: Role, token: str) -> None:
    """Hand the session's token to the browser."""
    response.set_cookie(cookie_name(front, role), token, secure=_secure(front), httponly=True, samesite="lax", path="/")


def clear_cookie(front: Front, response: Response, role: Role) -> None:
    """Take it back."""
    response.delete_cookie(cookie_name(front, role), secure=_secure(front), httponly=True, samesite="lax", path="/")


def set_away(front: Front, response: Response, token: str, life: timedelta) -> None:
    """Mark a browser that goes to a provider's sign-in, or asks a passkey. Lax, or it would not be sent when they come
    back."""
    response.set_cookie(
        away_name(front),
        token,
        max_age=int(life.total_seconds()),
        secure=_secure(front),
        httponly=True,
        samesite="lax",
        path="/",
    )


def clear_away(front: Front, response: Response) -> None:
    """They are back."""
    response.delete_cookie(away_name(front), secure=_secure(front), httponly=True, samesite="lax", path="/")


def away_name(front: Front) -> str:
    """As `cookie_name`, for the way to a provider and back."""
    return f"{_prefix(front)}lanyard-away"


def set_entry(front: Front, response: Response, token: str, life: timedelta) -> None:
    """Mark the window of a Mini App until somebody has signed in there. Strict: no other site leads on from it."""
    response.set_cookie(
        entry_name(front),
        token,
        max_age=int(life.total_seconds()),
        secure=_secure(front),
        httponly=True,
        samesite="strict",
        path="/",
    )


def clear_entry(front: Front, response: Response) -> None:
    """They have."""
    response.delete_cookie(entry_name(front), secure=_secure(front), httponly=True, samesite="strict", path="/")


def entry_name(front: Front) -> str:
    """As `cookie_name`, for the Mini App before the sign-in."""
    return f"{_prefix(front)}lanyard-mini-app"


def permitted(action: Action) -> Callable[[Request], Awaitable[str]]:
    """A dependency for what one role alone may do: the id of whoever is signed in, in it. As `admit`."""
    (role,) = roles_for(action)

    async def found(request: Request) -> str:
        return (await admit(request, action, role)).person_id

    return found


async def admit(request: Request, action: Action, role: Role) -> SignedIn:
    """Who is signed in, in this role, and may do this, to the consultation of the address if it names one. Raises
    `NotSignedIn`, or `NotYours`, or `RequestValidationError` for a form with fields of its own making."""
    front: Front = request.app.state.front
    token = request.cookies.get(cookie_name(front, role), "")
    ref: str | None = request.path_params.get("ref")
    found = await front.run(lambda work: _admitted(work, token, role, action, ref))
    if found.needs_touch and "hx-trigger-name" not in request.headers and not _automatic(request):
        await front.run(lambda work: touch(work.session, found.token_hash, work.now))
    await own_fields_only(request)
    return found


def _admitted(work: Work, token: str, role: Role, action: Action, ref: str | None) -> SignedIn:
    found = who_is(work.session, token, role, work.now)
    relation, stage = Relation.NONE, Stage.NONE
    if ref is not None:
        row = store.by_ref(work.session, ref)
        relation, stage = relation_to(work, row, found.person_id), stage_of(row)
    if not allow(role, action, relation, stage):
        raise NotYours
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


def _prefix(front: Front) -> str:
    return "__Host-" if _secure(front) else ""


def _secure(front: Front) -> bool:
    return front.line.doors.public_url.startswith("https")
