"""The live catalogue: versions that stay, two people for each, one switch that publishes.

Rules kept here:
- Nothing goes live that two people have not agreed to: nobody approves what they proposed themselves. Taking an
  entry out needs one curator: what is wrong must not wait for a second.
- An approval is of a text that meets the rules (`knowledge.rules`) and changes the version that stands now: two
  changes made side by side never undo each other unseen.
- Publishing is one switch: `Catalogue.live` names a release, and changes in one transaction with all it brings.
- Past its review date an entry is offered to no officer, whatever the release says.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from knowledge.entry import BadEntry, Entry, Published
from knowledge.reading import read_entry, write_entry
from knowledge.rules import faults
from knowledge.tables import Catalogue, EntryVersion, Release, ReleaseEntry, State

log = logging.getLogger(__name__)

WARN = timedelta(days=30)  # how long before its review date an entry is shown as due


class CatalogueError(Exception):
    """That cannot be done with the catalogue."""

    def __str__(self) -> str:
        return " ".join((self.__doc__ or "").split())


class NoSuchVersion(CatalogueError):
    """There is no such version in the catalogue."""


class OwnProposal(CatalogueError):
    """You proposed this yourself; a second curator has to approve it."""


class NotWaiting(CatalogueError):
    """This version is no longer waiting for a decision."""


class Overtaken(CatalogueError):
    """The entry has changed since this was proposed. Propose the change again, on top of what stands now."""


class Faulty(CatalogueError):
    """This does not meet the rules for entries, so it cannot be approved. Propose it again without the faults."""


class NoReason(CatalogueError):
    """Say why in a few words, for whoever reads it later (400 characters at most)."""


class NothingToPublish(CatalogueError):
    """Nothing is approved and waiting to be published."""


class NotLive(CatalogueError):
    """That entry is not in the live catalogue."""


class HoldsWithdrawn(CatalogueError):
    """That release holds an entry that was withdrawn since, so it cannot be live again."""


@dataclass(frozen=True)
class Change:
    """What publishing would change for one entry."""

    row: EntryVersion
    live: int | None  # the version it takes the place of; None: an entry that is not live


def live_number(session: Session) -> int | None:
    """The release that is live. Whoever keeps a copy of the catalogue compares this and reads again on a change."""
    return session.scalar(select(Catalogue.live).where(Catalogue.id == 1))


def live(session: Session) -> tuple[Published, ...]:
    """Everything that is live, in order of id, also what is past its review date.

    What an older program took and this one cannot read is left out, and the log says so: the rest still helps."""
    found = []
    for row in _live_rows(session):
        try:
            found.append(Published(entry_of(row), row.number))
        except BadEntry as error:
            log.error("left out of the live catalogue: %s", error)
    return tuple(found)


def offerable(published: Published, today: date) -> bool:
    """Whether officers may be offered it on this day: its review date counts as the last one."""
    return published.entry.review_by >= today


def due_for_review(session: Session, today: date) -> tuple[Published, ...]:
    """What is past review or will be within 30 days, the most overdue first."""
    due = [one for one in live(session) if one.entry.review_by <= today + WARN]
    return tuple(sorted(due, key=lambda one: (one.entry.review_by, one.entry.id)))


def live_versions(session: Session) -> dict[str, int]:
    """The version of each entry that is live."""
    return {row.entry_id: row.version for row in _members(session, live_number(session))}


def entry_of(row: EntryVersion) -> Entry:
    """The entry that a version describes. Raises `BadEntry` where this program is stricter than the one it was
    proposed to."""
    return _read(row.text, f"{row.entry_id}.md")


@lru_cache(maxsize=4096)  # a version's text never changes
def _read(text: str, file: str) -> Entry:
    return read_entry(text, file)


def title_of(row: EntryVersion) -> str:
    """The title of a version; its id where it cannot be read any more."""
    try:
        return entry_of(row).title
    except BadEntry:
        return row.entry_id


def versions(session: Session, entry_id: str) -> list[EntryVersion]:
    """Every version of an entry, the newest first."""
    query = select(EntryVersion).where(EntryVersion.entry_id == entry_id).order_by(EntryVersion.number.desc())
    return list(session.scalars(query))


def version(session: Session, entry_id: str, number: int) -> EntryVersion:
    """One version. Raises `NoSuchVersion`."""
    row = session.get(EntryVersion, (entry_id, number))
    if row is None:
        raise NoSuchVersion
    return row


def in_state(session: Session, state: State) -> list[EntryVersion]:
    """Every version in a state, in the order in which they were proposed."""
    query = select(EntryVersion).where(EntryVersion.state == state.value)
    return list(session.scalars(query.order_by(EntryVersion.proposed_at, EntryVersion.entry_id, EntryVersion.number)))


def releases(session: Session) -> list[Release]:
    """Every release, the newest first."""
    return list(session.scalars(select(Release).order_by(Release.number.desc())))


def propose(session: Session, entry: Entry, by: str, now: datetime) -> EntryVersion:
    """Propose a new entry, or a change of the one that has this id. Raises `BadEntry` for what no file may hold;
    what merely breaks a rule for entries may be proposed, and cannot be approved."""
    _lock(session)
    return _propose(session, entry, by, now)


def approve(session: Session, entry_id: str, number: int, by: str, now: datetime) -> EntryVersion:
    """Agree to a proposal. Raises `NoSuchVersion`, `NotWaiting`, `OwnProposal`, `Overtaken` or `Faulty`."""
    _lock(session)
    row = version(session, entry_id, number)
    if row.state != State.PROPOSED.value:
        raise NotWaiting
    if row.proposed_by == by:
        raise OwnProposal
    if row.base != _standing(session, entry_id):
        raise Overtaken
    if faults(entry_of(row), now.date()):
        raise Faulty
    return _decide(row, State.APPROVED, by, now)


def refuse(session: Session, entry_id: str, number: int, by: str, reason: str, now: datetime) -> EntryVersion:
    """Turn down what was proposed, or approved and not published yet. Raises `NoSuchVersion`, `NotWaiting`
    or `NoReason`."""
    _lock(session)
    row = version(session, entry_id, number)
    if row.state not in (State.PROPOSED.value, State.APPROVED.value):
        raise NotWaiting
    return _decide(row, State.REFUSED, by, now, _reason(reason))


def take_back(session: Session, entry_id: str, number: int, by: str, now: datetime) -> EntryVersion:
    """Take back one's own proposal. Raises `NoSuchVersion` or `NotWaiting`."""
    _lock(session)
    row = version(session, entry_id, number)
    if row.proposed_by != by:
        raise NoSuchVersion
    if row.state != State.PROPOSED.value:
        raise NotWaiting
    return _decide(row, State.WITHDRAWN, by, now)


