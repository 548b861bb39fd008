"""Corrections: recalling an entry or one's own advice, who has not acknowledged it yet, and acknowledging.

An IDVA finds their own advice of the last fortnight here: to correct it, or to make an entry of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from access.permissions import Action
from console.acts import went
from console.front import Front
from console.knowledge import Reading, ReadingAll
from console.page import HOME, LOCAL
from console.reader import Reader, local_today, reader, show
from conversations import recalls, store
from conversations.case import Case
from conversations.errors import WrongPeriod
from conversations.recalls import Wrong
from conversations.work import Work
from knowledge import library, recall

router = APIRouter(prefix="/catalogue/{role}")
Recalling = Annotated[Reader, Depends(reader(Action.RECALL_ENTRY))]
SeeingOwn = Annotated[Reader, Depends(reader(Action.SEE_OWN_ADVICE))]
Correcting = Annotated[Reader, Depends(reader(Action.CORRECT_ADVICE))]
Day = Annotated[str, Form(max_length=10)]
Words = Annotated[str, Form(max_length=4_000)]
USUAL = timedelta(days=30)  # how far back the form begins


@dataclass(frozen=True)
class PersonShown:
    """Somebody whom a correction is for."""

    name: str
    service: str
    active: bool
    acknowledged_at: datetime | None


@dataclass(frozen=True)
class RecallShown:
    """One recall and how far it has come."""

    id: str
    title: str
    correction: str
    first_day: date | None  # shown from this day to the last, both included; None for an advice
    last_day: date | None
    by: str
    at: datetime
    people: tuple[PersonShown, ...]

    @property
    def missing(self) -> tuple[PersonShown, ...]:
        """Who has not acknowledged it."""
        return tuple(one for one in self.people if one.acknowledged_at is None)


@router.get("/recalls")
async def all_recalls(request: Request, me: ReadingAll) -> Response:
    """Every recall, the newest first, with who has not acknowledged it."""

    def load(work: Work) -> dict[str, Any]:
        return {"recalls": [_shown(work, one) for one in recall.recalls(work.session)]}

    return await show(request, me, "catalogue-recalls.html", load)


def _shown(work: Work, found: recall.Reached) -> RecallShown:
    row = found.recall
    people = [(work.person(one.person_id), one.acknowledged_at) for one in found.people]
    return RecallShown(
        id=row.id,
        title=recalls.title(work, row),
        correction=row.correction or "",
        first_day=row.since.astimezone(LOCAL).date() if row.since else None,
        last_day=(row.until - timedelta(microseconds=1)).astimezone(LOCAL).date() if row.until else None,
        by=work.person(row.made_by).name,
        at=row.made_at,
        people=tuple(PersonShown(one.title, one.service, one.active, at) for one, at in people),
    )


@router.get("/recall")
async def form(request: Request, me: Recalling, entry: Annotated[str, Query(max_length=80)]) -> Response:
    """The form that recalls an entry."""

    def load(work: Work) -> dict[str, Any]:
        rows = library.versions(work.session, entry)
        if not rows:
            raise library.NoSuchVersion
        today = local_today(work)
        live = entry in library.live_versions(work.session)
        title = library.title_of(rows[0])
        return {"entry_id": entry, "title": title, "live": live, "since": today - USUAL, "until": today}

    return await show(request, me, "catalogue-recall.html", load)


@router.post("/recall")
async def begin(
    request: Request,
    me: Recalling,
    entry: Annotated[str, Form(max_length=80)],
    since: Day,
    until: Day,
    correction: Words = "",
    withdraw: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """Send the correction to whoever was shown it, both days included."""
    wrong = Wrong(entry, _midnight(since), _midnight(until, days=1), correction, bool(withdraw))
    await _front(request).run(lambda work: recalls.recall_entry(work, me.id, wrong))
    return went(request, f"{me.base}/recalls")


@router.post("/recalls/{recall_id}/again")
async def again(request: Request, me: Recalling, recall_id: str) -> Response:
    """Tell those again who have not acknowledged it."""
    await _front(request).run(lambda work: recalls.send_again(work, me.id, recall_id))
    return went(request, f"{me.base}/recalls")


@router.post("/corrections/{recall_id}")
async def acknowledge(request: Request, me: Reading, recall_id: str) -> Response:
    """Somebody has read a correction."""
    await _front(request).run(lambda work: recalls.acknowledge(work, me.id, recall_id))
    return went(request, HOME[me.role])


@router.get("/advice")
async def advice(request: Request, me: SeeingOwn) -> Response:
    """An IDVA's own advice of the last fortnight, by reference alone."""

    def load(work: Work) -> dict[str, Any]:
        return {"given": [(row.ref, row.changed_at) for row in recalls.advised_by(work, me.id)]}

    return await show(request, me, "catalogue-advice.html", load)


@router.post("/advice/{ref}/recall")
async def recall_advice(request: Request, me: Correcting, ref: str, correction: Words = "") -> Response:
    """Correct one's own advice."""

    def act(work: Work) -> None:
        recalls.recall_advice(Case.load(work, store.by_ref(work.session, ref).id), me.id, correction)

    await _front(request).run(act)
    return went(request, f"{me.base}/recalls")


def _front(request: Request) -> Front:
    front: Front = request.app.state.front
    return front


def _midnight(day: str, days: int = 0) -> datetime:
    """Where this day begins, or `days` after it, where people are."""
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=days), time(), LOCAL)
    except ValueError:
        raise WrongPeriod from None
