"""The parts of an Open Referral service that an entry speaks for: how each is read and how it is written. Pure.

Rules kept here:
- Each part is written from the entry and read back to the same. What a file once said is given out again, word for
  word, as long as it still reads as what the entry says; a number that a curator has changed never comes back.
- Reading never guesses: an area, a language, a zone that is not understood is left out, not bent.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from knowledge.entry import Entry, Phone
from knowledge.places import PLACES
from knowledge.referral.schedules import hours_of, same_hours, schedules_of
from knowledge.topics import TOPICS

Doc = dict[str, Any]
"""A service as Open Referral writes it."""

NAMESPACE = uuid.UUID("6f3d5c1e-90f7-5c0b-9a3e-0d8f2f6c1b47")  # never changed: all our ids come from it
OURS = "x_lanyard"  # the property that holds what the standard has no place for
FREE = "free"
FAX = frozenset({"fax"})
TEXT = frozenset({"text", "sms"})

_PLACE_NAMES = {name.casefold(): slug for slug, place in PLACES.items() for name in (slug, place.title)}


class Wrong(Exception):
    """A value that cannot be taken: where it stands in its service, and why."""

    def __init__(self, path: tuple[str | int, ...], reason: str) -> None:
        super().__init__(reason)
        self.path, self.reason = path, reason


def our_id(*names: str) -> str:
    """The UUID of something of ours: always the same for the same names."""
    return str(uuid.uuid5(NAMESPACE, "/".join(names)))


def kept(entry: Entry) -> Doc:
    """What files said of this entry that is not ours, as they wrote it."""
    return {name: json.loads(str(value)) for name, value in entry.extra.items()}


def service_id(entry: Entry) -> str:
    """The UUID under which this entry goes out: the one it came with, else one of ours."""
    came_with = entry.extra.get("id")
    return str(json.loads(str(came_with))) if came_with else our_id("service", entry.id)


TAXONOMY: Doc = {
    "id": our_id("taxonomy", "topics"),
    "name": "Consultation topics",
    "description": "What officers ask a consultation line on domestic abuse about.",
    "version": "1",
}
TERMS: Mapping[str, Doc] = {
    topic.slug: {
        "id": our_id("term", topic.slug),
        "code": topic.slug,
        "name": topic.title,
        "description": topic.covers,
        "taxonomy": TAXONOMY["name"],
        "taxonomy_id": TAXONOMY["id"],
        "language": "en",
    }
    for topic in TOPICS.values()
}
_SLUG_OF_TERM = {term["id"]: slug for slug, term in TERMS.items()}


def text_of(doc: Doc, name: str) -> str:
    """A text of a document; empty where it has none. Raises `Wrong`."""
    value = doc.get(name, "")
    if not isinstance(value, str):
        raise Wrong((name,), f"{name} is one piece of text")
    return value.strip()


def objects_of(doc: Doc, name: str) -> list[Doc]:
    """A list of objects of a document; empty where it has none. Raises `Wrong`."""
    value = doc.get(name, [])
    if not isinstance(value, list):
        raise Wrong((name,), f"{name} is a list")
    for at, one in enumerate(value):
        if not isinstance(one, dict):
            raise Wrong((name, at), f"{name} is a list of objects")
    return value


def object_of(doc: Doc, name: str) -> Doc:
    """An object of a document; empty where it has none. Raises `Wrong`."""
    value = doc.get(name, {})
    if not isinstance(value, dict):
        raise Wrong((name,), f"{name} is an object")
    return value


@contextmanager
def within(*path: str | int) -> Iterator[None]:
    """Whatever is wrong in here stands below this path."""
    try:
        yield
    except Wrong as wrong:
        raise Wrong((*path, *wrong.path), wrong.reason) from None


def texts_of(doc: Doc, name: str, of: str) -> list[str]:
    """One text of each object of a list. Raises `Wrong`."""
    found = []
    for at, one in enumerate(objects_of(doc, name)):
        with within(name, at):
            found.append(text_of(one, of))
    return found


@dataclass(frozen=True)
class Part:
    """Some properties of a service, and the one fact of an entry that they carry."""

    names: tuple[str, ...]
    read: Callable[[Doc], Any]
    write: Callable[[Entry], Doc]
    own: Callable[[Entry], Any]
    same: Callable[[Any, Any], bool] = lambda one, other: bool(one == other)


def body_of(doc: Doc) -> str:
    """The words."""
    return text_of(doc, "description")


def phones_of(doc: Doc) -> tuple[tuple[Phone, ...], str]:
    """The numbers to ring, wherever a service holds them, and how to text. Raises `Wrong`."""
    phones: list[Phone] = []
    text = ""
    for at, (path, one, about) in enumerate(_numbers(doc)):
        with within(*path):
            number, kind = text_of(one, "number"), text_of(one, "type").lower()
            label = text_of(one, "description") or about
        if "extension" in one:
            label = f"{label}, extension {one['extension']}".removeprefix(", ")
        if not number:
            raise Wrong(path, "a phone has a number")
        if kind in TEXT:
            text = text or label or number
        elif kind not in FAX and (path[0] == "phones" or not _has(phones, number)):
            phones.append(Phone(number, label))
        if at > 200:
            raise Wrong(path, "more than 200 phones")
    return tuple(phones), text


def _numbers(doc: Doc) -> Iterator[tuple[tuple[str | int, ...], Doc, str]]:
    """Every phone of a service with its path and what it stands beside; the organisation's only where no other is."""
    found = False
    for path, holder, about in _holders(doc):
        for at, one in enumerate(objects_of(holder, "phones")):
            found = True
            yield (*path, "phones", at), one, about
    if not found:
        organization = object_of(doc, "organization")
        for at, one in enumerate(objects_of(organization, "phones")):
            yield ("organization", "phones", at), one, text_of(organization, "name")


