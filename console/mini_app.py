"""The chat as a Telegram Mini App: Telegram's word for who opened it, then one's own sign-in, then one's questions.

Rules kept here:
- Nothing of Telegram's is loaded. Its client puts `initData` behind the `#` of our address; our own script posts it
  once and takes it out of the address.
- Whatever is refused, here or on the way back from a sign-in, is answered by one and the same page.
- Another way of signing in joins by a route that asks `waiting_entry` and ends with `step_up`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from access.enrolment import hash_of
from access.init_data import InitDataRefused, Refusal, read_init_data
from access.mini_app import ENTRY_LIFE, entry_waits
from access.tables import Role
from console.fields import own_fields_only
from console.front import Front
from console.page import Pages
from console.session import clear_entry, cookie_name, entry_name, set_cookie, set_entry
from conversations import mini_app
from conversations.work import Work

router = APIRouter()


@router.get("/mini-app/{ref}")
async def opened(request: Request, ref: str) -> Response:
    """Telegram's client opens this. The page says nothing of the reference: anybody may ask for it."""
    pages: Pages = request.app.state.pages
    return pages.show(request, "mini-app.html", {"ref": ref})


@router.post("/mini-app", dependencies=[Depends(own_fields_only)])
async def enter(request: Request, init_data: Annotated[str, Form()] = "", ref: Annotated[str, Form()] = "") -> Response:
    """Telegram's word: on to the sign-in, or to the questions where this window is signed in already."""
    front: Front = request.app.state.front
    token = front.line.token() + front.line.token()
    here = [(role, request.cookies.get(cookie_name(front, role), "")) for role in Role]
    try:
        if front.mini_app_key is None:
            raise InitDataRefused(Refusal.OFF)
        found = read_init_data(init_data, front.mini_app_key, front.line.now())
        page = await front.run(lambda work: mini_app.enter(work, found, ref, here, token))
    except InitDataRefused as error:
        return await _refuse(request, error)
    response = RedirectResponse(page or "/mini-app", 303)
    if page is None:
        set_entry(front, response, token, ENTRY_LIFE)
    return response


@router.get("/mini-app")
async def ways(request: Request) -> Response:
    """The sign-ins: the same as on the start page, for whom Telegram named."""
    pages: Pages = request.app.state.pages
    if await waiting_entry(request) is None:
        return not_let_in(request)
    return pages.show(request, "mini-app-sign-in.html", {})


async def waiting_entry(request: Request) -> str | None:
    """The entry of this window, while somebody may go on from it."""
    front: Front = request.app.state.front
    entry_hash = hash_of(request.cookies.get(entry_name(front), ""))
    waits = await front.run(lambda work: entry_waits(work.session, entry_hash, work.now))
    return entry_hash if waits else None


async def step_up(request: Request, token: str, act: Callable[[Work], str]) -> Response:
    """Somebody has just signed in on the way on from the Mini App: `act` begins their session, of `token`, or raises
    `InitDataRefused`."""
    front: Front = request.app.state.front
    try:
        page = await front.run(act)
    except InitDataRefused as error:
        return await _refuse(request, error)
    response = RedirectResponse(page, 303)
    set_cookie(front, response, Role.OFFICER, token)
    clear_entry(front, response)
    return response


def not_let_in(request: Request) -> Response:
    """The one page for whatever is refused."""
    pages: Pages = request.app.state.pages
    return pages.show(request, "identity-refused.html", {}, 403)


async def _refuse(request: Request, error: InitDataRefused) -> Response:
    front: Front = request.app.state.front
    await front.run(lambda work: mini_app.refused(work, error.why))
    return not_let_in(request)
