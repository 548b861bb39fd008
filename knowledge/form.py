"""An entry as the fields of a form, and back. Pure.

Rules kept here:
- Lists are one item a line; pairs are `number | when or for whom` and `source | date`.
- What a form does not show (`extra`) stays as it was in the version that is changed.
- A field that cannot be read says so by its name; whether the entry is right is for `reading` and `rules`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import Enum
from typing import TypeVar

from knowledge.entry import Confirmation, Entry, Kind, Phone, Source

Fields = Mapping[str, Sequence[str]]
"""What a form holds: each field's values, in order."""

Choice = TypeVar("Choice", bound=Enum)
REVIEW_AFTER = timedelta(days=91)  # a new entry's first review, unless somebody says another day


class BadForm(Exception):
    """Fields of a form cannot be read: `reasons` by the field's name."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(reasons.values()))
        self.reasons = reasons


NAMES = frozenset(
    {"title", "kind", "main_topic", "topics", "body", "flags", "areas", "audience", "phones", "text", "web", "hours"}
    | {"hours_confirmed", "cost", "languages", "says", "sources", "confirmation", "conflicts", "owner", "checked"}
    | {"review_by", "supersedes", "public"}
)
"""Every field there is."""


def to_fields(entry: Entry) -> dict[str, list[str]]:
    """The fields that show an entry."""
    return {
        "title": [entry.title],
        "kind": [entry.kind.value],
        "main_topic": list(entry.topics[:1]),
        "topics": list(entry.topics[1:]),
        "body": [entry.body],
        "flags": list(entry.flags),
        "areas": list(entry.areas),
        "audience": ["\n".join(entry.audience)],
        "phones": ["\n".join(_pair(one.number, one.label) for one in entry.phones)],
        "text": [entry.text],
        "web": [entry.web],
        "hours": [entry.hours],
        "hours_confirmed": ["yes"] if entry.hours_confirmed else [],
        "cost": [entry.cost],
        "languages": ["\n".join(entry.languages)],
        "says": ["\n".join(entry.says)],
        "sources": ["\n".join(_pair(one.name, one.date) for one in entry.sources)],
        "confirmation": [entry.confirmation.value],
        "conflicts": ["\n".join(entry.conflicts)],
        "owner": [entry.owner],
        "checked": [entry.checked.isoformat()],
        "review_by": [entry.review_by.isoformat()],
        "supersedes": ["\n".join(entry.supersedes)],
        "public": ["yes"] if entry.public else [],
    }


def empty_fields(today: date, body: str = "") -> dict[str, list[str]]:
    """The fields of an entry that is not there yet."""
    return {
        "kind": [Kind.GUIDANCE.value],
        "areas": ["uk"],
        "confirmation": [Confirmation.NONE.value],
        "owner": ["catalogue curator"],
        "checked": [today.isoformat()],
        "review_by": [(today + REVIEW_AFTER).isoformat()],
        "body": [body],
    }


def from_fields(fields: Fields, base: Entry | None) -> Entry:
    """The entry that a form describes: a new one, or a change of `base`, whose id it keeps. Raises `BadForm`."""
    form = _Form(fields)
    title = form.line("title", needed="Give it a title")
    kind = form.choice("kind", Kind)
    main = form.line("main_topic", needed="Choose a main topic")
    entry = Entry(
        id=base.id if base else slug(title),
        title=title,
        kind=kind,
        topics=(main, *(one for one in fields.get("topics", ()) if one != main)),
        body=form.body(),
        areas=tuple(fields.get("areas", ())),
        sources=tuple(Source(*pair) for pair in form.pairs("sources")),
        confirmation=form.choice("confirmation", Confirmation),
        owner=form.line("owner"),
        checked=form.day("checked"),
        review_by=form.day("review_by"),
        flags=tuple(fields.get("flags", ())),
        audience=form.lines("audience"),
        phones=tuple(Phone(*pair) for pair in form.pairs("phones")),
        text=form.line("text"),
        web=form.line("web"),
        hours=form.line("hours"),
        hours_confirmed=bool(fields.get("hours_confirmed")),
        cost=form.line("cost"),
        languages=form.lines("languages"),
        says=form.lines("says"),
        conflicts=form.lines("conflicts"),
        supersedes=form.lines("supersedes"),
        public=bool(fields.get("public")),
        extra=base.extra if base else {},
    )
    if form.reasons:
        raise BadForm(form.reasons)
    return entry


def slug(title: str) -> str:
    """The id that a new entry of this title gets."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower().replace("'", "").replace("’", "")).strip("-")[:80].strip("-")


def _pair(first: str, second: str) -> str:
    return f"{first} | {second}" if second else first


class _Form:
    """Reads fields, and keeps what is wrong with them."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self.reasons: dict[str, str] = {}

    def body(self) -> str:
        words = self._raw("body").replace("\r\n", "\n").strip()
        if not words:
            self.reasons["body"] = "Write the words that an officer reads"
        return words

    def line(self, name: str, needed: str = "") -> str:
        found = " ".join(self._raw(name).split())
        if needed and not found:
            self.reasons[name] = needed
        return found

    def lines(self, name: str) -> tuple[str, ...]:
        return tuple(" ".join(line.split()) for line in self._raw(name).splitlines() if line.strip())

    def pairs(self, name: str) -> list[tuple[str, str]]:
        split = [line.partition("|") for line in self.lines(name)]
        return [(first.strip(), second.strip()) for first, _, second in split]

    def choice(self, name: str, kind: type[Choice]) -> Choice:
        try:
            return kind(self._raw(name))
        except ValueError:
            self.reasons[name] = "Choose one"
            return next(iter(kind))

    def day(self, name: str) -> date:
        try:
            return date.fromisoformat(self._raw(name).strip())
        except ValueError:
            self.reasons[name] = "Give a day, such as 2026-11-23"
            return date.min

    def _raw(self, name: str) -> str:
        return next(iter(self._fields.get(name, ())), "")
