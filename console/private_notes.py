"""Private notes of IDVAs: added beside the thread, and read by an IDVA lead."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from access.permissions import Action
from access.tables import Role
from console.acts import went
from console.front import Front
from console.page import Pages
from console.session import permitted
from conversations.private_notes import add_note, notes

router = APIRouter()
Noting = Annotated[str, Depends(permitted(Action.NOTE))]
Lead = Annotated[str, Depends(permitted(Action.READ_NOTES))]


@router.post("/desk/{ref}/notes")
async def add(request: Request, ref: str, me: Noting, words: Annotated[str, Form(max_length=4_000)] = "") -> Response:
    """Note something down for the IDVAs."""
    await request.app.state.front.run(lambda work: add_note(work, ref, me, words))
    return went(request, "/desk")


@router.get("/notes/{ref}")
async def read(request: Request, ref: str, me: Lead) -> Response:
    """What the IDVAs noted about one consultation, for their lead."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    found = await front.run(lambda work: notes(work, ref, me))
    return pages.show(request, "notes.html", {"notes": found, "ref": ref.upper(), "role": Role.IDVA_LEAD})
