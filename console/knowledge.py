"""The catalogue's pages: what is live, one entry with its versions, and proposing a change.

Rules kept here:
- Officers see what they may be offered today, and nothing else exists for them.
- What breaks the rules for entries can be proposed, and its page says what a curator would object to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from access.permissions import Action
from console.acts import went
from console.front import Front
from console.reader import Reader, local_today, reader, show
from conversations import catalogue, from_advice, recalls
from conversations.errors import NotConfirmed
from conversations.work import Work
from knowledge import library
from knowledge.difference import Line, difference
from knowledge.entry import BadEntry, Entry, Published
from knowledge.form import BadForm, empty_fields, from_fields, to_fields
from knowledge.library import WARN, NoSuchVersion, offerable
from knowledge.rules import faults
from knowledge.showing import card
from knowledge.tables import EntryVersion, State

router = APIRouter(prefix="/catalogue/{role}")
Reading = Annotated[Reader, Depends(reader(Action.READ_CATALOGUE))]
ReadingAll = Annotated[Reader, Depends(reader(Action.READ_PROPOSALS))]
Proposing = Annotated[Reader, Depends(reader(Action.PROPOSE_ENTRY))]
Choice = Annotated[str, Query(max_length=80)]


@dataclass(frozen=True)
class Listed:
    """One live entry in the list."""

    entry: Entry
    version: int
    past: bool  # past its review date: officers are not offered it
    due: bool  # will be within 30 days


@dataclass(frozen=True)
class VersionShown:
    """One version, with what a curator decides by."""

    row: EntryVersion
    live: bool
    proposer: str
    decider: str
    title: str
    card: str
    faults: tuple[str, ...]
    changes: tuple[Line, ...]
    own: bool  # the reader proposed it


@router.get("")
async def listed(
    request: Request, me: Reading, topic: Choice = "", kind: Choice = "", trust: Choice = "", review: Choice = ""
) -> Response:
    """What is live, as far as this role may see it."""
    wanted = {"topic": topic, "kind": kind, "trust": trust, "review": review}
    return await show(request, me, "catalogue.html", lambda work: _listed(work, me, wanted))


def _listed(work: Work, me: Reader, wanted: dict[str, str]) -> dict[str, Any]:
    today = local_today(work)
    rows = [_row(one, today) for one in library.live(work.session)]
    rows = [one for one in rows if (me.may(Action.READ_PROPOSALS) or not one.past) and _fits(one, wanted)]
    rows.sort(key=lambda one: (one.entry.review_by if wanted["review"] else date.min, one.entry.title.lower()))
    return {"rows": rows, "wanted": wanted, "counts": _counts(work, me, today), "owed": recalls.owed(work, me.id)}


def _row(one: Published, today: date) -> Listed:
    past = not offerable(one, today)
    return Listed(one.entry, one.version, past, due=not past and one.entry.review_by <= today + WARN)


def _fits(one: Listed, wanted: dict[str, str]) -> bool:
    return (
        wanted["topic"] in ("", *one.entry.topics)
        and wanted["kind"] in ("", one.entry.kind.value)
        and wanted["trust"] in ("", one.entry.confirmation.value)
        and {"due": one.due or one.past, "past": one.past}.get(wanted["review"], True)
    )


def _counts(work: Work, me: Reader, today: date) -> dict[str, int]:
    """What waits for somebody, for whoever may see it."""
    if not me.may(Action.READ_PROPOSALS):
        return {}
    return {
        "proposed": len(library.in_state(work.session, State.PROPOSED)),
        "approved": len(library.in_state(work.session, State.APPROVED)),
        "due": len(library.due_for_review(work.session, today)),
    }


@router.get("/entries/{entry_id}")
async def one(request: Request, me: Reading, entry_id: str) -> Response:
    """One entry as officers see it; its versions for whoever looks after the catalogue."""
    return await show(request, me, "catalogue-entry.html", lambda work: _entry(work, me, entry_id))


def _entry(work: Work, me: Reader, entry_id: str) -> dict[str, Any]:
    live = next((one for one in library.live(work.session) if one.entry.id == entry_id), None)
    today = local_today(work)
    if not me.may(Action.READ_PROPOSALS) and (live is None or not offerable(live, today)):
        raise NoSuchVersion
    rows = library.versions(work.session, entry_id)
    if not rows:
        raise NoSuchVersion
    return {
        "live": _row(live, today) if live else None,
        "card": card(live.entry, work.now).partition("\n\n")[2] if live else "",
        "title": live.entry.title if live else library.title_of(rows[0]),
        "entry_id": entry_id,
        "versions": [shown(work, me, row) for row in rows] if me.may(Action.READ_PROPOSALS) else [],
    }


@router.get("/entries/{entry_id}/{number}")
async def version(request: Request, me: ReadingAll, entry_id: str, number: int) -> Response:
    """One version: what it says, what it changes, what a curator would object to."""

    def load(work: Work) -> dict[str, Any]:
        return {"one": shown(work, me, library.version(work.session, entry_id, number))}

    return await show(request, me, "catalogue-version.html", load)


def shown(work: Work, me: Reader, row: EntryVersion) -> VersionShown:
    """A version as its page and the queue show it."""
    base = library.version(work.session, row.entry_id, row.base).text if row.base else ""
    try:
        entry = library.entry_of(row)
        text, wrong = card(entry, work.now), faults(entry, local_today(work))
    except BadEntry as error:
        text, wrong = row.text, (error.reason,)
    return VersionShown(
        row=row,
        live=library.live_versions(work.session).get(row.entry_id) == row.number,
        proposer=work.person(row.proposed_by).name if row.proposed_by else "the program",
        decider=work.person(row.decided_by).name if row.decided_by else "",
        title=library.title_of(row),
        card=text.partition("\n\n")[2],
        faults=wrong,
        changes=difference(base, row.text) if row.base else (),
        own=row.proposed_by == me.id,
    )


@router.get("/propose")
async def form(request: Request, me: Proposing, entry: Choice = "", advice: Choice = "") -> Response:
    """The form for a new entry, for a change of one, or for what advice has taught."""

    def load(work: Work) -> dict[str, Any]:
        base = _base(work, entry) if entry else None
        body = from_advice.draft(work, advice, me.id) if advice else ""
        fields = to_fields(base) if base else empty_fields(local_today(work), body)
        return {"fields": fields, "entry_id": entry, "advice": bool(advice), "reasons": {}}

    return await show(request, me, "catalogue-propose.html", load)


@router.post("/propose")
async def propose(request: Request, me: Proposing) -> Response:
    """Propose it; or show again what cannot be read, with everything as it was typed."""
    sent = await request.form(max_fields=200)
    fields = {name: [str(value) for value in sent.getlist(name)] for name in sent}
    entry_id, advice = "".join(fields.pop("entry", [])), bool(fields.pop("advice", []))
    confirmed = bool(fields.pop("confirmed", []))

    def act(work: Work) -> EntryVersion:
        if advice and not confirmed:
            raise BadForm({"confirmed": str(NotConfirmed())})
        made = from_fields(fields, _base(work, entry_id) if entry_id else None)
        if not entry_id and library.versions(work.session, made.id):
            raise BadForm({"title": "There is an entry of this title already: change that one, or choose another"})
        return catalogue.propose(work, me.id, made)

    front: Front = request.app.state.front
    try:
        row = await front.run(act)
    except BadForm as bad:
        reasons = bad.reasons
    except BadEntry as bad:
        reasons = {"": bad.reason}
    else:
        return went(request, f"{me.base}/entries/{row.entry_id}/{row.number}")
    values = {"fields": fields, "entry_id": entry_id, "advice": advice, "reasons": reasons}
    return await show(request, me, "catalogue-propose.html", lambda _: values, 422)


def _base(work: Work, entry_id: str) -> Entry:
    """What a change begins from: the live version, or the newest of an entry that is not live."""
    number = library.live_versions(work.session).get(entry_id)
    rows = library.versions(work.session, entry_id)
    if not rows:
        raise NoSuchVersion
    return library.entry_of(rows[0] if number is None else library.version(work.session, entry_id, number))
