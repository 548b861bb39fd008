"""One row of the table of hostile inputs, and what each of its four codes promises.

The rows are those of `facts/security.md` section 6. A row may have several cases. Where the text of a row leaves a
choice, the case says in `why` what was chosen, and why it protects the people.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from conversations.tables import InboxState
from tests.botapi import Message as Seen
from tests.hostile.kit import Scene

Act = Callable[[Scene], Awaitable[None]]
CANARY = "canary"  # stands in whatever is sent, and never in a log or in the trail


class Code(Enum):
    """What becomes of an input."""

    OK = "OK"  # accepted, stored and passed on exactly
    REFUSED = "R"  # one short helpful line, no state change, a note in the trail with the kind only
    NOTHING = "N"  # no reply, no state change, a note in the trail
    QUARANTINED = "Q"  # kept sealed as it came, an alarm; the next one goes on
    SILENT = "-"  # there is no update at all: nothing changes, nothing is noted
    SEVERAL = "several"  # several inputs: the case itself checks what each of them gets


REFUSALS = {"input.refused", "access.code_refused", "tap.refused"}
NOTES = REFUSALS | {"input.ignored", "input.quarantined"}
FACTS = {"why", "alarm", "inbox", "message", "version", "seconds", "hours", "again", "outbox", "held"}


async def nothing(_scene: Scene) -> None:
    """Nothing has to be there before."""


@dataclass(frozen=True)
class Case:
    """One input, and what it must get."""

    row: int
    name: str
    code: Code
    act: Act
    before: Act = nothing
    after: Act = nothing
    reply: str = ""  # R: part of what the writer is told
    who: str | int = "officer1"  # whose chat the reply is looked for in
    noted: str = ""  # the `why` of the note in the trail
    alarm: bool = False
    relay: bool = True
    relay_only: bool = False  # in doorbell mode the page shows what this is about
    storage: bool = False  # shown on PostgreSQL too
    campaign: bool = False  # in full by `make prove`, smaller in `make test`
    why: str = ""

    @property
    def id(self) -> str:
        door = "" if self.relay else "-by-doorbell"
        return f"row-{self.row:02d}-{self.code.value}-{self.name.replace(' ', '-')}{door}"


@dataclass
class Proof:
    """What was there before, to compare with."""

    scene: Scene
    case: Case
    leaves: int = 0
    arrivals: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    chat: dict[int, str] = field(default_factory=dict)

    def look(self) -> None:
        """Remember how things are."""
        scene = self.scene
        self.leaves, self.arrivals = len(scene.trail()), len(scene.inbox())
        self.state = scene.snapshot()
        self.chat = {one.message_id: one.text for one in scene.seen_by(self.case.who)}

    def news(self) -> list[Seen]:
        """What the writer sees that was not there before."""
        seen = self.scene.seen_by(self.case.who)
        return [one for one in seen if self.chat.get(one.message_id) != one.text]

    def check(self) -> None:
        """What the code of this case promises."""
        promised: dict[Code, Callable[[], None]] = {
            Code.OK: self._accepted,
            Code.REFUSED: self._refused,
            Code.NOTHING: self._unanswered,
            Code.QUARANTINED: self._quarantined,
            Code.SILENT: self._silent,
        }
        if self.case.code in promised:
            promised[self.case.code]()

    def _accepted(self) -> None:
        notes = [one for one in self.scene.trail(self.leaves) if one.event in NOTES]
        assert not notes, "an accepted input was noted as if it had been refused"

    def _refused(self) -> None:
        assert self.scene.snapshot() == self.state
        texts = [one.text for one in self.news()]
        assert texts, "never silence to who is refused"
        assert any(self.case.reply in text for text in texts), texts
        self._noted(REFUSALS)

    def _unanswered(self) -> None:
        assert self.scene.snapshot() == self.state
        assert not self.news()
        self._noted(NOTES)

    def _quarantined(self) -> None:
        assert self.scene.snapshot() == self.state
        rows = self.scene.inbox()[self.arrivals :]
        assert rows
        assert {row.state for row in rows} == {InboxState.QUARANTINED.value}
        notes = self.scene.noted("input.quarantined", self.leaves)
        assert len(notes) == len(rows)
        assert all(one.facts["alarm"] for one in notes)

    def _silent(self) -> None:
        assert self.scene.snapshot() == self.state
        assert len(self.scene.inbox()) == self.arrivals
        assert len(self.scene.trail()) == self.leaves

    def _noted(self, events: set[str]) -> None:
        notes = [one for one in self.scene.trail(self.leaves) if one.event in events]
        assert notes, "nothing was noted"
        assert all(set(one.facts) <= FACTS for one in notes)
        if self.case.noted:
            assert self.case.noted in {one.why for one in notes}, notes
        if self.case.alarm:
            assert any(one.facts.get("alarm") for one in notes), notes

    async def goes_on(self) -> None:
        """Whatever came, the next one is taken in and answered."""
        assert all(row.state != InboxState.WAITING.value for row in self.scene.inbox())
        self.scene.phone("next").write("And the next one?")
        await self.scene.settle()
        ref = self.scene.row_of("next").ref
        assert self.scene.words(ref) == [["And the next one?"]]
        assert any(ref in one.text for one in self.scene.seen_by("next"))

    def is_nowhere(self, logs: io.StringIO) -> None:
        """No content in the logs, none in the trail, no traceback."""
        told = logs.getvalue()
        assert CANARY not in told.lower()
        assert "Traceback" not in told
        assert CANARY.encode() not in self.scene.leaves().lower()
        if not self.case.relay:
            assert not self.scene.api.mentions(CANARY), "a doorbell carries nobody's words"


async def prove(case: Case, scene: Scene, logs: io.StringIO) -> None:
    """Play one case and check all that it promises."""
    proof = Proof(scene, case)
    await case.before(scene)
    await scene.settle()
    proof.look()
    await case.act(scene)
    await scene.settle()
    proof.check()
    await case.after(scene)
    await proof.goes_on()
    proof.is_nowhere(logs)
