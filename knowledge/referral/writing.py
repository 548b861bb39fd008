"""Entries as services of Open Referral: HSDS 3.0 and the UK profile at once, since each takes the other's more.

Rules kept here:
- Only the public directory goes out: services marked public, within their review date. No guidance, no power, nothing
  of a consultation, and no address of anything that calls itself a refuge.
- An id goes out the same for ever: the one an entry came with, else a UUID made from its own id.
- What is not known is left out (a null is refused by the standard's schema), and what is not confirmed says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from knowledge.entry import Confirmation, Entry, Kind, Published
from knowledge.referral.parts import OURS, PARTS, Doc, attributes_written, kept, our_id, phones_written, service_id
from knowledge.rules import POSTCODE, STREET
from knowledge.showing import TRUST

ACTIVE = "active"
UNSURE = frozenset({Confirmation.NONE, Confirmation.ONE, Confirmation.TWO_REPOSITORIES})
HOURS_UNSURE = "Opening hours are not confirmed."
ON_A_MAP = frozenset({"addresses", "address_1", "postal_code", "latitude", "longitude", "external_identifier"})


def to_open_referral(published: Iterable[Published], today: date) -> Doc:
    """The public directory as one page of services, in order of their names."""
    return page([service(one) for one in public(published, today)], 1, None)


def public(published: Iterable[Published], today: date) -> list[Published]:
    """What may go out on this day, in order of title."""
    found = (one for one in published if one.entry.kind is Kind.SERVICE and one.entry.public)
    return sorted(
        (one for one in found if one.entry.review_by >= today),
        key=lambda one: (one.entry.title.casefold(), one.entry.id),
    )


def page(items: Sequence[Doc], number: int, size: int | None) -> Doc:
    """One page of a list; all of it where `size` is None. A page past the last is empty."""
    size = size or max(len(items), 1)
    pages = -(-len(items) // size)
    contents = list(items[(number - 1) * size : number * size])
    return {
        "total_items": len(items),
        "total_pages": pages,
        "page_number": number,
        "size": len(contents),
        "first_page": number == 1,
        "last_page": number >= pages,
        "empty": not contents,
        "contents": contents,
    }


def service(published: Published) -> Doc:
    """One service, whole."""
    entry = published.entry
    theirs = _may_go_out(entry, kept(entry))
    doc: Doc = {"id": service_id(entry), "name": entry.title, "status": ACTIVE}
    for part in PARTS:
        ours = part.write(entry)
        said = {name: theirs.pop(name) for name in part.names if name in theirs}
        current = part.same(part.read(ours | theirs | said), part.own(entry))
        if not current and part.names == ("phones",):
            theirs = {name: without(value, {"phones"}) for name, value in theirs.items()}
        doc |= said if said and current else ours
    theirs["attributes"] = attributes_written(entry, theirs.get("attributes", ()))
    alert = " ".join(filter(None, (alert_of(entry), theirs.pop("alert", ""))))
    return doc | ({"alert": alert} if alert else {}) | unowned(entry) | theirs | {OURS: _ours(published)}


def unowned(entry: Entry) -> Doc:
    """What a service needs around its facts, where no file gave it: whose it is, and that it is reached from afar."""
    own, organization = service_id(entry), our_id("organization", entry.id)
    link = {"url": entry.web} if entry.web else {}
    website = {"website": entry.web} if entry.web else {}
    about = f"Gives the service “{entry.title}”. The directory keeps no other record of it."
    found: Doc = {
        "organization_id": organization,
        "organization": {"id": organization, "name": entry.title, "description": about} | website,
    }
    if entry.phones:
        contact = {"id": our_id(own, "contact"), "service_id": own, "name": entry.title}
        found["contacts"] = [contact | {"phones": phones_written(entry)}]  # the UK profile looks for them here
    if entry.phones or entry.web:
        location = {"id": our_id(own, "location"), "location_type": "virtual", "name": entry.title} | link
        at = {"id": our_id(own, "at"), "service_id": own, "location_id": location["id"], "location": location}
        found["service_at_locations"] = [at]
    return found


def alert_of(entry: Entry) -> str:
    """What a reader has to be warned of; empty for nothing."""
    found = [f"{TRUST[entry.confirmation]}."] if entry.confirmation in UNSURE else []
    found += [HOURS_UNSURE] if entry.hours and not entry.hours_confirmed else []
    found += [f"Sources disagree: {one}" for one in entry.conflicts]
    return " ".join(found)


def is_refuge(doc: Any) -> bool:
    """Whether anything in it speaks of a refuge: then no address may stand beside it."""
    return any("refuge" in str(one).casefold() for path, value in walk(doc) for one in (*path[-1:], value))


def place_given_away(doc: Any) -> tuple[str | int, ...] | None:
    """The path of the first thing that says where on a map something is; None: nothing does."""
    for path, value in walk(doc):
        if path and path[-1] in ON_A_MAP and value not in ("", [], {}):
            return path
        if isinstance(value, str) and (POSTCODE.search(value.upper()) or STREET.search(value)):
            return path
    return None


def walk(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Everything in a document, each with its path, the outer before the inner."""
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from walk(one, (*path, name))


def without(value: Any, names: set[str]) -> Any:
    """A document without these properties, however deep."""
    if isinstance(value, dict):
        return {name: without(one, names) for name, one in value.items() if name not in names}
    return [without(one, names) for one in value] if isinstance(value, list) else value


def _may_go_out(entry: Entry, theirs: Doc) -> Doc:
    """What a file said of it, unless that would tell where a refuge is: then its ids alone."""
    if is_refuge([entry.title, entry.body, theirs]) and place_given_away(theirs) is not None:
        return {name: theirs[name] for name in ("id", "organization_id") if name in theirs}
    return theirs


def _ours(published: Published) -> Doc:
    entry = published.entry
    found: Doc = {
        "id": entry.id,
        "version": published.version,
        "confirmation": entry.confirmation.value,
        "sources": [{"name": one.name, "date": one.date} for one in entry.sources],
        "conflicts": list(entry.conflicts),
        "audience": list(entry.audience),
        "opening_hours": entry.hours,
        "opening_hours_confirmed": entry.hours_confirmed,
        "owner": entry.owner,
        "review_by": entry.review_by.isoformat(),
        "supersedes": list(entry.supersedes),
    }
    return {name: value for name, value in found.items() if value not in ("", [])}
