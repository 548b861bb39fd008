"""What `lanyard retention …` does: what is due, keeping on, legal holds, erasure, a month's keys.

Rule kept here: for supervisors, by their staff id.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path

from access.people import find_by_staff_id
from conversations import archive, store
from conversations.erasure import Rule, certificate, erase, finish
from conversations.errors import NoHold, WhichHold
from conversations.line import Line
from conversations.retention import (
    HoldReason,
    KeepReason,
    ask_to_lift,
    due_for_review,
    keep_on,
    lift,
    place_hold,
    require_supervisor,
)
from conversations.search import LOCAL
from conversations.tables import LegalHold
from conversations.work import Work, working
from lanyard.commands import house_of, say
from lanyard.settings import BadSettings, read_settings
from storage.failpoint import failpoint

DAY = timedelta(days=1)


def due(_asked: Namespace) -> int:
    """What ended longer ago than its class is kept."""
    with _the_line() as line, working(line) as work:
        for one in due_for_review(work):
            over = (work.now - one.due_at) // DAY
            say(f"{one.ref}\t{one.kind.value}\tended {one.ended_at:%Y-%m-%d}\tdue for {over} days")
    return 0


def keep(asked: Namespace) -> int:
    """Keep a consultation on that was reviewed, until another day."""
    until = datetime.combine(asked.until, time(), LOCAL)
    with _the_line() as line, working(line) as work:
        row = store.by_ref(work.session, asked.ref)
        keep_on(work, row.id, _person(work, asked), until, KeepReason(asked.reason))
    say(f"{row.ref} is kept on until {asked.until} ({asked.reason}). Then it is due for review again.")
    return 0


def destroy_month(asked: Namespace) -> int:
    """Destroy the keys of a month that is over, so that no backup opens what was archived in it."""
    with _the_line() as line:
        with working(line) as work:
            archive.destroy_month(work, asked.month, _person(work, asked))
        line.keyring.destroy_month(asked.month)
    say(
        f"The keys of {asked.month} are destroyed. An escrowed copy still holds them: make a new one, destroy that one."
    )
    return 0


def hold(asked: Namespace) -> int:
    """Forbid erasing a consultation, for a reason with a reference."""
    with _the_line() as line, working(line) as work:
        row = store.by_ref(work.session, asked.ref)
        place_hold(work, row.id, _person(work, asked), HoldReason(asked.reason), asked.reference)
    say(f"{row.ref} is under a legal hold ({asked.reason}, {asked.reference}). Lifting it takes two supervisors.")
    return 0


def lift_hold(asked: Namespace) -> int:
    """Lift a legal hold: the first supervisor asks, a second one lifts it."""
    with _the_line() as line, working(line) as work:
        row = store.by_ref(work.session, asked.ref)
        standing = _one_hold(store.standing_holds(work.session, [row.id]), asked.reference)
        by = _person(work, asked)
        if standing.lift_asked_by is None:
            ask_to_lift(work, standing.id, by)
            said = f"Asked. A second supervisor lifts it: lanyard retention lift {row.ref} --by THEIR_STAFF_ID"
        else:
            lift(work, standing.id, by)
            said = f"The hold {standing.reference} on {row.ref} is lifted."
    say(said)
    return 0


def erase_one(asked: Namespace) -> int:
    """Destroy a consultation and write its certificate. For one that is erased already: write it again."""
    folder = Path(asked.certificates)
    with _the_line() as line:
        _require_folder(folder)
        with working(line) as work:
            _erase(work, asked)
        failpoint("erase.after_commit")
        finish(line)
        with working(line) as work:
            made = certificate(work, asked.ref)
    file = folder / f"erased-{made.reference}.json"
    file.write_bytes(made.to_json())
    failpoint("erase.after_certificate")
    say(f"{made.reference} is erased. Its certificate: {file}")
    if not made.files_let_go:
        say("The database was being read, so its files may still hold sealed remains: they go at the next start.")
    return 0


def _erase(work: Work, asked: Namespace) -> None:
    by = _person(work, asked)
    require_supervisor(work, by)
    if store.erased(work.session, asked.ref) is None:
        erase(work, store.by_ref(work.session, asked.ref).id, by, Rule(asked.rule))


@contextmanager
def _the_line() -> Iterator[Line]:
    line = house_of(read_settings()).line
    try:
        yield line
    finally:
        line.database.close()


def _person(work: Work, asked: Namespace) -> str:
    return find_by_staff_id(work.session, work.line.keyring, asked.by).id


def _one_hold(holds: list[LegalHold], reference: str | None) -> LegalHold:
    found = [one for one in holds if reference is None or one.reference == reference]
    if not found:
        raise NoHold
    if len(found) > 1:
        raise WhichHold
    return found[0]


def _require_folder(folder: Path) -> None:
    # Before anything is destroyed: a certificate must have somewhere to go.
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadSettings(
            f"No certificate can be written into {folder} ({error.strerror}). Nothing was erased."
        ) from None
