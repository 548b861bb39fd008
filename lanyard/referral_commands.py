"""`lanyard knowledge export`, `import` and `links`: the public directory in and out, as Open Referral, CSV or entries.

Rules kept here:
- Without `--live` and `--by` no database and no settings are needed: the shipped catalogue is meant.
- Import changes nothing that is live: it prints what would change, and with `--by` stores proposals, all or none.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from datetime import UTC, date, datetime
from pathlib import Path

from access.people import find_by_staff_id
from conversations import catalogue
from conversations.work import working
from knowledge import library
from knowledge.difference import Mark, difference
from knowledge.entry import Entry, Published
from knowledge.hours import LOCAL
from knowledge.imports import read_file
from knowledge.links import bad_link
from knowledge.reading import write_entry
from knowledge.referral.proposed import Given, Proposed
from knowledge.referral.table import to_csv
from knowledge.referral.taking import take
from knowledge.referral.writing import to_open_referral
from knowledge.tables import State
from lanyard import asking_pages
from lanyard.commands import at_home, say
from lanyard.knowledge_commands import shipped
from lanyard.wiring import House

FORMATS = ("open-referral", "csv")
WAITING = (State.PROPOSED, State.APPROVED)


def export(asked: Namespace) -> int:
    """Write the public directory to standard output."""
    found, today = published(asked), local_today()
    if asked.format == "csv":
        sys.stdout.write(to_csv(found, today))
    else:
        sys.stdout.write(json.dumps(to_open_referral(found, today), ensure_ascii=False, indent=1) + "\n")
    past = sum(one.entry.review_by < today for one in found)
    if past:
        print(f"{past} entries are past their review date and left out.", file=sys.stderr)
    return 0


def import_(asked: Namespace) -> int:
    """Print what a file would change; with --by, propose it. A file that is wrong is refused whole."""
    given = Given(asked.owner or "", asked.review_by, tuple(asked.area or ()), tuple(asked.topic or ()))
    file = Path(asked.file)
    data = read_file(file)
    if asked.by is None:
        live = {one.entry.id: one.entry for one in shipped()}
        tell(take(data, file.name, given, live, local_today()), live)
        return 0
    with at_home() as house:
        propose(house, data, file.name, given, asked.by)
    return 0


def propose(house: House, data: bytes, file: str, given: Given, by: str) -> None:
    """Store every proposal of a file that changes something, in one transaction. Raises `BadEntry`, `NoSuchPerson`
    or `RoleMissing`; nothing is stored then."""
    with working(house.line) as work:
        person = find_by_staff_id(work.session, house.line.keyring, by)
        waiting = {row.text for state in WAITING for row in library.in_state(work.session, state)}
        live = {one.entry.id: one.entry for one in library.live(work.session)}
        found = take(data, file, given, live, work.now.astimezone(LOCAL).date())
        changed = [entry for entry in found.entries if entry != live.get(entry.id)]
        changed = [entry for entry in changed if write_entry(entry) not in waiting]  # the same file, once more
        for entry in changed:
            catalogue.propose(work, person.id, entry)
    tell(found, live)
    say(f"{len(changed)} proposed: another curator approves them in the console.")


def links(asked: Namespace) -> int:
    """Ask for every web address of the catalogue once, and print those that are bad."""
    bad = 0
    for one in published(asked):
        fault = bad_link(one.entry.web, asking_pages.resolve, asking_pages.ask) if one.entry.web else ""
        if fault:
            bad += 1
            say(f"{one.entry.id}: {fault}")
    say(f"{bad} bad links")
    return 1 if bad else 0


def published(asked: Namespace) -> list[Published]:
    """The catalogue that is meant: the live one, or the shipped one."""
    if not asked.live:
        return shipped()
    with at_home() as house, house.line.database.reading() as session:
        return list(library.live(session))


def tell(found: Proposed, live: dict[str, Entry]) -> None:
    """Print what a file would change, and what a person should look at."""
    for entry in found.entries:
        before = live.get(entry.id)
        if before is None:
            say(f"new      {entry.id}: {entry.title}")
        elif before != entry:
            say(f"changed  {entry.id}: {entry.title}")
            for line in difference(write_entry(before), write_entry(entry)):
                if line.mark in (Mark.ADDED, Mark.REMOVED):
                    say(f"         {'+' if line.mark is Mark.ADDED else '-'} {line.text}")
    same = sum(live.get(entry.id) == entry for entry in found.entries)
    say(f"{len(found.entries)} services, {same} as they are now")
    for note in found.notes:
        say(f"look at  {note}")


def local_today() -> date:
    """The day where people are."""
    return datetime.now(UTC).astimezone(LOCAL).date()
