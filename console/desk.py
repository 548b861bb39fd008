"""The IDVA's desk: offers, open consultations side by side, advice, transfer, duty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response

from access.people import Known
from access.permissions import Action
from access.tables import Role
from console.acts import ClientId, Hours, Text, own_message, say_in, went
from console.front import Front
from console.page import LOCAL, Pages
from console.session import permitted
from conversations import search, start_check, store, view
from conversations.advise import Advice, AdviceStatus, advise
from conversations.case import Case
from conversations.consult import edit
from conversations.errors import DutyTooLong, NotYours
from conversations.planned import LONGEST_SHIFT
from conversations.private_notes import NoteShown, notes
from conversations.rota import go_off_duty, go_on_duty
from conversations.send_entry import send_entry
from conversations.snippets import SnippetShown, snippets
from conversations.tables import OfferOutcome
from conversations.transfer import accept_transfer, offer_transfer, refuse_transfer
from conversations.work import Work

router = APIRouter()
AtDesk = Annotated[str, Depends(permitted(Action.SEE_DESK))]
Reading = Annotated[str, Depends(permitted(Action.READ_HELD))]
Taking = Annotated[str, Depends(permitted(Action.TAKE))]
Answering = Annotated[str, Depends(permitted(Action.ANSWER))]
Field = Annotated[str, Form(max_length=4_000)]
REASONS = {"busy", "conflict", "other"}


@dataclass(frozen=True)
class DeskShown:
    """Everything on the desk."""

    offers: list[view.OfferShown]
    panes: list[view.ThreadShown]
    waiting: list[view.Summary]
    on_duty_until: datetime | None
    colleagues: list[Known]
    asked_to_answer: bool  # the test call at the start of the shift
    notes: dict[str, list[NoteShown]]  # by reference
    snippets: list[SnippetShown]  # one's own wording
    wording: str  # of the one that was chosen, to stand in the answer box


def _desk(work: Work, me: str, only: str | None = None, wording: str = "") -> DeskShown:
    owned = view.idvas_list(work, me)
    shift = store.current_shift(work.session, me, store.IDVA_DUTY, work.now)
    refs = [one.ref for one in reversed(owned)] if only is None else [only]
    own = snippets(work, me) if refs else []
    colleagues = [one for one in store.on_duty(work.session, store.IDVA_DUTY, work.now) if one != me]
    return DeskShown(
        offers=view.offers(work, me) if only is None else [],
        panes=[_pane(work, ref, me) for ref in refs],
        waiting=view.waiting(work) if only is None else [],
        on_duty_until=shift.ends_at if shift else None,
        colleagues=[work.person(one) for one in colleagues],
        asked_to_answer=bool(store.not_reached(work.session, [me], work.now)),
        notes={ref: notes(work, ref, me) for ref in refs},
        snippets=own,
        wording=next((one.words for one in own if one.id == wording), ""),
    )


def _pane(work: Work, ref: str, me: str) -> view.ThreadShown:
    row = store.by_ref(work.session, ref)
    if row.officer_id == me or row.idva_id != me:
        raise NotYours
    return view.thread(work, ref, me)


def _around(front: Front, desk: DeskShown, me: str) -> dict[str, Any]:
    return {"desk": desk, "make_id": front.line.token, "role": Role.IDVA, "me": me, "AdviceStatus": AdviceStatus}


@router.get("/desk")
async def home(request: Request, me: AtDesk) -> Response:
    """The whole desk."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    desk = await front.run(lambda work: _desk(work, me))
    return pages.show(request, "desk.html", _around(front, desk, me))


@router.get("/desk/offers")
async def offered(request: Request, me: AtDesk) -> Response:
    """Offers and the waiting list alone, for live refreshing. Tells which panes there are."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    desk = await front.run(lambda work: _desk(work, me))
    response = pages.show(request, "desk-offers.html", {"desk": desk})
    response.headers["X-Panes"] = ",".join(pane.summary.ref for pane in desk.panes)
    return response


@router.get("/desk/{ref}")
async def single(request: Request, ref: str, me: Reading, wording: str = "") -> Response:
    """One pane by itself; with a wording of one's own in the answer box, where one was chosen."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    desk = await front.run(lambda work: _desk(work, me, ref, wording))
    return pages.show(request, "desk.html", _around(front, desk, me))


