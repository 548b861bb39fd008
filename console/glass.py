"""Emergency access: break the glass, read, and say of the other organisation's whether it was justified."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response

from access.permissions import Action
from console.acts import went
from console.front import Front
from console.page import Pages
from console.reader import Reader, reader
from conversations import glass
from conversations.work import Work

router = APIRouter(prefix="/glass/{role}")
Breaking = Annotated[Reader, Depends(reader(Action.BREAK_GLASS))]
Reading = Annotated[Reader, Depends(reader(Action.READ_GLASS))]
Reviewing = Annotated[Reader, Depends(reader(Action.REVIEW_GLASS))]
Words = Annotated[str, Form(max_length=2_000)]


@router.get("")
async def form(request: Request, me: Breaking) -> Response:
    """What it is for, and what waits for one's review."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages

    def load(work: Work) -> dict[str, Any]:
        return {"waiting": glass.to_review(work, me.id, me.role) if me.may(Action.REVIEW_GLASS) else []}

    return pages.show(request, "glass.html", await front.run(load) | {"role": me.role})


@router.post("")
async def open_it(request: Request, me: Breaking, ref: Annotated[str, Form(max_length=12)], reason: Words) -> Response:
    """Open one consultation for half an hour."""
    front: Front = request.app.state.front
    opened = await front.run(lambda work: glass.break_glass(work, me.id, me.role, ref, reason))
    return went(request, f"/glass/{me.role.value}/{opened}")


@router.get("/{ref}")
async def read(request: Request, ref: str, me: Reading) -> Response:
    """What the two sides said, while it is open."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    into = await front.run(lambda work: glass.look(work, me.id, me.role, ref))
    return pages.show(request, "glass-thread.html", {"into": into, "thread": into.thread, "role": me.role, "base": ""})


@router.post("/{glass_id}/review")
async def review(
    request: Request, glass_id: str, me: Reviewing, justified: Annotated[bool, Form()], finding: Words = ""
) -> Response:
    """Justified or not."""
    front: Front = request.app.state.front
    await front.run(lambda work: glass.review(work, me.id, me.role, glass_id, finding, justified=justified))
    return went(request, f"/glass/{me.role.value}")
