"""A campaign: a line, the people at work on it, and a Telegram that outlives every kill."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import OperationalError

from conversations.messages import ChannelName
from conversations.tables import Inbox, InboxState, Outbox, OutboxState
from storage.database import Database
from tests.botapi import BotApi
from tests.faults.invariants import Evidence, findings
from tests.faults.line_process import LINE, TOKEN, Installation, LineProcess, make_installation
from tests.faults.load import Load

RECOVERY = 10.0  # seconds after a restart (from "ready") until everything due is out
USUAL_START = 2.0  # seconds; on a machine so busy that a start takes twice as long, everything may
QUIET = 3  # looks in a row at which nothing was open


@dataclass
class Campaign:
    """Everything one campaign works with."""

    api: BotApi
    installation: Installation
    process: LineProcess
    load: Load
    recoveries: list[float] = field(default_factory=list)
    kills: int = 0

    def start(self, crash_at: str = "") -> None:
        """Start a life; it is not waited for."""
        self.process.start(crash_at)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.kills += 1

    def settle(self, patience: float = RECOVERY) -> float:
        """Nobody writes any more; wait until everything is out. How long it took, from when the line was ready."""
        asked = time.time()
        self.process.wait_ready()
        since = max(asked, self.process.ready_at)
        patience *= max(1.0, (self.process.ready_at - self.process.births[-1]) / USUAL_START)
        database = Database(self.installation.database)
        try:
            quiet, took = 0, 0.0
            while quiet < QUIET:
                self.load.react()
                quiet = 0 if self.api.pending_updates or _open_rows(database) else quiet + 1
                assert self.process.alive, f"the line is dead:\n{self.process.last_lines()}"
                took = time.time() - since
                assert took < patience, f"not everything is out after {took:.1f} s: {self._open(database)}"
                time.sleep(0.05)
        finally:
            database.close()
        self.recoveries.append(took)
        return took

    def check(self) -> list[str]:
        """What is not as it must be, twice: the line goes on meanwhile, and something may be on its way just now."""
        found = self._findings()
        if found and self.process.alive:
            self.settle()
            found = [one for one in self._findings() if one in found]
        return found

    def _findings(self) -> list[str]:
        return findings(Evidence(self.api, self.installation, self.load.said, self.process.births))

    def _open(self, database: Database) -> str:
        with database.reading() as session:
            rows = session.scalars(select(Outbox).where(_unsent())).all()
            told = [f"{row.seq} {row.state} {row.purpose} attempts={row.attempts} why={row.why}" for row in rows]
        return f"updates {self.api.pending_updates}, outbox {told}"


def _unsent() -> ColumnElement[bool]:
    states = (OutboxState.WAITING.value, OutboxState.CLAIMED.value)
    return (Outbox.channel == ChannelName.TELEGRAM.value) & Outbox.state.in_(states)


def _open_rows(database: Database) -> int:
    """How much is still to be handled or sent."""
    try:
        with database.reading() as session:
            arrivals = select(func.count()).select_from(Inbox).where(Inbox.state == InboxState.WAITING.value)
            sends = select(func.count()).select_from(Outbox).where(_unsent())
            return (session.scalar(arrivals) or 0) + (session.scalar(sends) or 0)
    except OperationalError:
        return 1  # locked for a moment


@contextmanager
def a_campaign(
    folder: Path,
    database: str,
    *,
    seed: int,
    officers: int = 4,
    idvas: int = 3,
    rate: float = 5.0,
    launcher: Sequence[str] = LINE,
    waits: Mapping[str, float] | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[Campaign]:
    """A campaign on a fresh, migrated database. No process is left, whatever happens."""
    print(f"seed {seed}")
    installation = make_installation(folder, database, officers=officers, idvas=idvas)
    with BotApi(TOKEN) as api:
        load = Load(api, installation, Random(seed), rate)
        process = LineProcess(installation, api.base_url, launcher, waits or {}, more or {})
        load.arrive()
        try:
            yield Campaign(api, installation, process, load)
        finally:
            process.kill()


def rule_of_three(rounds: int, what: str) -> str:
    """What so many rounds without a failure prove."""
    return f"{rounds} clean {what}: at most {3 / rounds:.2%} at 95% confidence"
