"""Everybody's own account: their sessions, and the Telegram account they are bound to.

Rule kept here: a page shows and changes only what belongs to whoever is signed in; there is no id of a person in any
address.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from access.binding import Echoed, is_asked, is_bound
from access.passkeys import MOST, kept
from access.permissions import Action
from access.signin import open_sessions
from console.acts import LEASE_WARNING, went
from console.front import Front
from console.identity import can_link
from console.page import Pages
from console.reader import Reader, reader
from conversations import own_account
from conversations.work import Work

router = APIRouter(prefix="/account/{role}")
Me = Annotated[Reader, Depends(reader(Action.OWN_ACCOUNT))]


class Typed(BaseModel):
    """The number that the bot said."""

    model_config = ConfigDict(extra="forbid")
    number: str = Field(max_length=20)


@router.get("")
async def home(request: Request, me: Me) -> Response:
    """The account."""
    return await _show(request, me)


@router.post("/sessions/{handle}/end")
async def end_one(request: Request, me: Me, handle: str) -> Response:
    """One session fewer; it may be this one."""
    await request.app.state.front.run(lambda work: own_account.end_one(work, me.id, handle))
    return went(request, _home(me))


@router.post("/others/end")
async def end_others(request: Request, me: Me) -> Response:
    """No session but this."""
    await request.app.state.front.run(lambda work: own_account.end_others(work, me.id, me.token_hash))
    return went(request, _home(me))


@router.post("/telegram/link")
async def link(request: Request, me: Me) -> Response:
    """A link into the bot's chat, on this answer and nowhere else."""
    front: Front = request.app.state.front
    made = await front.run(lambda work: own_account.make_telegram_link(work, me.id, front.bot()))
    return await _show(request, me, made=made)


@router.post("/telegram/number")
async def number(request: Request, me: Me, form: Annotated[Typed, Form()]) -> Response:
    """The number that the bot said."""
    front: Front = request.app.state.front
    typed = form.number.strip()
    came = await front.run(lambda work: own_account.number_typed(work, me.id, typed))
    if came is Echoed.BOUND:
        return went(request, _home(me))
    return await _show(request, me, came=came, status=409)


@router.post("/telegram/unbind")
async def unbind(request: Request, me: Me) -> Response:
    """No Telegram account any more."""
    await request.app.state.front.run(lambda work: own_account.unbind(work, me.id))
    return went(request, _home(me))


def _home(me: Reader) -> str:
    return f"/account/{me.role.value}"


async def _show(
    request: Request, me: Reader, *, made: str | None = None, came: Echoed | None = None, status: int = 200
) -> Response:
    front: Front = request.app.state.front
    pages: Pages = request.app.state.pages

    def load(work: Work) -> dict[str, Any]:
        return {
            "person": work.person(me.id),
            "sessions": open_sessions(work.session, me.id, work.now),
            "bound": is_bound(work.session, me.id),
            "asked": is_asked(work.session, me.id, work.now),
            "telegram": work.line.doors.telegram,
            "passkeys": kept(work.session, me.id),
            "may_link": can_link(work, me),
        }

    values = await front.run(load)
    more = {"me": me, "role": me.role, "base": _home(me), "made": made, "came": came, "warning": LEASE_WARNING}
    return pages.show(request, "account-page.html", values | more | {"site": front.site, "most": MOST}, status)
