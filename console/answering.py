"""What reviewers ask an IDVA about a consultation that has ended, and the answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from access.permissions import Action
from access.tables import Role
from console.acts import went
from console.front import Front
from console.page import Pages
from console.session import permitted
from conversations import review, review_shown

router = APIRouter(prefix="/desk/reviews")
Answering = Annotated[str, Depends(permitted(Action.ANSWER_REVIEW))]


@router.get("")
async def questions(request: Request, me: Answering) -> Response:
    """Those to oneself."""
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    asked = await front.run(lambda work: review_shown.asked_of(work, me))
    return pages.show(request, "review-questions.html", {"asked": asked, "role": Role.IDVA})


@router.post("/{question_id}")
async def answer(
    request: Request, question_id: str, me: Answering, answer: Annotated[str, Form(max_length=5 * review.LONGEST)]
) -> Response:
    """Once."""
    front: Front = request.app.state.front
    await front.run(lambda work: review.answer(work, question_id, me, answer))
    return went(request, "/desk/reviews")
