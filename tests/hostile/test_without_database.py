"""With the database stopped an officer who writes still gets the emergency words and the duty phone number.

The shipped program, as a process, on a PostgreSQL of this test's own that is stopped under it, and on an SQLite file
that cannot be written; by polling, by webhook, and in our own chat.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from access.enrolment import issue_code
from access.tables import CodePurpose, Role
from conversations import store
from conversations.policy import Policy
from conversations.work import working
from lanyard import schema
from storage.database import Database
from tests.botapi import BotApi, Person
from tests.faults.line_process import TOKEN, Installation, LineProcess, make_installation, running
from tests.postgres import _started as started

LEAD_PHONE = "01632 960 001"
TROUBLE = "The line has a fault and your message may not have been stored."
NEUTRAL = "This is a private service. If this is an emergency, ring 999."
WITHIN = 10.0  # seconds
STRANGER = 9001


class OwnPostgres:
    """A PostgreSQL of one test, that can be stopped as by a crash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = started(folder)
        self.url = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        database = Database(self.url)
        schema.upgrade(database)
        database.close()

    def stop(self) -> None:
        """`pg_ctl stop -m immediate`."""
        pid_file = self._folder / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
        deadline = time.monotonic() + 10
        while pid_file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def start(self) -> None:
        """It recovers, and serves again at the same place."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self._server.cleanup()


class LockedFile:
    """An SQLite file that somebody else does not stop writing to."""

    def __init__(self, file: Path) -> None:
        self.url = f"sqlite:///{file}"
        self._file = file
        self._holder: sqlite3.Connection | None = None

    def stop(self) -> None:
        self._holder = sqlite3.connect(self._file, isolation_level=None)
        self._holder.execute("BEGIN IMMEDIATE")

    def start(self) -> None:
        assert self._holder is not None
        self._holder.rollback()
        self.close()

    def close(self) -> None:
        if self._holder is not None:
            self._holder.close()
            self._holder = None


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def stoppable(
    request: pytest.FixtureRequest, tmp_path: Path, fresh_database: Callable[[str], str]
) -> Iterator[OwnPostgres | LockedFile]:
    """A database that can be stopped."""
    if request.param == "postgresql":
        made: OwnPostgres | LockedFile = OwnPostgres(tmp_path / "postgres")
    else:
        made = LockedFile(Path(fresh_database("sqlite").removeprefix("sqlite:///")))
    yield made
    made.close()


@contextmanager
def a_line(folder: Path, url: str, *, webhook: bool = False) -> Iterator[tuple[Installation, BotApi, str]]:
    """The program serving; gives the address of its pages too."""
    folder.mkdir()
    installation = make_installation(folder, url, officers=1, idvas=1)
    secret = folder / "keys" / "webhook-secret"
    secret.write_text("W" * 40)
    secret.chmod(0o600)
    port = _free_port()
    here = f"http://127.0.0.1:{port}"
    more = {"LANYARD_PORT": str(port), "LANYARD_PUBLIC_URL": here}
    if webhook:
        more |= {
            "LANYARD_TELEGRAM_WEBHOOK_PATH": "/telegram-4kXqv0Zr2uPq7",
            "LANYARD_TELEGRAM_WEBHOOK_SECRET_FILE": str(secret),
        }
    with BotApi(TOKEN) as api:
        for member in installation.team:
            api.person(member.telegram, member.name)._record.started = True
        with running(LineProcess(installation, api.base_url, more=more)) as process:
            process.start()
            process.wait_ready()
            assert api.wait_until(lambda: bool(api.webhook_url) == webhook)
            yield installation, api, here


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def officer_of(installation: Installation, api: BotApi) -> Person:
    return api.person(installation.members(Role.OFFICER)[0].telegram)


def words_in(installation: Installation) -> list[str]:
    """Everything the officer asked, opened."""
    with installation.opened() as line, working(line) as work:
        found = []
        for row in store.recent_of_officer(work.session, installation.members(Role.OFFICER)[0].id):
            for message in store.messages_of(work.session, row.id):
                for version in store.versions_of(work.session, [message.id])[message.id]:
                    if message.side == "officer":
                        place = f"{message.id}.{version.number}"
                        scope = f"consultation:{row.id}"
                        found.append(work.open_words("message_version", "words", place, scope, version.words))
        return sorted(found)


@pytest.mark.parametrize("webhook", [False, True], ids=["polling", "webhook"])
def test_with_the_database_stopped_an_officer_gets_help_in_ten_seconds_and_is_heard_once_afterwards(
    webhook: bool, stoppable: OwnPostgres | LockedFile, tmp_path: Path
) -> None:
    with a_line(tmp_path / "line", stoppable.url, webhook=webhook) as (installation, api, _):
        officer, stranger = officer_of(installation, api), api.person(STRANGER, "Canary")
        officer.write("Before it, canary")
        officer.wait_for("Received safely. Reference", WITHIN)
        stoppable.stop()
        try:
            officer.write("While it is down, canary")
            stranger.write("Hello, canary?")
            helped = officer.wait_for(TROUBLE, WITHIN)
            assert helped.text == f"{TROUBLE} Ring the duty lead on {LEAD_PHONE}. {Policy.emergency}"
            stranger.wait_for(NEUTRAL, WITHIN)
            assert len(api.pending_updates) == 2  # not acknowledged: Telegram keeps them
            assert not [one for one in stranger.from_bot if LEAD_PHONE in one.text]
        finally:
            stoppable.start()
        officer.wait_for("Received. ", 30)
        api.wait_until_drained(30)
        assert words_in(installation) == ["Before it, canary", "While it is down, canary"]
        assert len([one for one in officer.from_bot if one.text.startswith(TROUBLE)]) == 1
        assert len([one for one in officer.from_bot if one.text.startswith("Received. ")]) == 1
        told = installation.output.read_text(errors="replace")
        assert "canary" not in told.lower().replace(TOKEN.lower(), "")
        assert "Traceback" not in told


def test_with_the_database_stopped_our_own_chat_shows_the_words_and_the_number(
    stoppable: OwnPostgres | LockedFile, tmp_path: Path
) -> None:
    with (
        a_line(tmp_path / "line", stoppable.url) as (installation, _, here),
        httpx.Client(base_url=here, headers={"Sec-Fetch-Site": "same-origin"}, timeout=WITHIN) as browser,
    ):
        sign_in(installation, browser)
        asked = {"text": "Before it, canary", "client_id": "before"}
        assert browser.post("/chat/say", data=asked).status_code == 303
        stoppable.stop()
        try:
            began = time.monotonic()
            answer = browser.post("/chat/say", data={"text": "While it is down, canary", "client_id": "one-1"})
            assert time.monotonic() - began < WITHIN
        finally:
            stoppable.start()
        assert answer.status_code == 503
        assert Policy.emergency in answer.text
        assert LEAD_PHONE in answer.text
        for _ in range(2):  # the page tries again by itself: the same line is taken in once
            _until_it_answers(browser)
            again = {"text": "While it is down, canary", "client_id": "one-1"}
            assert browser.post("/chat/say", data=again).status_code == 303
        assert words_in(installation) == ["Before it, canary", "While it is down, canary"]


def sign_in(installation: Installation, browser: httpx.Client) -> None:
    code = secrets.token_hex(16)
    officer = installation.members(Role.OFFICER)[0].id
    with installation.opened() as line, working(line) as work:
        issue_code(work.session, code, CodePurpose.SIGN_IN, officer, datetime.now(UTC), role=Role.OFFICER)
    assert re.search("/chat$", browser.post("/sign-in", data={"code": code}).headers["location"])


def _until_it_answers(browser: httpx.Client) -> None:
    deadline = time.monotonic() + 20
    while browser.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
