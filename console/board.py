"""The supervisor's board: who waits, who has what, who is on duty, what the lead is called for. No words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from access.permissions import Action
from console.acts import Hours, went
from console.desk import until
from console.front import Front
from console.page import HOME, LOCAL, Pages
from console.reader import Reader, reader
from conversations import glass, search, store, view
from conversations.board import Health, OnDutyShown, Overdue, Span, cover_gaps, health, overdue
from conversations.board import duty as duty_of
from conversations.case import Case
from conversations.rota import go_off_duty, go_on_duty
from conversations.work import Work

router = APIRouter(prefix="/board/{role}")
Seeing = Annotated[Reader, Depends(reader(Action.SEE_BOARD))]
Leading = Annotated[Reader, Depends(reader(Action.LEAD))]
Taking = Annotated[Reader, Depends(reader(Action.LEAD_TAKE))]


@dataclass(frozen=True)
class BoardShown:
    """Everything on the board."""

    live: list[view.Summary]
    idvas: list[OnDutyShown]
    leads: list[OnDutyShown]
    on_duty: bool
    overdue: Overdue
    gaps: list[Span]
    health: list[Health]
    glass: int  # emergency accesses of the other organisation to be reviewed


def _board(work: Work, me: Reader) -> BoardShown:
    leads = duty_of(work, store.LEAD_DUTY)
    morning = (work.now.astimezone(LOCAL) + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    return BoardShown(
        live=view.everything_live(work, me.id),
        idvas=duty_of(work, store.IDVA_DUTY),
        leads=leads,
        on_duty=any(one.person.id == me.id for one in leads),
        overdue=overdue(work),
        gaps=cover_gaps(work, morning.astimezone(UTC)),
        health=health(work),
        glass=glass.waiting(work, me.role),
    )


@router.get("")
async def home(request: Request, me: Seeing) -> Response:
    """The board."""
    return await _show(request, me, "board.html")


@router.get("/live")
async def refreshed(request: Request, me: Seeing) -> Response:
    """Its changing part alone."""
    return await _show(request, me, "board-live.html")


async def _show(request: Request, me: Reader, template: str) -> Response:
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    board = await front.run(lambda work: _board(work, me))
    return pages.show(request, template, {"board": board, "role": me.role, "me": me})


@router.post("/duty")
async def duty(request: Request, me: Leading, hours: Hours = "") -> Response:
    """On duty as lead until then, or off duty."""

    def change(work: Work) -> None:
        if hours:
            go_on_duty(work, me.id, store.LEAD_DUTY, until(hours, work.now))
        else:
            go_off_duty(work, me.id, store.LEAD_DUTY)

    await request.app.state.front.run(change)
    return went(request, HOME[me.role])


@router.post("/{ref}/take")
async def take(request: Request, ref: str, me: Taking) -> Response:
    """The lead deals with it in person."""

    def act(work: Work) -> None:
        search.lead_took(Case.load(work, store.by_ref(work.session, ref).id), me.id)

    await request.app.state.front.run(act)
    return went(request, HOME[me.role])
