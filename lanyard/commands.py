"""What each command of `lanyard` does. Each prints for people and gives an exit status."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from access.enrolment import issue_code
from access.people import NewPerson, add_person, find_by_staff_id, known_all
from access.tables import CodePurpose, Role
from audit.events import Event
from conversations.rota import suspend
from conversations.work import BY_THE_LINE, Work, working
from lanyard import schema
from lanyard.drawing import draw, draw_events, draw_permissions, draw_settings
from lanyard.practice import open_practice, practice_settings, welcome
from lanyard.serving import serve as run_server
from lanyard.settings import Settings, read_settings
from lanyard.signing import require_whole
from lanyard.wiring import House, bot_name, open_database, open_house, token


def say(line: str) -> None:
    """Print for whoever ran the command."""
    print(line)


def house_of(settings: Settings) -> House:
    """The installation these settings describe, checked: schema, keys, people, trail."""
    database = open_database(settings)
    try:
        schema.require_current(database)
        require_whole(settings, database)
        return open_house(settings, database)
    except BaseException:
        database.close()
        raise


@contextmanager
def at_home() -> Iterator[House]:
    """The installation of the settings, for one command."""
    house = house_of(read_settings())
    try:
        yield house
    finally:
        house.line.database.close()


def practice(asked: Namespace) -> int:
    """A practice line with a made-up team."""
    given = {"port": asked.port} if asked.port is not None else {}
    house = open_practice(practice_settings(Path(asked.folder).absolute(), **given))
    return run_server(house, welcome(house))


def serve(_asked: Namespace) -> int:
    """The line."""
    return run_server(house_of(read_settings()))


def people_add(asked: Namespace) -> int:
    """Add a member of staff."""
    with at_home() as house:
        new = NewPerson(
            asked.staff_id,
            asked.name,
            asked.service,
            frozenset(Role(role) for role in asked.role),
            house.settings.practice,
        )
        with working(house.line) as work:
            person_id = token()
            add_person(work.session, house.line.keyring, person_id, new, work.now)
            work.record(Event.PERSON_ADDED, BY_THE_LINE, person=person_id)
        say(f"Added {asked.staff_id}. Next: lanyard people link {asked.staff_id} {asked.role[0]}")
        return 0


def people_list(_asked: Namespace) -> int:
    """Everybody, with roles and standing."""
    with at_home() as house:
        with working(house.line) as work:
            for person in known_all(work.session, house.line.keyring):
                roles = ",".join(sorted(role.value for role in person.roles))
                standing = "active" if person.active else "suspended"
                say(f"{person.number}\t{person.name}\t{person.service}\t{roles}\t{standing}")
        return 0


def people_link(asked: Namespace) -> int:
    """A one-time sign-in link, for ten minutes."""
    with at_home() as house:
        with working(house.line) as work:
            person = find_by_staff_id(work.session, house.line.keyring, asked.staff_id)
            role = Role(asked.role)
            if role not in person.roles:
                say(f"{asked.staff_id} is not {role.value}.")
                return 2
            say(f"{house.settings.public_url.rstrip('/')}/sign-in/{_code(work, person.id, CodePurpose.SIGN_IN, role)}")
        return 0


def people_telegram(asked: Namespace) -> int:
    """A one-time link that binds a Telegram account, for ten minutes."""
    with at_home() as house:
        name = asyncio.run(bot_name(house.settings))
        with working(house.line) as work:
            person = find_by_staff_id(work.session, house.line.keyring, asked.staff_id)
            code = _code(work, person.id, CodePurpose.TELEGRAM)
            say(f"https://t.me/{name}?start={code}" if name else f"Write to the bot: /start {code}")
        return 0


def people_suspend(asked: Namespace) -> int:
    """Take somebody's access away at once."""
    with at_home() as house:
        with working(house.line) as work:
            person = find_by_staff_id(work.session, house.line.keyring, asked.staff_id)
            suspend(work, person.id, BY_THE_LINE)
        say(f"{asked.staff_id} is suspended.")
        return 0


def database_upgrade(_asked: Namespace) -> int:
    """Bring the schema up to date."""
    database = open_database(read_settings())
    schema.upgrade(database)
    say(f"The database is at revision {schema.current(database)}.")
    return 0


def states(asked: Namespace) -> int:
    """Draw docs/states.md, settings.md, events.md and permissions.md into a folder."""
    folder = Path(asked.folder)
    pages = {"states": draw, "settings": draw_settings, "events": draw_events, "permissions": draw_permissions}
    for name, drawn in pages.items():
        (folder / f"{name}.md").write_text(drawn())
    return 0


def _code(work: Work, person_id: str, purpose: CodePurpose, role: Role | None = None) -> str:
    code = token()
    issue_code(work.session, code, purpose, person_id, work.now, role=role)
    work.record(Event.CODE_ISSUED, BY_THE_LINE, person=person_id, purpose=purpose.value)
    return code