def _holders(doc: Doc) -> Iterator[tuple[tuple[str | int, ...], Doc, str]]:
    yield (), doc, ""
    for at, contact in enumerate(objects_of(doc, "contacts")):
        yield ("contacts", at), contact, text_of(contact, "title")
    for at, one in enumerate(objects_of(doc, "service_at_locations")):
        location = object_of(one, "location")
        yield ("service_at_locations", at), one, text_of(location, "name")
        yield ("service_at_locations", at, "location"), location, text_of(location, "name")


def _digits(number: str) -> str:
    return re.sub(r"\D", "", re.sub(r"^\s*\+44\s*(?:\(0\))?", "0", number))


def _has(phones: Iterable[Phone], number: str) -> bool:
    return _digits(number) in [_digits(one.number) for one in phones]


def phones_written(entry: Entry) -> list[Doc]:
    """The phones of a service."""
    service, found = service_id(entry), []
    for at, one in enumerate(entry.phones):
        label = {"description": one.label} if one.label else {}
        found.append({"id": our_id(service, "phone", str(at)), "number": one.number, "type": "voice"} | label)
    if entry.text:
        number = re.search(r"\d[\d ]*", entry.text)
        texted = {"number": number[0].strip() if number else entry.text, "type": "text", "description": entry.text}
        found.append({"id": our_id(service, "text")} | texted)
    return found


def areas_of(doc: Doc) -> tuple[str, ...]:
    """The areas that are known here, by their names."""
    names = [name.casefold() for name in texts_of(doc, "service_areas", "name")]
    return tuple(dict.fromkeys(_PLACE_NAMES[name] for name in names if name in _PLACE_NAMES))


def topics_of(doc: Doc) -> tuple[str, ...]:
    """The topics among the terms of a service."""
    terms = [term_of(one) for one in objects_of(doc, "attributes")]
    return tuple(dict.fromkeys(_SLUG_OF_TERM[term] for term in terms if term in _SLUG_OF_TERM))


def term_of(attribute: Doc) -> str:
    """The id of an attribute's term."""
    return text_of(attribute, "taxonomy_term_id") or text_of(object_of(attribute, "taxonomy_term"), "id")


