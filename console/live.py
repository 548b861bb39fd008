"""Server-sent events: 'something changed', never words. And the browser's word that messages are on the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import StreamingResponse

from access.signin import NotSignedIn
from access.tables import Role
from console.front import Front
from console.session import look
from conversations import view

router = APIRouter()


@router.get("/live/{role}")
async def events(request: Request, role: Role) -> Response:
    """Yields `changed` while the session lasts; ends by itself once it does not."""
    found = await look(request, role)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(request, role, found.person_id), media_type="text/event-stream", headers=headers)


async def _events(request: Request, role: Role, person_id: str) -> AsyncIterator[str]:
    front: Front = request.app.state.front
    yield "retry: 2000\n\nevent: changed\ndata: -\n\n"
    async for _ in front.live(person_id):
        if await request.is_disconnected():
            return
        try:
            await look(request, role)
        except NotSignedIn:
            yield "event: ended\ndata: -\n\n"
            return
        except Exception:  # noqa: BLE001 - the database is away for a moment: the page tries again by itself
            await asyncio.sleep(1)
            continue
        yield "event: changed\ndata: -\n\n"


@router.post("/shown/{role}/{ref}")
async def shown(request: Request, role: Role, ref: str, ids: Annotated[str, Form(max_length=20_000)]) -> Response:
    """These messages are on the reader's screen."""
    found = await look(request, role)
    front: Front = request.app.state.front
    await front.run(lambda work: view.shown(work, ref, found.person_id, ids.split(",")))
    return Response(status_code=204)
