"""The officer's chat: just write; see where it stands; confirm the advice."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response

from access.permissions import Action
from access.tables import Role
from console.acts import ClientId, Text, own_message, say_in, went
from console.front import Front
from console.page import Pages
from console.session import permitted
from conversations import recalls, store, view
from conversations.case import Case
from conversations.consult import edit, reopen, set_grade, set_incident, set_safe, withdraw
from conversations.errors import NotYours
from conversations.taps import press
from conversations.work import Work

router = APIRouter()
Asking = Annotated[str, Depends(permitted(Action.ASK))]
Reading = Annotated[str, Depends(permitted(Action.READ_ASKED))]
Writing = Annotated[str, Depends(permitted(Action.WRITE_ASKED))]
GRADES = ("high", "medium", "standard", "not_done")


@router.get("/chat")
async def home(request: Request, me: Asking) -> Response:
    """Own consultations, and a place to write."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    return pages.show(
        request, "chat.html", await front.run(lambda work: _listed(work, me)) | {"client_id": front.line.token()}
    )


@router.get("/chat/list")
async def listed(request: Request, me: Asking) -> Response:
    """The list alone, for live refreshing."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    return pages.show(request, "chat-list.html", await front.run(lambda work: _listed(work, me)))


def _listed(work: Work, me: str) -> dict[str, Any]:
    return {"listed": view.officers_list(work, me), "owed": recalls.owed(work, me), "reader": Role.OFFICER}


@router.get("/chat/{ref}")
async def thread(request: Request, ref: str, me: Reading) -> Response:
    """One consultation."""
    return await _thread(request, ref, me, "thread.html")


@router.get("/chat/{ref}/messages")
async def messages(request: Request, ref: str, me: Reading) -> Response:
    """Its messages alone, for live refreshing."""
    return await _thread(request, ref, me, "messages.html")


async def _thread(request: Request, ref: str, me: str, template: str) -> Response:
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages

    def load(work: Work) -> view.ThreadShown:
        if store.by_ref(work.session, ref).officer_id != me:
            raise NotYours
        return view.thread(work, ref, me)

    found = await front.run(load)
    values = {"thread": found, "base": f"/chat/{ref}", "client_id": front.line.token(), "role": Role.OFFICER}
    return pages.show(request, template, values)


@router.post("/chat/say")
async def ask(request: Request, me: Asking, text: Text, client_id: ClientId = "") -> Response:
    """A new question."""
    front: Front = request.app.state.front
    received = await front.say(me, None, text, client_id or front.line.token())
    to = f"/chat/{received.ref}" if received and received.ref else "/chat"
    return went(request, to)


@router.post("/chat/{ref}/say")
async def say(request: Request, ref: str, me: Writing, text: Text, client_id: ClientId = "") -> Response:
    """The officer writes on."""
    return await say_in(request, me, ref, text, client_id, f"/chat/{ref}")


@router.post("/chat/{ref}/tap")
async def tap(request: Request, ref: str, me: Writing, token: Annotated[str, Form(max_length=64)]) -> Response:
    """A button of a notice. What it does is read from its token alone; `ref` is only where to go back to."""
    await request.app.state.front.run(lambda work: press(work, me, token))
    return went(request, f"/chat/{ref}")


@router.post("/chat/{ref}/details")
async def details(
    request: Request,
    ref: str,
    me: Writing,
    grade: Annotated[str, Form()] = "",
    safe: Annotated[str, Form()] = "",
    log: Annotated[str, Form(max_length=30)] = "",
) -> Response:
    """Grade as the officer sets it, victim safe now, incident log number."""

    def change(work: Work) -> None:
        case = _own(work, ref, me)
        if grade in GRADES and grade != case.row.grade:
            set_grade(case, grade)
        if safe in ("yes", "no"):
            set_safe(case, safe == "yes")
        if log.strip():
            set_incident(case, log.strip())

    await request.app.state.front.run(change)
    return went(request, f"/chat/{ref}")


@router.post("/chat/{ref}/withdraw")
async def end(request: Request, ref: str, me: Writing) -> Response:
    """No longer needed."""
    await request.app.state.front.run(lambda work: withdraw(_own(work, ref, me), me))
    return went(request, f"/chat/{ref}")


@router.post("/chat/{ref}/reopen")
async def again(request: Request, ref: str, me: Writing) -> Response:
    """Ask more."""
    await request.app.state.front.run(lambda work: reopen(_own(work, ref, me)))
    return went(request, f"/chat/{ref}")


@router.post("/chat/{ref}/messages/{number}")
async def change(request: Request, ref: str, number: int, me: Writing, text: Text) -> Response:
    """Change one's own words; the first wording stays."""

    def act(work: Work) -> None:
        case = _own(work, ref, me)
        edit(case, own_message(work, case, number), me, text)

    await request.app.state.front.run(act)
    return went(request, f"/chat/{ref}")


def _own(work: Work, ref: str, me: str) -> Case:
    case = Case.load(work, store.by_ref(work.session, ref).id)
    if case.row.officer_id != me:
        raise NotYours
    return case
