"""`lanyard practice`: a clearly marked practice line on this machine, with a made-up team.

Rules kept here:
- Everything lives in the folder `practice/`; nothing of a real installation is touched or reused.
- The team exists only here: a database that holds real people is refused.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from access.enrolment import issue_code
from access.people import NewPerson, NoSuchPerson, add_person, find_by_staff_id, has_people
from access.tables import CodePurpose, Role
from audit.events import Event
from conversations import store
from conversations.planned import LONGEST_SHIFT
from conversations.rota import go_on_duty
from conversations.work import BY_THE_LINE, Work, working
from lanyard import schema
from lanyard.settings import KeySource, Settings, read_settings
from lanyard.wiring import House, PracticeMix, open_database, open_house, token
from storage.database import Database
from storage.keys import make_key_file

LINK_LIFE = timedelta(hours=12)

TEAM = (
    NewPerson("PC 1234", "PC 1234 Example", "Example Constabulary", frozenset({Role.OFFICER}), practice=True),
    NewPerson("PC 5678", "PC 5678 Sample", "Example Constabulary", frozenset({Role.OFFICER}), practice=True),
    NewPerson("N-100", "Jane Example", "Example Hospitals NHS Trust", frozenset({Role.IDVA}), practice=True),
    NewPerson("N-200", "Amira Sample", "Example Hospitals NHS Trust", frozenset({Role.IDVA}), practice=True),
    NewPerson("N-300", "Ruth Example", "Example Hospitals NHS Trust", frozenset({Role.IDVA_LEAD}), practice=True),
    NewPerson("S-300", "Sam Example", "Example Constabulary", frozenset({Role.SUPERVISOR}), practice=True),
    NewPerson("D-800", "Dee Example", "Example Constabulary", frozenset({Role.SERGEANT}), practice=True),
    NewPerson("T-700", "Otto Example", "Example Constabulary", frozenset({Role.AUDITOR}), practice=True),
    NewPerson("C-400", "Cleo Example", "Example Hospitals NHS Trust", frozenset({Role.CURATOR}), practice=True),
    NewPerson("C-500", "Carl Sample", "Example Constabulary", frozenset({Role.CURATOR}), practice=True),
    NewPerson("A-600", "Ada Example", "Example Constabulary", frozenset({Role.ADMIN}), practice=True),
)


def practice_settings(folder: Path, **given: Any) -> Settings:
    """Settings of a practice line; environment variables still win where they are set."""
    defaults: dict[str, Any] = {
        "database": f"sqlite:///{folder / 'data' / 'lanyard.db'}",
        "key_file": folder / "keys" / "lanyard.key",
        "lead_name": "the duty lead",
        "lead_phone": "01632 960 001",
    }
    chosen = {name: value for name, value in defaults.items() if f"LANYARD_{name.upper()}" not in os.environ}
    port = given.get("port") or os.environ.get("LANYARD_PORT", "8000")
    if "LANYARD_PUBLIC_URL" not in os.environ:
        chosen["public_url"] = f"http://127.0.0.1:{port}"
    return read_settings(**chosen, **given, practice=True)


def open_practice(settings: Settings) -> House:
    """Migrate, make keys and team where they are not there yet, put everybody on duty."""
    database = open_database(settings)
    _refuse_real_people(database)
    if settings.keys is KeySource.FILE and not settings.key_file.exists():
        make_key_file(settings.key_file, "practice-1")
    schema.upgrade(database)
    house = open_house(settings, database)
    with working(house.line) as work:
        for new in TEAM:
            _let_in(work, new)
        _everybody_on_duty(work)
    return house


def _let_in(work: Work, new: NewPerson) -> None:
    """One of the team, unless they are here already: an older practice folder has a smaller team."""
    try:
        find_by_staff_id(work.session, work.line.keyring, new.staff_id)
    except NoSuchPerson:
        add_person(work.session, work.line.keyring, token(), new, work.now)
        work.record(Event.PERSON_ADDED, BY_THE_LINE, practice=True)


def _refuse_real_people(database: Database) -> None:
    """Before anything is changed in it. Raises `PracticeMix`."""
    if schema.current(database) is None:
        return
    with database.reading() as session:
        if has_people(session, practice=False):
            raise PracticeMix


def welcome(house: House) -> str:
    """What the newcomer reads: one one-time sign-in link for each of the team."""
    base = house.settings.public_url.rstrip("/")
    lines = [
        "",
        "PRACTICE. Everybody here is made up; write nothing about real people.",
        "One-time sign-in links, one for each window:",
    ]
    with working(house.line) as work:
        for new in TEAM:
            person = find_by_staff_id(work.session, house.line.keyring, new.staff_id)
            role = next(iter(new.roles))
            code = token()
            issue_code(work.session, code, CodePurpose.SIGN_IN, person.id, work.now, role=role, life=LINK_LIFE)
            lines.append(f"  {role.value:<10} {new.name:<16} {base}/sign-in/{code}")
    lines += [
        "Two of the same role need two browsers (or a private window); one of each share a browser.",
        "Lanyard is ready on {url}",
    ]
    return "\n".join(lines)


def _everybody_on_duty(work: Work) -> None:
    until = work.now + LONGEST_SHIFT
    for new in TEAM:
        person = find_by_staff_id(work.session, work.line.keyring, new.staff_id)
        if Role.IDVA in new.roles:
            go_on_duty(work, person.id, store.IDVA_DUTY, until)
        if Role.SUPERVISOR in new.roles:
            go_on_duty(work, person.id, store.LEAD_DUTY, until)
