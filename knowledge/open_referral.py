"""The public directory as Open Referral UK (HSDS 3.0 with `phones`): out, and back in.

Rules kept here:
- Only services that are public leave: no guidance, no power, no place of a refuge, nothing of anybody's question.
- What the standard has no name for stands under `x_`; properties that we do not know come back as they were.
- A grade is never lost: an unconfirmed number or disputed hours stand in `alert`, where every reader of the standard
  looks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid5

from knowledge.entry import Confirmation, Entry, Kind, Phone, Published, Source
from knowledge.places import PLACES
from knowledge.topics import TOPICS

SPACE = UUID("9f3c1d0e-5f0b-5c53-9a52-6d0c6f1f2a11")  # ours: the same entry has the same id everywhere
TAXONOMY = str(uuid5(SPACE, "taxonomy/topics"))
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_RULE = re.compile(r"(?P<days>[A-Z][a-z](?:[-,][A-Z][a-z])*)? ?(?P<from>\d\d:\d\d)-(?P<to>\d\d:\d\d)")
_KNOWN = (
    "id name description url status phones schedules service_areas languages cost_options attributes organization "
    "organization_id assured_date last_modified alert x_lanyard"
)
KNOWN = frozenset(_KNOWN.split())


def id_of(*path: str) -> str:
    """The UUID of one of our things."""
    return str(uuid5(SPACE, "/".join(path)))


def public(published: Sequence[Published]) -> list[Published]:
    """What may leave, in order of the ids."""
    services = [one for one in published if one.entry.kind is Kind.SERVICE and one.entry.public]
    return sorted(services, key=lambda one: one.entry.id)


def service(published: Published) -> dict[str, Any]:
    """One service, whole. Empty properties are left out: the standard forbids null."""
    entry = published.entry
    own = id_of("service", entry.id)
    found: dict[str, Any] = {
        **entry.extra,
        "id": own,
        "name": entry.title,
        "description": entry.body,
        "url": entry.web,
        "status": "active",
        "organization_id": id_of("organization", entry.id),
        "organization": _organization(entry),
        "phones": [_phone(entry, at, phone) for at, phone in enumerate(entry.phones)],
        "schedules": schedules(entry, own),
        "service_areas": [_area(entry, own, slug) for slug in entry.areas],
        "languages": [_language(entry, own, one) for one in entry.languages],
        "cost_options": _costs(entry, own),
        "attributes": [_attribute(entry, own, slug) for slug in entry.topics],
        "assured_date": entry.checked.isoformat(),
        "last_modified": datetime.combine(entry.checked, time(), UTC).isoformat(),
        "alert": alert(entry),
        "x_lanyard": _provenance(published),
    }
    return {name: value for name, value in found.items() if value not in ("", [], {}, None)}


def page(contents: Sequence[Any], number: int = 1, size: int | None = None) -> dict[str, Any]:
    """A page of a list, as the standard's API gives it. `number` counts from 1."""
    per = size or max(1, len(contents))
    pages = max(1, -(-len(contents) // per))
    shown = list(contents[(number - 1) * per : number * per])
    return {
        "total_items": len(contents),
        "total_pages": pages,
        "page_number": number,
        "size": len(shown),
        "first_page": number == 1,
        "last_page": number >= pages,
        "empty": not shown,
        "contents": shown,
    }


def taxonomy() -> dict[str, Any]:
    """Our one taxonomy: the topics."""
    return {"id": TAXONOMY, "name": "Lanyard topics", "description": "What officers ask an IDVA about.", "version": "1"}


def terms() -> list[dict[str, Any]]:
    """Every topic as a taxonomy term."""
    return [term(slug) for slug in TOPICS]


def term(slug: str) -> dict[str, Any]:
    """One topic as a taxonomy term."""
    topic = TOPICS[slug]
    return {
        "id": id_of("term", slug),
        "code": slug,
        "name": topic.title,
        "description": topic.covers,
        "taxonomy": "Lanyard topics",
        "taxonomy_id": TAXONOMY,
    }


def at_location(published: Published) -> dict[str, Any]:
    """Where a service is: on the telephone or online. Addresses are never published."""
    own = published.entry.id
    place = {"id": id_of("location", own), "location_type": "virtual", "name": published.entry.title}
    return {
        "id": id_of("service_at_location", own),
        "service_id": id_of("service", own),
        "location_id": place["id"],
        "location": place,
    }


def schedules(entry: Entry, own: str) -> list[dict[str, Any]]:
    """Opening hours, one schedule for each span of a week; round the clock is 00:00 to 23:59."""
    found = []
    for at, (days, opens, closes) in enumerate(spans(entry.hours)):
        found.append(
            {
                "id": id_of("schedule", entry.id, str(at)),
                "service_id": own,
                "freq": "WEEKLY",
                "interval": 1,
                "byday": ",".join(day.upper() for day in days),
                "opens_at": opens,
                "closes_at": closes,
                "description": "" if entry.hours_confirmed else "Hours not confirmed.",
                "notes": entry.hours,
            }
        )
    return [{name: value for name, value in one.items() if value != ""} for one in found]


def spans(hours: str) -> list[tuple[tuple[str, ...], str, str]]:
    """The spans of plain weekly hours: days, opening, closing. What is more than that stays in `notes` only."""
    if hours == "24/7":
        return [(DAYS, "00:00", "23:59")]
    found = []
    for part in hours.split(";"):
        match = _RULE.fullmatch(part.strip())
        if match:
            closes = "23:59" if match["to"] == "24:00" else match["to"]
            found.append((_days(match["days"] or "Mo-Su"), match["from"], closes))
    return found


def alert(entry: Entry) -> str:
    """What a reader has to be told before anything else."""
    said = []
    if entry.phones and entry.confirmation not in (Confirmation.RUNG, Confirmation.TWO):
        said.append("The number is not confirmed.")
    if entry.hours and not entry.hours_confirmed:
        said.append("The hours are not confirmed.")
    return " ".join([*said, *entry.conflicts])


def entry_from(found: Mapping[str, Any], owner: str, review_by: date | None, topic: str | None) -> Entry:
    """An entry from a service of the standard. Raises ValueError with what is missing or wrong, by name.

    `owner`, `review_by` and `topic` stand in where the feed, being somebody else's, cannot know ours."""
    ours = found.get("x_lanyard", {})
    if not isinstance(ours, Mapping):
        raise TypeError("x_lanyard is an object")
    coded = [code for code in _codes(found) if code in TOPICS]
    topics = tuple(ours.get("topics") or coded or ([topic] if topic else []))
    areas = tuple(ours.get("areas") or [one for one in _area_slugs(found) if one in PLACES])
    reviewed = date.fromisoformat(ours["review_by"]) if ours.get("review_by") else review_by
    who = str(ours.get("owner") or owner)
    for name, value in (("review_by", reviewed), ("owner", who), ("topic", topics), ("area", areas)):
        if not value:
            raise ValueError(f"{name} is missing")
    name = _text(found, "name")
    return Entry(
        id=str(ours.get("id") or _slug(name)),
        title=name,
        kind=Kind.SERVICE,
        topics=topics,
        body=_text(found, "description"),
        areas=areas,
        sources=tuple(Source(one["name"], one["date"]) for one in ours.get("sources", ())) or _source(found),
        confirmation=Confirmation(ours.get("confirmation", Confirmation.OWN.value)),
        owner=who,
        checked=date.fromisoformat(_text(found, "assured_date")[:10]),
        review_by=reviewed or date.max,
        flags=tuple(ours.get("flags", ())),
        audience=tuple(ours.get("for", ())),
        phones=tuple(Phone(str(one["number"]), str(one.get("description", ""))) for one in found.get("phones", ())),
        text=str(ours.get("text", "")),
        web=str(found.get("url", "")),
        hours=str(ours.get("hours", "") or _hours(found)),
        hours_confirmed=bool(ours.get("hours_confirmed", False)),
        cost=str(next((one.get("amount_description", "") for one in found.get("cost_options", ())), "")),
        languages=tuple(str(one["name"]) for one in found.get("languages", ()) if "name" in one),
        says=tuple(ours.get("says", ())),
        conflicts=tuple(ours.get("conflicts", ())),
        supersedes=tuple(ours.get("supersedes", ())),
        extra={key: value for key, value in found.items() if key not in KNOWN},
    )


def _organization(entry: Entry) -> dict[str, Any]:
    return {"id": id_of("organization", entry.id), "name": entry.title, "description": entry.title} | (
        {"website": entry.web} if entry.web else {}
    )


def _phone(entry: Entry, at: int, phone: Phone) -> dict[str, Any]:
    found = {"id": id_of("phone", entry.id, str(at)), "number": phone.number, "type": "voice"}
    return found | ({"description": phone.label} if phone.label else {})


def _language(entry: Entry, own: str, name: str) -> dict[str, Any]:
    return {"id": id_of("language", entry.id, name), "service_id": own, "name": name}


def _area(entry: Entry, own: str, slug: str) -> dict[str, Any]:
    return {"id": id_of("area", entry.id, slug), "service_id": own, "name": PLACES[slug].title, "extent_type": "text"}


def _costs(entry: Entry, own: str) -> list[dict[str, Any]]:
    if not entry.cost:
        return []
    return [{"id": id_of("cost", entry.id), "service_id": own, "option": "call", "amount_description": entry.cost}]


def _attribute(entry: Entry, own: str, slug: str) -> dict[str, Any]:
    return {
        "id": id_of("attribute", entry.id, slug),
        "link_id": own,
        "taxonomy_term_id": id_of("term", slug),
        "link_entity": "service",
        "taxonomy_term": term(slug),
    }


def _provenance(published: Published) -> dict[str, Any]:
    entry = published.entry
    found = {
        "id": entry.id,
        "version": published.version,
        "topics": list(entry.topics),
        "areas": list(entry.areas),
        "flags": list(entry.flags),
        "for": list(entry.audience),
        "text": entry.text,
        "hours": entry.hours,
        "hours_confirmed": entry.hours_confirmed,
        "confirmation": entry.confirmation.value,
        "sources": [{"name": one.name, "date": one.date} for one in entry.sources],
        "conflicts": list(entry.conflicts),
        "owner": entry.owner,
        "review_by": entry.review_by.isoformat(),
        "says": list(entry.says),
        "supersedes": list(entry.supersedes),
    }
    return {name: value for name, value in found.items() if value not in ("", [])}


def _days(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]
    return tuple(found)


def _codes(found: Mapping[str, Any]) -> list[str]:
    terms_of = [one.get("taxonomy_term", {}) for one in found.get("attributes", ())]
    return [str(one.get("code", "")) for one in terms_of if isinstance(one, Mapping)]


def _area_slugs(found: Mapping[str, Any]) -> list[str]:
    titles = {place.title.lower(): slug for slug, place in PLACES.items()}
    return [titles.get(str(one.get("name", "")).lower(), "") for one in found.get("service_areas", ())]


def _hours(found: Mapping[str, Any]) -> str:
    parts = []
    for one in found.get("schedules", ()):
        days = ",".join(day.strip().capitalize() for day in str(one.get("byday", "")).split(",") if day.strip())
        opens, closes = str(one.get("opens_at", ""))[:5], str(one.get("closes_at", ""))[:5]
        if days and opens and closes:
            parts.append(f"{days} {opens}-{closes}")
    return "; ".join(parts)


def _source(found: Mapping[str, Any]) -> tuple[Source, ...]:
    organization = found.get("organization", {})
    name = organization.get("name") if isinstance(organization, Mapping) else None
    return (Source(str(name), _text(found, "assured_date")[:10]),) if name else ()


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} is missing")
    return value.strip()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80]
