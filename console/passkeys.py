"""Signing in with a passkey, and adding and removing one's own.

Rules kept here:
- What the browser is asked goes out as JSON; what it answers comes in as an ordinary form, so that every answer of ours
  is a page.
- Whatever is wrong with a passkey is answered by one and the same page.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from access import passkeys as kept_passkeys
from access.identity import CannotLink, FlowRefused, linked
from access.passkey_proof import ANSWER_WITHIN, LONGEST_ANSWER
from access.permissions import Action
from console.acts import went
from console.fields import own_fields_only
from console.front import Front
from console.page import HOME, Pages, day
from console.reader import Reader, reader
from console.session import away_name, clear_away, set_away, set_cookie
from conversations import passkeys
from conversations.work import Work

router = APIRouter()
Owner = Annotated[Reader, Depends(reader(Action.LINK_IDENTITY))]
Answer = Annotated[str, Form(max_length=LONGEST_ANSWER)]


@router.post("/sign-in/passkey/options", dependencies=[Depends(own_fields_only)])
async def ask(request: Request) -> Response:
    """What the browser asks its passkeys."""
    front: Front = request.app.state.front
    site = front.site
    if site is None:
        return _refused(request)
    token = front.line.token() + front.line.token()
    asked = await front.run(lambda work: kept_passkeys.ask_to_sign_in(work.session, site, token, work.now))
    return _asked(front, asked, token)


@router.post("/sign-in/passkey", dependencies=[Depends(own_fields_only)])
async def enter(request: Request, answer: Answer = "") -> Response:
    """What a passkey answers: let in, or refused."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    site, away = front.site, request.cookies.get(away_name(front), "")
    if site is None:
        return _refused(request)
    token = front.line.token() + front.line.token()
    try:
        roles = await front.run(lambda work: passkeys.let_in(work, site, away, answer, token))
    except FlowRefused:
        roles = []
    if not roles:
        response = _refused(request)
    elif len(roles) > 1:
        response = pages.show(request, "identity-role.html", {"code": token, "roles": roles})
    else:
        response = RedirectResponse(HOME[roles[0]], 303)
        set_cookie(front, response, roles[0], token)
    clear_away(front, response)
    return response


@router.post("/account/{role}/passkeys/options")
async def ask_to_add(request: Request, me: Owner) -> Response:
    """What the browser is asked, to make one."""
    front: Front = request.app.state.front
    site = front.site
    if site is None:
        return _refused(request)
    token = front.line.token() + front.line.token()

    def begin(work: Work) -> dict[str, Any]:
        label = f"Added {day(work.now)}"  # tells one from another, and is nobody's name
        return kept_passkeys.ask_to_add(work.session, site, token, me.token_hash, label, work.now)

    try:
        return _asked(front, await front.run(begin), token)
    except CannotLink:
        return _refused(request)


@router.post("/account/{role}/passkeys")
async def add(request: Request, me: Owner, answer: Answer = "") -> Response:
    """It is made."""
    front: Front = request.app.state.front
    site, away = front.site, request.cookies.get(away_name(front), "")
    if site is None:
        return _refused(request)
    try:
        added = await front.run(lambda work: passkeys.add(work, site, away, me.token_hash, answer))
    except FlowRefused:
        added = False
    response = went(request, f"/account/{me.role.value}") if added else _refused(request)
    clear_away(front, response)
    return response


@router.get("/account/{role}/passkeys/{handle}/remove")
async def look(request: Request, me: Owner, handle: str) -> Response:
    """What follows from removing it."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages

    def load(work: Work) -> dict[str, Any]:
        theirs = kept_passkeys.kept(work.session, me.id)
        return {
            "one": next((one for one in theirs if one.handle == handle), None),
            "last": len(theirs) == 1 and not set(linked(work.session, me.id)) & set(front.providers),
        }

    values = await front.run(load)
    if values["one"] is None:
        return went(request, f"/account/{me.role.value}")
    return pages.show(request, "passkey-remove.html", values | {"role": me.role})


@router.post("/account/{role}/passkeys/{handle}/remove")
async def remove(request: Request, me: Owner, handle: str) -> Response:
    """It is no longer theirs."""
    await request.app.state.front.run(lambda work: passkeys.remove(work, me.id, handle))
    return went(request, f"/account/{me.role.value}")


def _asked(front: Front, asked: dict[str, Any], token: str) -> Response:
    response = JSONResponse(asked)
    set_away(front, response, token, ANSWER_WITHIN)
    return response


def _refused(request: Request) -> Response:
    pages: Pages = request.app.state.pages
    return pages.show(request, "passkey-refused.html", {}, 403)
