"""An IDVA's own coming shifts, and swaps with colleagues."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import Field

from access.permissions import Action
from access.tables import Role
from console.acts import went
from console.front import Front
from console.page import Pages
from console.people import Fields
from console.session import permitted
from conversations import swaps
from conversations.errors import NoSuchShift
from conversations.rota_shown import called
from conversations.work import Work

router = APIRouter(prefix="/shifts")
Me = Annotated[str, Depends(permitted(Action.OWN_SHIFTS))]


class Asking(Fields):
    """Which shift somebody else should take, and for which of theirs."""

    gives: str = Field(max_length=32)
    takes: str = Field("", max_length=32)  # a shift of a colleague
    of: str = Field("", max_length=32)  # or a colleague, for none


class Answering(Fields):
    """What is said to a swap."""

    answer: swaps.Answer


@router.get("")
async def home(request: Request, me: Me) -> Response:
    """My shifts, and my swaps."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages

    def load(work: Work) -> dict[str, Any]:
        theirs = swaps.of_colleagues(work, me)
        colleagues = called(work, {slot.person_id for _, slot in theirs} | set(swaps.colleagues(work, me)))
        return {
            "mine": swaps.own(work, me),
            "theirs": theirs,
            "people": colleagues,
            "swaps": swaps.open_swaps(work, me),
        }

    values = await front.run(load)
    return pages.show(request, "shifts.html", values | {"me": me, "role": Role.IDVA})


@router.post("")
async def ask(request: Request, me: Me, form: Annotated[Asking, Form()]) -> Response:
    """Ask a colleague."""

    def act(work: Work) -> None:
        whose = dict(swaps.of_colleagues(work, me))
        if form.takes and form.takes not in whose:
            raise NoSuchShift
        of = whose[form.takes].person_id if form.takes else form.of
        swaps.ask(work, me, form.gives, of, form.takes or None)

    await request.app.state.front.run(act)
    return went(request, "/shifts")


@router.post("/{swap_id}")
async def answer(request: Request, me: Me, swap_id: str, form: Annotated[Answering, Form()]) -> Response:
    """Agree, refuse, or take back what one asked."""
    await request.app.state.front.run(lambda work: swaps.answer(work, me, swap_id, form.answer))
    return went(request, "/shifts")
