"""Who a request comes from. One cookie for each role, so that one browser can hold a window for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastapi import Request, Response

from access.signin import NotSignedIn, SignedIn, touch, who_is
from access.tables import Role
from console.front import Front
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


def signed_in(role: Role) -> Callable[[Request], Awaitable[str]]:
    """A dependency: the person signed in, in this role. Raises `NotSignedIn`."""

    async def who(request: Request) -> str:
        front: Front = request.app.state.front
        found = await look(request, role)
        if found.needs_touch and "hx-trigger-name" not in request.headers and not _automatic(request):
            await front.run(lambda work: touch(work.session, found.token_hash, work.now))
        return found.person_id

    return who


def signed_in_as(*roles: Role) -> Callable[[Request], Awaitable[SignedIn]]:
    """A dependency: whoever is signed in, in the first of these roles that is. Raises `NotSignedIn`."""

    async def who(request: Request) -> SignedIn:
        for role in roles:
            with suppress(NotSignedIn):
                await signed_in(role)(request)
                return await look(request, role)
        raise NotSignedIn

    return who


async def in_this_role(request: Request, role: Role) -> SignedIn:
    """A dependency: the person signed in, in the role that the address names. Raises `NotSignedIn`."""
    await signed_in(role)(request)
    return await look(request, role)


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
