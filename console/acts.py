"""What the pages of officers and IDVAs do alike: take in what was typed, go on to the next page."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from console.front import Front
from console.page import Pages
from conversations import store
from conversations.case import Case
from conversations.errors import NotYours
from conversations.tables import Message
from conversations.work import Work

LEASE_WARNING = timedelta(days=14)  # how long before an enrolment ends people are warned
Text = Annotated[str, Form(max_length=20_000)]
Hours = Annotated[str, Form(pattern=r"^(|[0-9]{1,2}|([01]?[0-9]|2[0-3]):[0-5][0-9])$")]  # how long, or until when
ClientId = Annotated[str, Form(max_length=60, pattern=r"[A-Za-z0-9-]*")]


def went(request: Request, to: str) -> Response:
    """Go on to a page of ours; a script is told where and goes by itself."""
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"X-Goes-To": to})
    return RedirectResponse(to, 303)


async def say_in(request: Request, me: str, ref: str, text: str, client_id: str, to: str) -> Response:
    """Somebody writes in the pane of one consultation."""
    front: Front = request.app.state.front
    received = await front.say(me, ref, text, client_id or front.line.token())
    if received is not None and received.answer and received.ref is None:
        pages: Pages = request.app.state.pages
        return pages.show(request, "refused.html", {"sentence": received.answer}, 409)
    return went(request, to)


def own_message(work: Work, case: Case, number: int) -> Message:
    """The message of this number. Raises `NotYours`."""
    for message in store.messages_of(work.session, case.row.id):
        if message.number == number:
            return message
    raise NotYours
