"""Getting in and out, and the few pages that need no session."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse

from access.enrolment import CodeRefused, peek_code
from access.signin import begin_session, end_session
from access.tables import CodePurpose, Role
from audit.events import Event
from console.fields import own_fields_only
from console.front import Front
from console.page import HOME, Pages
from console.session import clear_cookie, cookie_name, look, set_cookie
from conversations.work import Work

router = APIRouter()


@router.get("/")
async def start(request: Request) -> Response:
    """What this is, and how to get in."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    return pages.show(request, "start.html", {"site": front.site})


@router.get("/sign-in/{code}")
async def ask(request: Request, code: str) -> Response:
    """Shows a button: opening a link alone (or a preview of it) does not use it up."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages

    def peek(work: Work) -> str | None:
        found = peek_code(work.session, code, CodePurpose.SIGN_IN, work.now)
        return (found.role or Role.OFFICER.value) if found else None

    role = await front.run(peek)
    if role is None:
        return pages.show(request, "link-refused.html", {}, 404)
    return pages.show(request, "sign-in.html", {"code": code, "role": role})


@router.post("/sign-in", dependencies=[Depends(own_fields_only)])
async def enter(request: Request, code: Annotated[str, Form(max_length=100)]) -> Response:
    """Uses the code up and begins a session."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    token = front.line.token() + front.line.token()

    def begin(work: Work) -> Role:
        row = begin_session(work.session, code, token, work.line.policy.lease, work.now)
        work.record(Event.SIGNED_IN, row.person_id, role=row.role)
        return Role(row.role)

    try:
        role = await front.run(begin)
    except CodeRefused:
        return pages.show(request, "link-refused.html", {}, 404)
    response = RedirectResponse(HOME[role], 303)
    set_cookie(front, response, role, token)
    return response


@router.post("/sign-out/{role}", dependencies=[Depends(own_fields_only)])
async def leave(request: Request, role: Role) -> Response:
    """Ends the session of this role."""
    front: Front = request.app.state.front
    found = await look(request, role)

    def end(work: Work) -> None:
        end_session(work.session, found.token_hash, work.now)
        work.wake(found.person_id)  # a page of theirs that listens ends at once
        work.record(Event.SIGNED_OUT, found.person_id, role=role.value)

    await front.run(end)
    response = RedirectResponse("/", 303)
    # Not "cookies": that would end the sessions of this browser's other windows. Pages are never stored anyway
    # (`no-store`); this also drops what a browser holds on to for going back.
    response.headers["Clear-Site-Data"] = '"cache"'
    clear_cookie(front, response, role)
    return response


@router.get("/board")
async def board(request: Request) -> Response:
    """On to the board in whichever role somebody is here: what a message calls the duty lead with knows no role."""
    front: Front = request.app.state.front
    here = [role for role in HOME if HOME[role].startswith("/board/") and cookie_name(front, role) in request.cookies]
    return RedirectResponse(HOME[here[0]] if here else "/", 303)


@router.get("/offline")
async def offline(request: Request) -> Response:
    """What the service worker shows without a connection: the emergency words."""
    pages: Pages = request.app.state.pages
    return pages.show(request, "offline.html", {})


@router.get("/service-worker.js")
async def worker(request: Request) -> Response:
    """Served from the root, so that it may answer for every page."""
    front: Front = request.app.state.front
    return FileResponse(front.assets / "service-worker.js", media_type="text/javascript")


@router.get("/healthz")
async def health(request: Request) -> Response:
    """The program runs; whether search is whole."""
    front: Front = request.app.state.front
    return PlainTextResponse(f"ok\nsearch: {front.line.guide.health}\n")


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """The database answers too."""
    front: Front = request.app.state.front
    try:
        async with asyncio.timeout(5):
            answers = await front.ready()
    except TimeoutError:
        answers = False
    return JSONResponse({"database": answers}, 200 if answers else 503)
