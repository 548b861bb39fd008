"""Services of Open Referral as proposed entries: HSDS 3.0 or the UK profile, a page or a list of services.

Rules kept here:
- What the standard cannot say, a curator says (`Given`): who answers for an entry, until when, where, on what topic.
  A service for which nobody says it is refused with its line.
- What is not understood is kept as it was written, and goes out again with the entry (`parts`).
- HTML is taken out of every text; a link of any kind that runs or opens something is refused.
- A file that would tell where a refuge is, is refused.
"""

from __future__ import annotations

import html
import json
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import nh3

from knowledge.entry import Confirmation, Entry, Kind, Published, Source
from knowledge.form import slug
from knowledge.imports import MOST_FILES, Json
from knowledge.referral.parts import (
    OURS,
    PARTS,
    Doc,
    Wrong,
    areas_of,
    audience_of,
    body_of,
    checked_of,
    cost_of,
    languages_of,
    object_of,
    objects_of,
    our_id,
    phones_of,
    service_id,
    text_of,
    topics_of,
)
from knowledge.referral.proposed import Found, Given, Note, Refusals
from knowledge.referral.schedules import hours_of, same_hours
from knowledge.referral.writing import ACTIVE, alert_of, is_refuge, place_given_away, service

LONGEST_TEXT = 20_000  # characters of one value
LINES = {"phones": "phones", "web": "url", "hours": "schedules"}  # facts by the properties that hold them
UNDATED = "undated"
SPOKEN_FOR = (OURS, "name", "status", "attributes", "alert")  # what `_beyond` looks at by itself, or not at all
STATUSES = frozenset({"active", "inactive", "defunct", "temporarily closed"})

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_RUNS = re.compile(r"(?i)^\W*(?:javascript|data|vbscript|file|blob|ftp)\s*:(?!\s)")


@dataclass(frozen=True)
class Reading:
    """What a file is read against."""

    given: Given
    live: Mapping[str, Entry]
    today: date


def found_in(read: Json, against: Reading) -> tuple[list[Found], list[Note]]:
    """The entries that a file describes, and a note of each service that is left out. Raises `BadEntry`."""
    known = {service_id(entry).lower(): entry for entry in against.live.values()}
    refusals = Refusals()
    found: list[Found] = []
    left_out: list[Note] = []
    for path, value in _services(read):
        line = read.line_of(path)
        try:
            doc = _plain(value)
            if text_of(doc, "status") == ACTIVE:
                entry, notes = _entry(doc, known.get(text_of(doc, "id").lower()), against, read.file)
                lines = {fact: read.line_of((*path, name)) for fact, name in LINES.items()}
                found.append(Found(entry, read.file, line, notes, lines))
            else:
                left_out.append(Note(read.file, line, text_of(doc, "name"), _left_out(doc)))
        except Wrong as wrong:
            refusals.add(read.refuse((*path, *wrong.path), wrong.reason))
    refusals.settle()
    return found, left_out


def _services(read: Json) -> list[tuple[tuple[str | int, ...], Any]]:
    """Every service of a page, of a list, or the only one, with its path. Raises `BadEntry`."""
    value, path = read.value, tuple[str | int, ...]()
    if isinstance(value, dict) and "contents" in value:
        value, path = value["contents"], ("contents",)
    if isinstance(value, dict) and "name" in value:
        return [((), value)]
    if not isinstance(value, list) or not value:
        raise read.refuse(path, "it holds no services: a page with contents, a list of services, or one service")
    if len(value) > MOST_FILES:
        raise read.refuse(path, f"it holds more than {MOST_FILES} services")
    for at, one in enumerate(value):
        if not isinstance(one, dict):
            raise read.refuse((*path, at), "a service is an object")
    return [((*path, at), one) for at, one in enumerate(value)]