def attributes_written(entry: Entry, foreign: Iterable[Doc]) -> list[Doc]:
    """Our topics, the main one first, and the terms of other taxonomies that a file gave it."""
    service = service_id(entry)
    ours = [
        {
            "id": our_id(service, "topic", slug),
            "link_id": service,
            "link_entity": "service",
            "link_type": "topic",
            "taxonomy_term_id": TERMS[slug]["id"],
            "taxonomy_term": TERMS[slug],
        }
        for slug in entry.topics
    ]
    return [*ours, *(one for one in foreign if term_of(one) not in _SLUG_OF_TERM)]


def languages_of(doc: Doc) -> tuple[str, ...]:
    """The languages, by their names."""
    return tuple(filter(None, texts_of(doc, "languages", "name")))


def cost_of(doc: Doc) -> str:
    """What it costs, in words."""
    amounts = [one.get("amount") for one in objects_of(doc, "cost_options")]
    options = zip(texts_of(doc, "cost_options", "option"), amounts, strict=True)
    named = [option or (FREE if amount == 0 else "") for option, amount in options]
    return "; ".join(filter(None, named)) or text_of(doc, "fees_description") or text_of(doc, "fees")


def audience_of(doc: Doc) -> tuple[str, ...]:
    """Whom it is for."""
    listed = object_of(doc, OURS).get("audience")
    said = text_of(doc, "eligibility_description")
    if isinstance(listed, list) and said == "; ".join(map(str, listed)):
        return tuple(map(str, listed))
    return (said,) if said else ()


def checked_of(doc: Doc) -> date | None:
    """The day on which its facts were last checked. Raises `Wrong`."""
    said = text_of(doc, "assured_date")
    if not said:
        return None
    try:
        return date.fromisoformat(said[:10])
    except ValueError:
        raise Wrong(("assured_date",), f"assured_date is a date such as 2026-11-23; not {said[:40]!r}") from None


def _listed(entry: Entry, what: str, items: Iterable[Doc]) -> list[Doc]:
    service = service_id(entry)
    return [{"id": our_id(service, what, str(at)), "service_id": service} | one for at, one in enumerate(items)]


def _if(name: str, value: Any) -> Doc:
    return {name: value} if value else {}


def _cost_written(entry: Entry) -> Doc:
    if not entry.cost:
        return {}
    amount = {"amount": 0, "currency": "gbp"} if entry.cost == FREE else {}
    return {"cost_options": _listed(entry, "cost", [{"option": entry.cost} | amount])}


PARTS: tuple[Part, ...] = (
    Part(("description",), body_of, lambda entry: {"description": entry.body}, lambda entry: entry.body),
    Part(("url",), lambda doc: text_of(doc, "url"), lambda entry: _if("url", entry.web), lambda entry: entry.web),
    Part(
        ("phones",),
        phones_of,
        lambda entry: _if("phones", phones_written(entry)),
        lambda entry: (entry.phones, entry.text),
    ),
    Part(
        ("schedules",),
        lambda doc: hours_of(objects_of(doc, "schedules")),
        lambda entry: _if("schedules", _listed(entry, "schedule", schedules_of(entry.hours))),
        lambda entry: entry.hours,
        same_hours,
    ),
    Part(
        ("service_areas",),
        areas_of,
        lambda entry: {"service_areas": _listed(entry, "area", [{"name": PLACES[one].title} for one in entry.areas])},
        lambda entry: entry.areas,
    ),
    Part(
        ("languages",),
        languages_of,
        lambda entry: _if("languages", _listed(entry, "language", [{"name": one} for one in entry.languages])),
        lambda entry: entry.languages,
    ),
    Part(("cost_options", "fees_description", "fees"), cost_of, _cost_written, lambda entry: entry.cost),
    Part(
        ("eligibility_description",),
        audience_of,
        lambda entry: _if("eligibility_description", "; ".join(entry.audience)),
        lambda entry: entry.audience,
    ),
    Part(
        ("assured_date", "last_modified"),
        checked_of,
        lambda entry: {"assured_date": f"{entry.checked}", "last_modified": f"{entry.checked}T00:00:00Z"},
        lambda entry: entry.checked,
    ),
)
"""Everything of a service that is a fact of its entry, but its name, its topics and what is under `x_lanyard`."""
