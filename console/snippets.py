"""An IDVA's own wording: looked through, added, changed, removed. It is put into an answer at the desk."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from access.permissions import Action
from access.tables import Role
from console.acts import went
from console.front import Front
from console.page import Pages
from console.session import permitted
from conversations.snippets import LONGEST, MOST, add_snippet, change_snippet, remove_snippet, snippets

router = APIRouter(prefix="/wording")
AtDesk = Annotated[str, Depends(permitted(Action.SEE_DESK))]
Words = Annotated[str, Form(max_length=4_000)]
HERE = "/wording"


@router.get("")
async def look(request: Request, me: AtDesk) -> Response:
    """All of one's own."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    found = await front.run(lambda work: snippets(work, me))
    return pages.show(request, "wording.html", {"snippets": found, "role": Role.IDVA, "longest": LONGEST, "most": MOST})


@router.post("")
async def add(request: Request, me: AtDesk, words: Words = "") -> Response:
    """Keep one more."""
    await request.app.state.front.run(lambda work: add_snippet(work, me, words))
    return went(request, HERE)


@router.post("/{snippet}")
async def change(request: Request, snippet: str, me: AtDesk, words: Words = "") -> Response:
    """Word one anew."""
    await request.app.state.front.run(lambda work: change_snippet(work, me, snippet, words))
    return went(request, HERE)


@router.post("/{snippet}/remove")
async def remove(request: Request, snippet: str, me: AtDesk) -> Response:
    """Take one away."""
    await request.app.state.front.run(lambda work: remove_snippet(work, me, snippet))
    return went(request, HERE)