def _plain(value: Any, path: tuple[str | int, ...] = ()) -> Any:
    """A document without HTML, hidden characters and nulls. Raises `Wrong` for what must not be in any text."""
    if isinstance(value, dict):
        return {name: _plain(one, (*path, name)) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_plain(one, (*path, at)) for at, one in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise Wrong(path, "no such number")
    return plain_text(value, path) if isinstance(value, str) else value


def plain_text(text: str, path: tuple[str | int, ...]) -> str:
    """A text as it may be kept. Raises `Wrong`."""
    if len(text) > LONGEST_TEXT:
        raise Wrong(path, f"a text longer than {LONGEST_TEXT} characters")
    text = _HIDDEN.sub("", text).strip()
    if nh3.is_html(text):
        text = _HIDDEN.sub("", html.unescape(nh3.clean(text, tags=set()))).strip()
        if nh3.is_html(text):
            raise Wrong(path, "HTML within HTML: plain text only")
    if _RUNS.match(text):
        raise Wrong(path, f"a link that is none to a page: {text[:40]!r}")
    return text


def _left_out(doc: Doc) -> str:
    status = text_of(doc, "status")
    if status not in STATUSES:
        raise Wrong(("status",), f"status is one of {', '.join(sorted(STATUSES))}; not {status[:40]!r}")
    return f"left out: it is {status}. If the live catalogue has it, withdraw it there"


def _entry(doc: Doc, base: Entry | None, against: Reading, file: str) -> tuple[Entry, tuple[str, ...]]:
    """The entry that a service describes, and what a curator should know of it. Raises `Wrong`."""
    if is_refuge({name: value for name, value in doc.items() if name != "attributes"}):
        place = place_given_away(doc)
        if place is not None:
            raise Wrong(place, "an address beside the word refuge: addresses of refuges are never written down")
    ours, given = object_of(doc, OURS), against.given
    phones, text = phones_of(doc)
    entry = Entry(
        **_name(doc, base, against.live),
        kind=Kind.SERVICE,
        topics=_said(topics_of(doc), given.topics, base and base.topics, "a topic", "--topic"),
        body=body_of(doc),
        areas=_said(areas_of(doc), given.areas, base and base.areas, "an area known here", "--area"),
        sources=_sources(doc, ours, file),
        confirmation=_confirmation(ours),
        owner=_said(text_of(ours, "owner"), given.owner, base and base.owner, "an owner", "--owner"),
        checked=checked_of(doc) or against.today,
        review_by=_said(
            _day(ours, "review_by"), given.review_by, base and base.review_by, "a review date", "--review-by"
        ),
        flags=base.flags if base else (),
        audience=audience_of(doc),
        phones=phones,
        text=text,
        web=text_of(doc, "url"),
        hours=_hours(doc, ours),
        hours_confirmed=ours.get("opening_hours_confirmed") is True,
        cost=cost_of(doc),
        languages=languages_of(doc),
        says=base.says if base else (),
        conflicts=_texts(ours, "conflicts"),
        supersedes=_texts(ours, "supersedes"),
    )
    entry = replace(entry, extra=dict(entry.extra) | _beyond(doc, entry))
    return entry, _to_know(doc, entry)


def _name(doc: Doc, base: Entry | None, live: Mapping[str, Entry]) -> dict[str, Any]:
    """Id and title, and the UUID where it is not one that we would give."""
    title, given_id = " ".join(text_of(doc, "name").split()), text_of(doc, "id")
    if not title:
        raise Wrong(("name",), "a service has a name")
    try:
        number = str(uuid.UUID(given_id))
    except ValueError:
        raise Wrong(("id",), f"an id is a UUID; not {given_id[:40]!r}") from None
    entry_id = base.id if base else text_of(object_of(doc, OURS), "id")
    if base is None and our_id("service", entry_id) != number:
        entry_id = slug(title)
        if not entry_id or entry_id in live:  # another service of this name: never written over
            entry_id = f"{entry_id[:70]}-{number[:8]}".strip("-")
    foreign = our_id("service", entry_id) != number
    return {"id": entry_id, "title": title, "extra": {"id": json.dumps(given_id)} if foreign else {}}


def _said(found: Any, given: Any, before: Any, what: str, option: str) -> Any:
    """What the file says; else what the curator does; else what stood there before."""
    said = found or given or before
    if not said:
        raise Wrong((), f"nobody says {what} for it: say it with {option}")
    return said


def _sources(doc: Doc, ours: Doc, file: str) -> tuple[Source, ...]:
    listed = tuple(Source(text_of(one, "name"), text_of(one, "date")) for one in objects_of(ours, "sources"))
    name = text_of(object_of(doc, "organization"), "name") or _host(text_of(doc, "url")) or file
    dated = text_of(doc, "assured_date")[:10] or text_of(doc, "last_modified")[:10] or UNDATED
    return listed or (Source(name, dated),)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _confirmation(ours: Doc) -> Confirmation:
    said = text_of(ours, "confirmation") or Confirmation.ONE.value
    try:
        return Confirmation(said)
    except ValueError:
        raise Wrong((OURS, "confirmation"), f"no grade is called {said[:40]!r}") from None


def _day(ours: Doc, name: str) -> date | None:
    said = text_of(ours, name)
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise Wrong((OURS, name), f"{name} is a date such as 2026-11-23; not {said[:40]!r}") from None


def _texts(ours: Doc, name: str) -> tuple[str, ...]:
    value = ours.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise Wrong((OURS, name), f"{name} is a list of texts")
    return tuple(value)


def _hours(doc: Doc, ours: Doc) -> str:
    """The hours, as we once wrote them where the schedules still say the same."""
    said, written = hours_of(objects_of(doc, "schedules")), text_of(ours, "opening_hours")
    return written if same_hours(written, said) else said


def _beyond(doc: Doc, entry: Entry) -> dict[str, object]:
    """What the service says beyond what the entry would: each as JSON, since an entry's file keeps texts."""
    ours = service(Published(entry, 0))
    parts = [name for part in PARTS for name in part.names]
    beyond = {name: doc[name] for name in parts if name in doc and doc[name] != ours.get(name)}
    beyond |= {
        name: value for name, value in doc.items() if name not in (*parts, *SPOKEN_FOR) and value != ours.get(name)
    }
    terms = [one for one in objects_of(doc, "attributes") if one not in ours["attributes"]]
    alert = text_of(doc, "alert").removeprefix(alert_of(entry)).strip()
    beyond |= ({"attributes": terms} if terms else {}) | ({"alert": alert} if alert else {})
    return {name: json.dumps(value, ensure_ascii=False, sort_keys=True) for name, value in beyond.items()}


def _to_know(doc: Doc, entry: Entry) -> tuple[str, ...]:
    notes = []
    if doc.get("schedules") and not entry.hours:
        notes.append("its opening hours cannot be read without guessing: write them in")
    known = len(areas_of(doc))
    notes += ["some of its areas are not known here"] if known < len(objects_of(doc, "service_areas")) else []
    notes += ["it carries an alert: put it into the words if it matters"] if "alert" in entry.extra else []
    return tuple(notes)
