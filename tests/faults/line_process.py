"""The shipped program as a real process on a real installation, to be killed and started again.

Rules kept here:
- Nothing of the program is changed or mocked: `python -m lanyard serve` with LANYARD_… settings. A sabotaged build
  is another launcher (`tests/faults/sabotage`) that breaks one thing and then runs the same command.
- The team is put in by the program's own use cases, under the same key file, before the first start.
- Everything the program prints is kept in one file, over all its lives: it is searched for words afterwards.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json import dumps
from pathlib import Path

from access.enrolment import bind_telegram
from access.people import NewPerson, add_person
from access.tables import Role
from conversations.line import Doors, Line
from conversations.policy import Policy
from conversations.rota import add_shift
from conversations.store import IDVA_DUTY, LEAD_DUTY
from conversations.work import Work, working
from storage.database import Database
from storage.keys import Keyring, make_key_file, read_key_file

ROOT = Path(__file__).parents[2]
TOKEN = "123456789:AAfaultsCanaryTokenCanaryTokenCanary"
CRASHED = 137  # the exit status of a failpoint
START_PATIENCE = 30.0  # seconds; a start takes two on an idle machine
LINE = ("-m", "lanyard", "serve")
SHIFT = timedelta(hours=12)


@dataclass(frozen=True)
class Member:
    """Somebody in the team, known to the line and to Telegram."""

    id: str
    telegram: int
    role: Role
    name: str


class _Bell:
    def ring(self, people: frozenset[str]) -> None:
        """Nobody waits while the team is put in."""


@dataclass(frozen=True)
class Installation:
    """A database, a key, a token and a team."""

    folder: Path
    database: str
    team: tuple[Member, ...]

    @property
    def key_file(self) -> Path:
        return self.folder / "keys" / "lanyard.key"

    @property
    def token_file(self) -> Path:
        return self.folder / "keys" / "token"

    @property
    def output(self) -> Path:
        """What the program printed, in all its lives."""
        return self.folder / "output.txt"

    def members(self, role: Role) -> list[Member]:
        return [member for member in self.team if member.role is role]

    @contextmanager
    def opened(self) -> Iterator[Line]:
        """The same line in this process, to put things in and to look."""
        database = Database(self.database)
        try:
            yield Line(
                database=database,
                keyring=Keyring(read_key_file(self.key_file, None)),
                policy=Policy(),
                doors=Doors(telegram=True, relay=True),
                bell=_Bell(),
                now=lambda: datetime.now(UTC),
                token=lambda: secrets.token_hex(16),
            )
        finally:
            database.close()


def make_installation(folder: Path, database: str, *, officers: int, idvas: int) -> Installation:
    """A team on duty on a fresh, migrated database. Every Telegram account is bound already."""
    wanted = [(Role.OFFICER, officers, 5000), (Role.IDVA, idvas, 6000), (Role.SUPERVISOR, 1, 7000)]
    team = tuple(
        Member(secrets.token_hex(16), first + number, role, f"{role.value.title()} Name{chr(65 + number)}")
        for role, many, first in wanted
        for number in range(many)
    )
    installation = Installation(folder, database, team)
    make_key_file(installation.key_file, "faults")
    installation.token_file.write_text(TOKEN)
    installation.token_file.chmod(0o600)
    with installation.opened() as line, working(line) as work:
        line.keyring.prove_fits(work.session, work.now)
        for member in team:
            _enrol(work, member)
    return installation


def _enrol(work: Work, member: Member) -> None:
    keyring = work.line.keyring
    new = NewPerson(f"F-{member.telegram}", member.name, "Example Service", frozenset({member.role}))
    add_person(work.session, keyring, member.id, new, work.now)
    bind_telegram(work.session, keyring, member.id, str(member.telegram), work.now)
    duty = {Role.IDVA: IDVA_DUTY, Role.SUPERVISOR: LEAD_DUTY}.get(member.role)
    if duty is not None:
        add_shift(work, member.id, duty, work.now, work.now + SHIFT)


@dataclass
class LineProcess:
    """One life of the program after another."""

    installation: Installation
    telegram_api: str
    launcher: Sequence[str] = LINE
    waits: Mapping[str, float] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)  # further environment, of one campaign
    births: list[float] = field(default_factory=list)  # when each life was started
    ready_at: float = 0.0  # when this life said that it was ready
    _running: subprocess.Popen[bytes] | None = None
    _printed_before: int = 0

    def start(self, crash_at: str = "") -> None:
        """Start, without waiting until it is ready. `crash_at`: name[:n] of a failpoint."""
        assert self._running is None, "it is running already"
        with self.installation.output.open("ab") as output:
            self._printed_before = output.tell()
            self._running = subprocess.Popen(
                [sys.executable, *self.launcher],
                cwd=ROOT,
                env=self._environment(crash_at),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.births.append(time.time())
        self.ready_at = 0.0

    def wait_ready(self) -> None:
        """Wait until it says that it is ready."""
        began = time.monotonic()
        while not self.is_ready():
            if not self.alive:
                raise AssertionError(f"the line did not start:\n{self.last_lines()}")
            if time.monotonic() - began > START_PATIENCE:
                raise AssertionError(f"the line is not ready after {START_PATIENCE} s:\n{self.last_lines()}")
            time.sleep(0.01)

    def ready_or_dead(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self.is_ready() or not self.alive

    @property
    def alive(self) -> bool:
        return self._running is not None and self._running.poll() is None

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._running is not None:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait()
            self._running = None

    def buried(self) -> int:
        """The exit status of a life that has ended by itself."""
        assert self._running is not None
        status = self._running.wait(timeout=5)
        self._running = None
        return status

    def last_lines(self, number: int = 12) -> str:
        """The end of what it printed."""
        return "\n".join(self.installation.output.read_text(errors="replace").splitlines()[-number:])

    def is_ready(self) -> bool:
        """Whether this life has said that it is ready."""
        if not self.ready_at:
            with self.installation.output.open("rb") as output:
                output.seek(self._printed_before)
                if b"Lanyard is ready on" in output.read():
                    self.ready_at = time.time()
        return bool(self.ready_at)

    def _environment(self, crash_at: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LANYARD_", "PYTEST_"))}
        settings = {
            "DATABASE": self.installation.database,
            "KEY_FILE": str(self.installation.key_file),
            "PORT": "0",
            "LEAD_PHONE": "01632 960 001",
            "CAPACITY": "20",
            "TELEGRAM": "relay",
            "IMPACT_ASSESSMENT": "DPIA-TEST",
            "SHIFT_HOURS": "0",  # nobody signs in on the web in these campaigns; tests/test_leases.py is about that
            "TELEGRAM_TOKEN_FILE": str(self.installation.token_file),
            "TELEGRAM_API": self.telegram_api,
            "WAITS": dumps(dict(self.waits)),
            "CRASH_AT_FOR_TESTS": crash_at,
        }
        return kept | {f"LANYARD_{name}": value for name, value in settings.items()} | dict(self.more)


@contextmanager
def running(process: LineProcess) -> Iterator[LineProcess]:
    """Whatever happens, no process is left."""
    try:
        yield process
    finally:
        process.kill()
