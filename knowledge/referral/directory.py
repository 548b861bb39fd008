"""The public directory as the standard's API gives it out: lists in pages, filters, one thing by its id. Pure.

Rules kept here:
- It is made once for a release and a day, and only read after that: a question costs no more than a walk of a list.
- A list holds what each thing is; what belongs to it many times over stands only where it is asked for by its id.
- A filter that a service says nothing about does not find it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from knowledge.entry import Published
from knowledge.referral.parts import TAXONOMY, TERMS, Doc, term_of
from knowledge.referral.writing import page, public, service, walk

VERSION = "HSDS-UK-3.0"
PROFILE = "https://open-referral-uk-profile.readthedocs.io/en/latest/"
OPENAPI = "https://openreferraluk.org/specifications/3.0/openapi.json"


@dataclass(frozen=True)
class Wanted:
    """What a caller asks of services; None: anything."""

    search: str | None = None
    taxonomy_term_id: str | None = None
    taxonomy_id: str | None = None
    minimum_age: float | None = None
    maximum_age: float | None = None
    day: str | None = None  # MO to SU
    start_time: str | None = None  # "09:00": opens then or later
    end_time: str | None = None  # closes then or sooner


class Directory:
    """The public directory of one release on one day."""

    def __init__(self, published: Iterable[Published], today: date) -> None:
        self._services = {str(doc["id"]): doc for doc in map(service, public(published, today))}
        self._words = {key: _words_of(doc) for key, doc in self._services.items()}
        self._terms: dict[str, Doc] = {str(term["id"]): dict(term) for term in TERMS.values()}
        self._taxonomies: dict[str, Doc] = {str(TAXONOMY["id"]): TAXONOMY}
        self._places: dict[str, tuple[str, Doc]] = {}
        for key, doc in self._services.items():
            for one in doc.get("service_at_locations", ()):
                self._places[str(one.get("id"))] = (key, one)

    def services(self, wanted: Wanted, number: int, size: int) -> Doc:
        """A page of services without what belongs to them many times over."""
        return page([_single(doc) for _, doc in self._found(wanted)], number, size)

    def service(self, key: str) -> Doc | None:
        """A service, whole."""
        return self._services.get(key)

    def service_at_locations(self, wanted: Wanted, number: int, size: int) -> Doc:
        """A page of where services are reached."""
        keys = {key for key, _ in self._found(wanted)}
        return page([_single(one) for key, one in self._places.values() if key in keys], number, size)

    def service_at_location(self, key: str) -> Doc | None:
        """Where a service is reached, with the service."""
        owner, found = self._places.get(key, ("", None))
        return None if found is None else found | {"service": _single(self._services[owner])}

    def taxonomies(self, number: int, size: int) -> Doc:
        """A page of taxonomies: one of ours."""
        return page(list(self._taxonomies.values()), number, size)

    def taxonomy(self, key: str) -> Doc | None:
        """A taxonomy."""
        return self._taxonomies.get(key)

    def taxonomy_terms(self, number: int, size: int) -> Doc:
        """A page of the terms of our taxonomy, in its order."""
        return page(list(self._terms.values()), number, size)

    def taxonomy_term(self, key: str) -> Doc | None:
        """A term."""
        return self._terms.get(key)

    def _found(self, wanted: Wanted) -> list[tuple[str, Doc]]:
        words = (wanted.search or "").casefold().split()
        return [
            (key, doc)
            for key, doc in self._services.items()
            if all(word in self._words[key] for word in words) and _of_topic(doc, wanted) and _fits(doc, wanted)
        ]


def _of_topic(doc: Doc, wanted: Wanted) -> bool:
    attributes = doc.get("attributes", ())
    terms = {term_of(one) for one in attributes}
    taxonomies = {one.get("taxonomy_term", {}).get("taxonomy_id") for one in attributes}
    return (wanted.taxonomy_term_id is None or wanted.taxonomy_term_id in terms) and (
        wanted.taxonomy_id is None or wanted.taxonomy_id in taxonomies
    )


def _fits(doc: Doc, wanted: Wanted) -> bool:
    ages = ((doc.get("minimum_age"), wanted.minimum_age, 1), (doc.get("maximum_age"), wanted.maximum_age, -1))
    for has, least, sign in ages:
        if least is not None and not (isinstance(has, (int, float)) and sign * has >= sign * least):
            return False
    if (wanted.day, wanted.start_time, wanted.end_time) == (None, None, None):
        return True
    return any(_open(one, wanted) for one in doc.get("schedules", ()))


def _open(schedule: Mapping[str, object], wanted: Wanted) -> bool:
    """Whether one schedule is of the day, opens no sooner and closes no later than asked."""
    days, opens, closes = (str(schedule.get(name, "")) for name in ("byday", "opens_at", "closes_at"))
    return (
        (wanted.day is None or wanted.day in days.split(","))
        and (wanted.start_time is None or (bool(opens) and opens[:5] >= wanted.start_time))
        and (wanted.end_time is None or (bool(closes) and closes[:5] <= wanted.end_time))
    )


def _single(doc: Doc) -> Doc:
    return {name: value for name, value in doc.items() if not isinstance(value, list)}


def _words_of(doc: Doc) -> str:
    return "\n".join(value.casefold() for _, value in walk(doc) if isinstance(value, str))
