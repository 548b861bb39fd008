"""Reviewing what has ended: the month's list, one's own review with its proof, the grade given later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from access.permissions import Action
from audit.proof import prove
from console.acts import went
from console.front import Front
from console.page import Pages
from console.reader import Reader, local_today, reader
from conversations import review, review_shown, to_review
from conversations.review import Marked
from conversations.tables_review import Mark, Standard
from conversations.wording import GRADES
from conversations.work import Work

router = APIRouter(prefix="/review/{role}")
Reviewing = Annotated[Reader, Depends(reader(Action.REVIEW))]
Grading = Annotated[Reader, Depends(reader(Action.GRADE_LATER))]
Words = Annotated[str, Form(max_length=5 * review.LONGEST)]
Grade = Annotated[str, Form(pattern="^(high|medium|standard|not_done)$")]
Month = Annotated[str, Query(pattern=r"^(20\d\d-(0[1-9]|1[0-2]))?$")]
PAGE = 50  # consultations on one page
STANDARDS = {
    Standard.SAFE: "Safe: nobody was put at risk, and urgent things came first",
    Standard.RIGHT: "Right: by what was known then",
    Standard.RECORDED: "Recorded: somebody who was not there can follow it",
    Standard.KIND: "Kind: everybody was treated with respect",
    Standard.TIMELY: "Timely: it came in time to be of use",
}
MARKS = {Mark.YES: "Yes", Mark.NO: "No", Mark.NOT_APPLICABLE: "Not applicable"}


@router.get("")
async def of_month(
    request: Request, me: Reviewing, month: Month = "", page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    """What ended in a month and is to be reviewed, and how far two reviewers agreed."""

    def load(work: Work) -> dict[str, Any]:
        chosen = month or f"{local_today(work):%Y-%m}"
        found = to_review.of_month(work, me.id, chosen)
        shown = found[(page - 1) * PAGE : page * PAGE]
        more = len(found) > page * PAGE
        return {"month": chosen, "shown": shown, "count": len(found), "page": page, "more": more} | {
            "agreed": review_shown.agreed(found)
        }

    return await _show(request, me, "review-list.html", load)


@router.get("/grade")
async def grade_form(request: Request, me: Grading) -> Response:
    """Say how the risk was graded later."""
    return await _show(request, me, "review-grade.html", lambda _work: {"saved": ""})


@router.post("/grade")
async def grade(request: Request, me: Grading, ref: Annotated[str, Form(max_length=12)], grade: Grade) -> Response:
    """It is kept with the consultation."""

    def act(work: Work) -> dict[str, Any]:
        review.grade_later(work, ref.strip(), me.id, grade)
        return {"saved": ref.strip().upper()}

    return await _show(request, me, "review-grade.html", act)


@router.post("/{ref}/begin")
async def begin(request: Request, ref: str, me: Reviewing) -> Response:
    """Begin, or go on."""
    front: Front = request.app.state.front
    await front.run(lambda work: review.begin(work, ref, me.id))
    return went(request, f"/review/{me.role.value}/{ref}")


@router.get("/{ref}")
async def read(request: Request, ref: str, me: Reviewing) -> Response:
    """What was said, what one made of it, and the proof."""
    front: Front = request.app.state.front

    def load(work: Work) -> dict[str, Any]:
        shown = review_shown.look(work, ref, me.id)
        proof = prove(work.session, shown.consultation, front.checkpoint)
        return {"one": shown, "thread": shown.thread, "proof": proof, "base": ""}

    return await _show(request, me, "review.html", load)


@router.post("/{ref}")
async def keep(
    request: Request,
    ref: str,
    me: Reviewing,
    version: Annotated[int, Form()],
    act: Annotated[str, Form(pattern="^(save|sign|ask)$")],
    comment: Words = "",
    learning: Words = "",
    question: Words = "",
) -> Response:
    """Save it; and sign it off, or ask the IDVA."""
    form = await request.form()
    given = {one: form.get(one.value) for one in Standard}
    marks = {one: mark for one in Standard for mark in Mark if given[one] == mark.value}

    def change(work: Work) -> None:
        found = review.mark(work, review.own(work, ref, me.id).id, me.id, version, Marked(marks, comment, learning))
        if act == "sign":
            review.sign_off(work, found.id, me.id, found.version)
        elif act == "ask":
            review.ask(work, found.id, me.id, found.version, question)

    front: Front = request.app.state.front
    await front.run(change)
    return went(request, f"/review/{me.role.value}/{ref}")


async def _show(request: Request, me: Reader, template: str, load: Callable[[Work], dict[str, Any]]) -> Response:
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages
    values = {"me": me, "role": me.role, "standards": STANDARDS, "marks": MARKS, "grades": GRADES}
    return pages.show(request, template, await front.run(load) | values)
