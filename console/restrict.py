"""Restricting a consultation whose suspect is police or NHS staff: either side says so, and who else may know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from access.permissions import Action
from console.acts import went
from console.front import Front
from console.page import HOME, Pages
from console.reader import Reader, reader
from conversations import restrict, store
from conversations.case import Case
from conversations.work import Work

router = APIRouter(prefix="/restricted/{role}/{ref}")
Side = Annotated[Reader, Depends(reader(Action.RESTRICT))]


@router.get("")
async def form(request: Request, ref: str, me: Side) -> Response:
    """Whether it is restricted, why, and who may know of it."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    shown = await front.run(lambda work: restrict.shown(work, ref, me.id))
    values = {"shown": shown, "role": me.role, "back": f"{HOME[me.role]}/{shown.ref}"}
    return pages.show(request, "restricted.html", values)


@router.post("")
async def place(request: Request, ref: str, me: Side, suspect: Annotated[restrict.Suspect, Form()]) -> Response:
    """Restrict it."""
    return await _act(request, me, ref, lambda case: restrict.restrict(case, me.id, suspect))


@router.post("/named")
async def name(request: Request, ref: str, me: Side, staff_id: Annotated[str, Form(max_length=80)]) -> Response:
    """Let one more person know of it."""
    return await _act(request, me, ref, lambda case: restrict.name(case, me.id, staff_id))


@router.post("/lift")
async def lift(request: Request, ref: str, me: Side) -> Response:
    """Lift it."""
    return await _act(request, me, ref, lambda case: restrict.lift(case, me.id))


async def _act(request: Request, me: Reader, ref: str, act: Callable[[Case], None]) -> Response:
    def run(work: Work) -> None:
        act(Case.load(work, store.by_ref(work.session, ref).id))

    await request.app.state.front.run(run)
    return went(request, f"/restricted/{me.role.value}/{ref}")
