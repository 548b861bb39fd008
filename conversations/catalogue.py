"""Who may do what with the catalogue, and that it is recorded. What the catalogue allows is `knowledge.library`'s.

Rules kept here:
- Which roles may do what stands in `access.permissions`. A page that shows no button is a courtesy; that is the law.
- Leaves hold ids and numbers of versions and releases only; the texts stay where they are, version by version.
"""

from __future__ import annotations

from access.permissions import Action
from audit.events import Event
from conversations.standing import require
from conversations.work import BY_THE_LINE, Work
from knowledge import library
from knowledge.entry import Entry
from knowledge.reading import read_folder
from knowledge.tables import EntryVersion, Release


def propose(work: Work, by: str, entry: Entry) -> EntryVersion:
    """Propose a new or changed entry. Raises `RoleMissing` or `BadEntry`."""
    require(work, by, Action.PROPOSE_ENTRY)
    row = library.propose(work.session, entry, by, work.now)
    work.record(Event.ENTRY_PROPOSED, by, entry=row.entry_id, version=row.number, base=row.base)
    return row


def approve(work: Work, by: str, entry_id: str, number: int) -> None:
    """Agree to somebody else's proposal. Raises `RoleMissing` or what `library.approve` does."""
    require(work, by, Action.DECIDE_ENTRY)
    row = library.approve(work.session, entry_id, number, by, work.now)
    work.record(Event.ENTRY_APPROVED, by, entry=row.entry_id, version=row.number)


def refuse(work: Work, by: str, entry_id: str, number: int, reason: str) -> None:
    """Turn a proposal down. Raises `RoleMissing` or what `library.refuse` does."""
    require(work, by, Action.DECIDE_ENTRY)
    row = library.refuse(work.session, entry_id, number, by, reason, work.now)
    work.record(Event.ENTRY_REFUSED, by, entry=row.entry_id, version=row.number)


def take_back(work: Work, by: str, entry_id: str, number: int) -> None:
    """Take back one's own proposal. Raises `RoleMissing` or what `library.take_back` does."""
    require(work, by, Action.PROPOSE_ENTRY)
    row = library.take_back(work.session, entry_id, number, by, work.now)
    work.record(Event.ENTRY_TAKEN_BACK, by, entry=row.entry_id, version=row.number)


def publish(work: Work, by: str) -> Release:
    """Make everything approved live. Raises `RoleMissing` or `NothingToPublish`."""
    require(work, by, Action.DECIDE_ENTRY)
    before = library.live_number(work.session)
    release = library.publish(work.session, by, work.now)
    work.record(Event.CATALOGUE_SWITCHED, by, release=release.number, before=before)
    return release


def withdraw(work: Work, by: str, entry_id: str, reason: str) -> Release:
    """Take an entry out at once. Raises `RoleMissing` or what `library.withdraw` does."""
    require(work, by, Action.DECIDE_ENTRY)
    before = library.live_number(work.session)
    number = library.live_versions(work.session).get(entry_id)
    release = library.withdraw(work.session, entry_id, by, reason, work.now)
    work.record(Event.ENTRY_WITHDRAWN, by, entry=entry_id, version=number)
    work.record(Event.CATALOGUE_SWITCHED, by, release=release.number, before=before)
    return release


def switch(work: Work, by: str, number: int) -> None:
    """Make another release live. Raises `RoleMissing` or what `library.switch` does."""
    require(work, by, Action.DECIDE_ENTRY)
    before = library.live_number(work.session)
    library.switch(work.session, number, by, work.now)
    work.record(Event.CATALOGUE_SWITCHED, by, release=number, before=before)


def seed(work: Work) -> Release | None:
    """Make the catalogue that comes with the program live, where none ever was. None: there was one."""
    if library.live_number(work.session) is not None:
        return None
    release = library.seed(work.session, read_folder(), work.now)
    if release is not None:
        work.record(Event.CATALOGUE_SWITCHED, BY_THE_LINE, release=release.number, before=None)
    return release
