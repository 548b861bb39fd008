"""The reports' room: figures of the line, drawn and in tables; and taking one out of the house."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from access.permissions import Action
from audit.reports.every import REPORTS
from audit.reports.paper import to_csv, to_pdf
from console.front import Front
from console.page import Pages
from console.plots import draw
from console.reader import Reader, reader
from conversations import reports
from conversations.reports import Period, Sharing
from conversations.work import Work

router = APIRouter(prefix="/reports/{role}")
Reading = Annotated[Reader, Depends(reader(Action.READ_REPORTS))]
Taking = Annotated[Reader, Depends(reader(Action.SHARE_REPORT))]
MONTH = "^(20[0-9][0-9]-(0[1-9]|1[0-2]))?$"
Month = Annotated[str, Query(pattern=MONTH)]
Quarter = Annotated[str, Form(pattern="^20[0-9][0-9]-[1-4]$")]
# Letters, digits and what stands in a name of an organisation or a reference; it goes into the trail.
Line = Annotated[str, Form(pattern=r"^[A-Za-z0-9][A-Za-z0-9 .,&'()/:-]{1,79}$")]
FIRST = next(iter(REPORTS))


@router.get("")
async def first(request: Request, me: Reading) -> Response:
    """The first of them, of this month."""
    return await _show(request, me, FIRST, "", "")


@router.get("/{name}")
async def look(request: Request, me: Reading, name: str, since: Month = "", until: Month = "") -> Response:
    """One report."""
    return await _show(request, me, name, since, until)


@router.post("/{name}")
async def share(
    request: Request,
    me: Taking,
    name: str,
    recipient: Line,
    purpose: Line,
    form: Annotated[str, Form(pattern="^(csv|pdf)$")],
    quarter: Quarter,
) -> Response:
    """The report as a file, without small numbers. It is recorded before it is made."""
    front: Front = request.app.state.front
    year, part = map(int, quarter.split("-"))
    sharing = Sharing(recipient, purpose)
    shared = await front.run(lambda work: reports.share(work, me.id, name, (year, part), sharing))
    make, kind = (to_pdf, "application/pdf") if form == "pdf" else (to_csv, "text/csv; charset=utf-8")
    file = await asyncio.to_thread(make, shared)
    called = f"lanyard-{name}-{quarter}.{form}"
    return Response(file, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{called}"'})


async def _show(request: Request, me: Reader, name: str, since: str, until: str) -> Response:
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages

    def load(work: Work) -> dict[str, Any]:
        period = _period(work, since, until)
        shown = reports.look(work, me.id, name, period)
        drawn = [(one, draw(one)) for one in shown.tables]
        return {"shown": shown, "period": period, "drawn": drawn, "quarters": reports.quarters_over(work)}

    values = await front.run(load)
    return pages.show(request, "reports.html", values | {"me": me, "role": me.role, "reports": REPORTS})


def _period(work: Work, since: str, until: str) -> Period:
    """The months asked for; where none is, this one."""
    this = f"{reports.today(work):%Y-%m}"
    begin, end = (date.fromisoformat(f"{month}-01") for month in (since or until or this, until or since or this))
    return Period.of_months(begin, end)
