"""What curators do: decide about proposals, publish with one switch, go back, take an entry out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response

from access.permissions import Action
from console.acts import went
from console.knowledge import Proposing, ReadingAll, VersionShown, shown
from console.reader import Reader, reader, show
from conversations import catalogue
from conversations.work import Work
from knowledge import library
from knowledge.tables import State

router = APIRouter(prefix="/catalogue/{role}")
Deciding = Annotated[Reader, Depends(reader(Action.DECIDE_ENTRY))]
Reason = Annotated[str, Form(max_length=1_000)]
SHOWN_RELEASES = 10


@dataclass(frozen=True)
class ReleaseShown:
    """One release in the list."""

    number: int
    at: datetime
    by: str
    live: bool


@router.get("/proposals")
async def proposals(request: Request, me: ReadingAll) -> Response:
    """What waits for a second curator."""

    def load(work: Work) -> dict[str, Any]:
        return {"waiting": [shown(work, me, row) for row in library.in_state(work.session, State.PROPOSED)]}

    return await show(request, me, "catalogue-proposals.html", load)


@router.get("/publish")
async def publishing(request: Request, me: ReadingAll) -> Response:
    """What publishing would change, and what was live before."""

    def load(work: Work) -> dict[str, Any]:
        changes: list[tuple[VersionShown, int | None]] = [
            (shown(work, me, change.row), change.live) for change in library.waiting(work.session)
        ]
        return {"changes": changes, "releases": _releases(work), "entries": len(library.live_versions(work.session))}

    return await show(request, me, "catalogue-publish.html", load)


def _releases(work: Work) -> list[ReleaseShown]:
    live = library.live_number(work.session)
    return [
        ReleaseShown(
            one.number, one.made_at, work.person(one.made_by).name if one.made_by else "the program", one.number == live
        )
        for one in library.releases(work.session)[:SHOWN_RELEASES]
    ]


@router.post("/publish")
async def publish(request: Request, me: Deciding) -> Response:
    """The switch."""
    return await _act(request, lambda work: catalogue.publish(work, me.id), f"{me.base}/publish")


@router.post("/releases/{number}")
async def switch(request: Request, me: Deciding, number: int) -> Response:
    """Back to another release."""
    return await _act(request, lambda work: catalogue.switch(work, me.id, number), f"{me.base}/publish")


@router.post("/entries/{entry_id}/withdraw")
async def withdraw(request: Request, me: Deciding, entry_id: str, reason: Reason = "") -> Response:
    """Out of the catalogue at once."""
    to = f"{me.base}/entries/{entry_id}"
    return await _act(request, lambda work: catalogue.withdraw(work, me.id, entry_id, reason), to)


@router.post("/entries/{entry_id}/{number}/approve")
async def approve(request: Request, me: Deciding, entry_id: str, number: int) -> Response:
    """A second person agrees."""
    to = f"{me.base}/proposals"
    return await _act(request, lambda work: catalogue.approve(work, me.id, entry_id, number), to)


@router.post("/entries/{entry_id}/{number}/refuse")
async def refuse(request: Request, me: Deciding, entry_id: str, number: int, reason: Reason = "") -> Response:
    """No, with a reason."""
    to = f"{me.base}/entries/{entry_id}/{number}"
    return await _act(request, lambda work: catalogue.refuse(work, me.id, entry_id, number, reason), to)


@router.post("/entries/{entry_id}/{number}/take-back")
async def take_back(request: Request, me: Proposing, entry_id: str, number: int) -> Response:
    """One's own proposal, taken back."""
    to = f"{me.base}/entries/{entry_id}/{number}"
    return await _act(request, lambda work: catalogue.take_back(work, me.id, entry_id, number), to)


async def _act(request: Request, act: Callable[[Work], object], to: str) -> Response:
    await request.app.state.front.run(act)
    return went(request, to)
