"""What a file proposes: entries, and what a curator should know of each. The rules that all of them meet first.

Rules kept here:
- Refused: a number that cannot be rung or costs extra, an address that is not a public https page, hours that cannot
  be read, an id given twice, entries that supersede each other in a circle, what no entry's file can hold.
- Noted, for a person to look at: everything else that the rules for entries object to. It can be proposed; it cannot
  be approved until it is put right.
- A file never makes a fact surer than it is here: "rung" and confirmed hours stay only where they were said of the
  same numbers and hours before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from knowledge.entry import BadEntry, Confirmation, Entry
from knowledge.hours import BadHours, require_hours
from knowledge.reading import read_entry, require_distinct, write_entry
from knowledge.rules import faults, phone_faults, web_faults

LIVE = "the live catalogue"


@dataclass(frozen=True)
class Given:
    """What a curator says of services of whose file it is silent."""

    owner: str = ""
    review_by: date | None = None
    areas: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """An entry that a file describes, and where."""

    entry: Entry
    file: str
    line: int
    notes: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)  # of single facts, where they have lines of their own


@dataclass(frozen=True)
class Note:
    """Something that a person should look at."""

    file: str
    line: int
    about: str  # an entry's id, or the name of a service that is left out
    text: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.about}: {self.text}"


@dataclass(frozen=True)
class Proposed:
    """Everything that a file proposes."""

    entries: tuple[Entry, ...] = ()
    notes: tuple[Note, ...] = field(default=())


class Refusals:
    """Collects what is wrong with a file, so that one look at it mends all of it."""

    def __init__(self) -> None:
        self._found: list[BadEntry] = []

    def add(self, error: BadEntry) -> None:
        """One more."""
        self._found.append(error)

    def settle(self) -> None:
        """Raises the first, and names the lines of the others."""
        if not self._found:
            return
        first, *others = sorted(self._found, key=lambda error: (error.file, error.line))
        places = [f"{other.line}" if other.file == first.file else f"{other.file}:{other.line}" for other in others]
        more = f" (also wrong: line {', '.join(places[:20])}{' …' if len(places) > 20 else ''})" if places else ""
        raise BadEntry(first.file, first.line, first.reason + more)


def proposed(found: Sequence[Found], live: Mapping[str, Entry], today: date) -> Proposed:
    """The proposals of a file, which is refused whole for anything that must not stand. Raises `BadEntry`."""
    refusals = Refusals()
    lines: dict[str, int] = {}
    checked: list[Found] = []
    for one in found:
        try:
            if one.entry.id in lines:
                raise BadEntry(one.file, one.line, f"{one.entry.id} stands in line {lines[one.entry.id]} already")
            lines[one.entry.id] = one.line
            checked.append(_storable(one, live.get(one.entry.id)))
        except BadEntry as error:
            refusals.add(error)
    refusals.settle()
    named = {one.entry.id for one in checked}
    others = [(LIVE, entry) for entry in live.values() if entry.id not in named]
    require_distinct([*((one.file, one.entry) for one in checked), *others])
    notes = [Note(one.file, one.line, one.entry.id, text) for one in checked for text in _notes(one, today)]
    return Proposed(tuple(one.entry for one in checked), tuple(notes))


def _storable(found: Found, base: Entry | None) -> Found:
    """The entry as the catalogue would keep it. Raises `BadEntry` for what must not stand."""
    entry = _no_surer(found.entry, base)
    for fact, fault in must_not_stand(entry):
        raise BadEntry(found.file, found.lines.get(fact, found.line), fault)
    try:
        kept = read_entry(write_entry(entry), found.file)
    except BadEntry as error:
        raise BadEntry(found.file, found.line, error.reason) from None
    return replace(found, entry=kept)


def _no_surer(entry: Entry, base: Entry | None) -> Entry:
    confirmation = entry.confirmation
    if confirmation is Confirmation.RUNG and (
        base is None or base.confirmation is not Confirmation.RUNG or base.phones != entry.phones
    ):
        confirmation = Confirmation.ONE
    hours_confirmed = base is not None and base.hours_confirmed and base.hours == entry.hours
    return replace(entry, confirmation=confirmation, hours_confirmed=entry.hours_confirmed and hours_confirmed)


def must_not_stand(entry: Entry) -> Iterator[tuple[str, str]]:
    """What a file is refused for, each with the fact that it is about."""
    yield from (("phones", fault) for phone in entry.phones for fault in phone_faults(phone))
    if entry.web and not confusable(entry.web):
        yield from (("web", fault) for fault in web_faults(entry.web))
    try:
        require_hours(entry.hours)
    except BadHours as error:
        yield "hours", str(error)


def confusable(address: str) -> bool:
    """Whether an https address is only objected to for letters that can be mistaken: a person can settle that."""
    found = web_faults(address)
    return bool(found) and all("mistaken for others" in fault for fault in found)


def _notes(found: Found, today: date) -> list[str]:
    past = ["its review date is past: officers are not offered it"] if found.entry.review_by < today else []
    return [*found.notes, *past, *faults(found.entry, today)]
