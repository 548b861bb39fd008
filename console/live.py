"""Server-sent events: 'something changed', never words. And the browser's word that messages are on the screen."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import StreamingResponse

from access.permissions import Action
from access.signin import NotSignedIn
from console.front import Front
from console.reader import Reader, reader
from console.session import look
from conversations import view

MOST_STREAMS = 3  # for one person
router = APIRouter()
Listening = Annotated[Reader, Depends(reader(Action.LISTEN))]
Showing = Annotated[Reader, Depends(reader(Action.MARK_SHOWN))]


@router.get("/live/{role}")
async def events(request: Request, me: Listening) -> Response:
    """Yields `changed` while the session lasts; ends by itself once it does not. At most three at a time for one
    person: a page past that tries again by itself, and shows what is new when it is opened."""
    if request.app.state.listening[me.id] >= MOST_STREAMS:
        return Response("Too many open pages.", 429, media_type="text/plain")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(request, me), media_type="text/event-stream", headers=headers)


async def _events(request: Request, me: Reader) -> AsyncIterator[str]:
    listening: Counter[str] = request.app.state.listening
    listening[me.id] += 1
    try:
        async for said in _said(request, me):
            yield said
    finally:
        listening[me.id] -= 1


async def _said(request: Request, me: Reader) -> AsyncIterator[str]:
    front: Front = request.app.state.front
    yield "retry: 2000\n\nevent: changed\ndata: -\n\n"
    async for _ in front.live(me.id):
        if await request.is_disconnected():
            return
        try:
            await look(request, me.role)
        except NotSignedIn:
            yield "event: ended\ndata: -\n\n"
            return
        except Exception:  # noqa: BLE001 - the database is away for a moment: the page tries again by itself
            await asyncio.sleep(1)
            continue
        yield "event: changed\ndata: -\n\n"


@router.post("/shown/{role}/{ref}")
async def shown(request: Request, me: Showing, ref: str, ids: Annotated[str, Form(max_length=20_000)]) -> Response:
    """These messages are on the reader's screen."""
    front: Front = request.app.state.front
    await front.run(lambda work: view.shown(work, ref, me.id, ids.split(",")))
    return Response(status_code=204)