def waiting(session: Session) -> list[Change]:
    """What publishing would change."""
    now_live = live_versions(session)
    return [Change(row, now_live.get(row.entry_id)) for row in in_state(session, State.APPROVED)]


def publish(session: Session, by: str, now: datetime) -> Release:
    """Make everything that is approved live, at once. Raises `NothingToPublish`."""
    catalogue = _lock(session)
    approved = in_state(session, State.APPROVED)
    if not approved:
        raise NothingToPublish
    members = live_versions(session)
    for row in approved:
        row.state = State.PUBLISHED.value
        members[row.entry_id] = max(row.number, members.get(row.entry_id, 0))
    return _release(session, catalogue, members, by, now)


def withdraw(session: Session, entry_id: str, by: str, reason: str, now: datetime) -> Release:
    """Take an entry out of the live catalogue at once; what was approved on top of it is turned down with it.
    Raises `NotLive` or `NoReason`."""
    catalogue, why = _lock(session), _reason(reason)
    members = live_versions(session)
    number = members.pop(entry_id, None)
    if number is None:
        raise NotLive
    _decide(version(session, entry_id, number), State.WITHDRAWN, by, now, why)
    for row in in_state(session, State.APPROVED):
        if row.entry_id == entry_id:
            _decide(row, State.REFUSED, by, now, why)
    return _release(session, catalogue, members, by, now)


