"""The trail's room: who did what, when. No words; what is looked for travels in no address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response

from access.permissions import Action
from console.front import Front
from console.page import LOCAL, Pages
from console.reader import Reader, reader
from conversations import trail_search
from conversations.trail_search import KINDS, PAGE, Asked, Found

router = APIRouter(prefix="/trail/{role}")
Searching = Annotated[Reader, Depends(reader(Action.SEARCH_TRAIL))]
Short = Annotated[str, Form(max_length=80)]
Moment = Annotated[str, Form(max_length=16)]
Number = Annotated[str, Form(pattern=r"^[0-9]{0,15}$")]


@router.get("")
async def form(request: Request, me: Searching) -> Response:
    """What can be asked."""
    return _show(request, me, {}, None)


@router.post("")
async def found(
    request: Request,
    me: Searching,
    staff_id: Short = "",
    ref: Short = "",
    log: Short = "",
    kind: Short = "",
    since: Moment = "",
    until: Moment = "",
    before: Number = "",
) -> Response:
    """One page of what was found; looking further is a search again."""
    if kind and kind not in KINDS:
        raise HTTPException(422, "no such kind")
    begin, end = _moment(since), _moment(until)
    asked = Asked(staff_id, ref, log, kind, begin, end, int(before) if before else None)
    front: Front = request.app.state.front
    leaves = await front.run(lambda work: trail_search.search(work, me.id, asked))
    typed = {"staff_id": staff_id, "ref": ref, "log": log, "kind": kind, "since": since, "until": until}
    return _show(request, me, typed, leaves)


def _show(request: Request, me: Reader, typed: dict[str, str], leaves: list[Found] | None) -> Response:
    pages: Pages = request.app.state.pages
    values: dict[str, Any] = {"me": me, "role": me.role, "kinds": KINDS, "typed": typed, "leaves": leaves}
    more = leaves[-1].leaf.index if leaves and len(leaves) == PAGE else None
    return pages.show(request, "trail.html", values | {"more": more})


def _moment(typed: str) -> datetime | None:
    """Minutes where people are, as a browser writes them: 2026-11-23T21:05."""
    if not typed:
        return None
    try:
        return datetime.strptime(typed, "%Y-%m-%dT%H:%M").replace(tzinfo=LOCAL)
    except ValueError:
        raise HTTPException(422, "no such time") from None