@router.get("/desk/{ref}/messages")
async def messages(request: Request, ref: str, me: Reading) -> Response:
    """The messages of one pane, for live refreshing."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    pane = await front.run(lambda work: _pane(work, ref, me))
    return pages.show(
        request, "messages.html", {"thread": pane, "base": f"/desk/{ref}", "role": Role.IDVA, "swap": True}
    )


@router.post("/desk/duty")
async def duty(request: Request, me: AtDesk, hours: Hours = "") -> Response:
    """On duty until then, or off duty."""

    def change(work: Work) -> None:
        if not hours:
            go_off_duty(work, me, store.IDVA_DUTY)
        else:
            go_on_duty(work, me, store.IDVA_DUTY, until(hours, work.now))

    await request.app.state.front.run(change)
    return went(request, "/desk")


@router.post("/desk/here")
async def here(request: Request, me: AtDesk) -> Response:
    """Answer the test call at the start of the shift."""
    await request.app.state.front.run(lambda work: start_check.answer(work, me))
    return went(request, "/desk")


def until(hours: str, now: datetime) -> datetime:
    """'15:00' is the next such time where people are; '8' is in eight hours. Raises `DutyTooLong`."""
    if ":" not in hours:
        return now + timedelta(hours=min(max(float(hours), 0.5), 14))
    hour, minute = hours.split(":")
    local = now.astimezone(LOCAL).replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    end = local if local > now else local + timedelta(days=1)
    if end - now > LONGEST_SHIFT:
        raise DutyTooLong
    return end


@router.post("/desk/{ref}/accept")
async def accept(request: Request, ref: str, me: Taking) -> Response:
    """Take it."""

    def act(case: Case) -> None:
        if case.transfer_offer() == me:
            accept_transfer(case, me)
        else:
            search.accept(case, me)

    return await _act(request, ref, act, "/desk")


@router.post("/desk/{ref}/decline")
async def decline(request: Request, ref: str, me: Taking, reason: Annotated[str, Form()] = "busy") -> Response:
    """Say no, with a reason."""

    def act(case: Case) -> None:
        if case.transfer_offer() == me:
            refuse_transfer(case, OfferOutcome.DECLINED)
        else:
            search.decline(case, me, reason if reason in REASONS else "other")

    return await _act(request, ref, act, "/desk")


@router.post("/desk/{ref}/say")
async def say(request: Request, ref: str, me: Answering, text: Text, client_id: ClientId = "") -> Response:
    """The IDVA writes; the pane names the consultation, so there is nothing to mix up."""
    return await say_in(request, me, ref, text, client_id, "/desk")


@router.post("/desk/{ref}/send")
async def send(request: Request, ref: str, me: Answering, entry: Annotated[str, Form(max_length=90)]) -> Response:
    """Send an entry of the catalogue to the officer, as it stands."""
    return await _act(request, ref, lambda case: send_entry(case, me, entry), "/desk")


@router.post("/desk/{ref}/advise")
async def give_advice(
    request: Request,
    ref: str,
    me: Answering,
    do_now: Field,
    tell: Field,
    status: Field = "",
    services: Field = "",
    would_change: Field = "",
) -> Response:
    """End with advice."""
    advice = Advice(AdviceStatus.named(status), do_now, tell, services, would_change)
    return await _act(request, ref, lambda case: advise(case, me, advice), "/desk")


@router.post("/desk/{ref}/transfer")
async def pass_on(
    request: Request, ref: str, me: Answering, colleague: Annotated[str, Form(max_length=32)], note: Field = ""
) -> Response:
    """Ask a colleague to take over."""
    return await _act(request, ref, lambda case: offer_transfer(case, me, colleague, note), "/desk")


@router.post("/desk/{ref}/messages/{number}")
async def change(request: Request, ref: str, number: int, me: Answering, text: Text) -> Response:
    """Change one's own words; the first wording stays."""
    return await _act(request, ref, lambda case: edit(case, own_message(case.work, case, number), me, text), "/desk")


async def _act(request: Request, ref: str, act: Callable[[Case], object], to: str) -> Response:
    def run(work: Work) -> None:
        act(Case.load(work, store.by_ref(work.session, ref).id))

    await request.app.state.front.run(run)
    return went(request, to)