def switch(session: Session, number: int, by: str, now: datetime) -> None:
    """Make an earlier (or later) release live again. Raises `NoSuchVersion` or `HoldsWithdrawn`."""
    catalogue = _lock(session)
    if session.get(Release, number) is None:
        raise NoSuchVersion
    withdrawn = (
        select(EntryVersion.entry_id)
        .join(
            ReleaseEntry,
            (ReleaseEntry.entry_id == EntryVersion.entry_id) & (ReleaseEntry.version == EntryVersion.number),
        )
        .where(ReleaseEntry.release == number, EntryVersion.state == State.WITHDRAWN.value)
    )
    if session.scalar(withdrawn.limit(1)) is not None:
        raise HoldsWithdrawn
    catalogue.live, catalogue.switched_by, catalogue.switched_at = number, by, now


def seed(session: Session, entries: Sequence[Entry], now: datetime) -> Release | None:
    """Make the entries that came with the program live, where no catalogue was ever live. None: there was one."""
    catalogue = _lock(session)
    if catalogue.live is not None or not entries:
        return None
    members = {}
    for entry in entries:
        row = _propose(session, entry, None, now)
        row.state, members[entry.id] = State.PUBLISHED.value, row.number
    return _release(session, catalogue, members, None, now)


def _propose(session: Session, entry: Entry, by: str | None, now: datetime) -> EntryVersion:
    entry_id, text = entry.id, write_entry(entry)
    _read(text, f"{entry_id}.md")
    newest = session.scalar(select(func.max(EntryVersion.number)).where(EntryVersion.entry_id == entry_id))
    row = EntryVersion(
        entry_id=entry_id,
        number=(newest or 0) + 1,
        text=text,
        base=_standing(session, entry_id),
        state=State.PROPOSED.value,
        proposed_by=by,
        proposed_at=now,
        decided_by=None,
        decided_at=None,
        reason=None,
    )
    session.add(row)
    session.flush()
    return row


def _standing(session: Session, entry_id: str) -> int | None:
    """The version that a change has to be a change of: the newest approved one, else the live one."""
    query = select(func.max(EntryVersion.number)).where(
        EntryVersion.entry_id == entry_id, EntryVersion.state == State.APPROVED.value
    )
    return session.scalar(query) or live_versions(session).get(entry_id)


def _decide(row: EntryVersion, state: State, by: str, now: datetime, reason: str | None = None) -> EntryVersion:
    row.state, row.decided_by, row.decided_at, row.reason = state.value, by, now, reason
    return row


def _reason(reason: str) -> str:
    said = " ".join(reason.split())
    if not said or len(said) > 400:
        raise NoReason
    return said


def _release(
    session: Session, catalogue: Catalogue, members: Mapping[str, int], by: str | None, now: datetime
) -> Release:
    """A new release of these versions, live from this transaction on."""
    release = Release(made_by=by, made_at=now)
    session.add(release)
    session.flush()
    session.add_all(
        ReleaseEntry(release=release.number, entry_id=entry_id, version=number) for entry_id, number in members.items()
    )
    catalogue.live, catalogue.switched_by, catalogue.switched_at = release.number, by, now
    session.flush()
    return release


def _lock(session: Session) -> Catalogue:
    """The one row that everybody who changes the catalogue takes first."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(dialect.insert(Catalogue).values(id=1).on_conflict_do_nothing())
    return session.get_one(Catalogue, 1, with_for_update=True, populate_existing=True)


def _members(session: Session, release: int | None) -> list[ReleaseEntry]:
    query = select(ReleaseEntry).where(ReleaseEntry.release == release).order_by(ReleaseEntry.entry_id)
    return list(session.scalars(query))


def _live_rows(session: Session) -> list[EntryVersion]:
    query = (
        select(EntryVersion)
        .join(
            ReleaseEntry,
            (ReleaseEntry.entry_id == EntryVersion.entry_id) & (ReleaseEntry.version == EntryVersion.number),
        )
        .where(ReleaseEntry.release == live_number(session))
        .order_by(EntryVersion.entry_id)
    )
    return list(session.scalars(query))
