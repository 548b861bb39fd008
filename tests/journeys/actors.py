"""Somebody in a story: what they see, since when they have not looked, and what their last act was answered.

Rules kept here:
- `sees` looks at what is new since this person last looked; what they looked at once cannot satisfy it again.
- An answer other than "Done." has to be mentioned by the story: nobody is refused unnoticed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from access.people import NewPerson
from access.tables import Role
from conversations import wording

if TYPE_CHECKING:
    from tests.journeys.stage import Stage

FORCE, TRUST = "Example Constabulary", "Example Hospitals NHS Trust"
OFFICER, IDVA, LEAD = frozenset({Role.OFFICER}), frozenset({Role.IDVA}), frozenset({Role.SUPERVISOR})

# The key begins with a number because those never asked before are asked in the order of their ids.
CAST = {
    "PC Example": ("officer-1", NewPerson("PC 1234", "PC 1234 Example", FORCE, OFFICER)),
    "PC Sample": ("officer-2", NewPerson("PC 5678", "PC 5678 Sample", FORCE, OFFICER)),
    "PC Other": ("officer-3", NewPerson("PC 9012", "PC 9012 Other", FORCE, OFFICER)),
    "Jane": ("1-jane", NewPerson("N-100", "Jane Example", TRUST, IDVA)),
    "Amira": ("2-amira", NewPerson("N-200", "Amira Sample", TRUST, IDVA)),
    "Nadia": ("3-nadia", NewPerson("N-300", "Nadia Specimen", TRUST, IDVA)),
    "Priya": ("4-priya", NewPerson("N-400", "Priya Pattern", TRUST, IDVA)),
    "Sam": ("lead", NewPerson("S-300", "Sam Example", FORCE, LEAD)),
}
STRANGER = "The stranger"
ADVICE_FORM = {
    "Status": "status",
    "Do now": "do_now",
    "Tell": "tell",
    "Services": "services",
    "Would change it": "would_change",
}
DONE = wording.say("tap_done")


@dataclass(frozen=True)
class Entry:
    """One thing on somebody's screen, as it stands now. Another wording is another entry."""

    key: tuple[object, ...]
    text: str
    labels: tuple[str, ...] = ()
    ref: str | None = None


class Actor(ABC):
    """One person at the door they use."""

    place = ""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage = stage
        self.name = name
        self.unsaid: list[str] = []  # answers that the story has not mentioned yet
        self.told: list[str] = []  # all answers to the last act
        self._looked: set[tuple[object, ...]] = set()
        self._in_view: set[tuple[object, ...]] = set()
        self._looked_in = -1

    @property
    def id(self) -> str:
        return self.stage.house.id(CAST[self.name][0])

    # --- what they see ----------------------------------------------------------------------------

    @abstractmethod
    def entries(self) -> list[Entry]:
        """Everything this person has been shown, oldest first."""

    @abstractmethod
    def delivery_of(self, words: str) -> str:
        """What this person sees about how far a line of theirs got: received, delivered or failed."""

    @abstractmethod
    async def can_take(self, ref: str) -> bool:
        """Whether this person sees an offer of this consultation that can be accepted."""

    def news(self) -> list[Entry]:
        """What is new since they last looked. All looks between two acts are one look."""
        if self._looked_in != self.stage.acts:
            self._looked |= self._in_view
            self._looked_in = self.stage.acts
        shown = self.entries()
        self._in_view |= {entry.key for entry in shown}
        return [entry for entry in shown if entry.key not in self._looked]

    def sees(self, words: str, among: Sequence[Entry]) -> None:
        """Fails unless one of these entries holds these words."""
        if not any(words in entry.text for entry in among):
            seen = "\n".join(f"    | {entry.text!r} {list(entry.labels)}" for entry in among) or "    | nothing"
            raise AssertionError(f"{self.name} does not see {words!r}, but:\n{seen}")

    # --- what they do -----------------------------------------------------------------------------

    @abstractmethod
    async def write(self, words: str, ref: str | None, *, anew: bool = False) -> None:
        """Write a line: in the place of this consultation if one is named."""

    @abstractmethod
    async def change(self, old: str, new: str) -> None:
        """Change a line they wrote."""

    @abstractmethod
    async def tap(self, label: str, ref: str | None, times: int = 1) -> None:
        """Tap the newest button of this label (of this consultation)."""

    @abstractmethod
    def hold_on(self) -> None:
        """Keep the buttons as they are now: an app or page that has not heard of what comes next."""

    @abstractmethod
    async def tap_held(self, label: str) -> None:
        """Tap a button of those that were kept."""

    @abstractmethod
    async def accept(self, ref: str) -> None:
        """Accept what they are offered."""

    @abstractmethod
    async def decline(self, ref: str, reason: str) -> None:
        """Decline what they are offered; `reason` is its short name."""

    @abstractmethod
    async def withdraw(self, ref: str | None) -> None:
        """Say that no answer is needed any more."""

    @abstractmethod
    async def set_log(self, number: str, ref: str) -> None:
        """Set the incident log number."""

    @abstractmethod
    async def deal_with(self, ref: str) -> None:
        """As duty lead: deal with it in person."""

    @abstractmethod
    async def advise(self, ref: str, form: Mapping[str, str]) -> None:
        """End with advice; `form` is by the names of `ADVICE_FORM`."""

    @abstractmethod
    def open_form(self, ref: str) -> None:
        """Find the way to the desk page's forms (passing on). Fails when nothing leads there."""

    def answered(self, text: str | None) -> None:
        """Their act was answered with this."""
        if text is not None:
            self.told.append(text)
            if text != DONE:
                self.unsaid.append(text)

    def begin_act(self) -> None:
        """Something happens next. Fails when this person was refused and the story does not say so."""
        if self.unsaid:
            raise AssertionError(f"{self.name} was told {self.unsaid}, and the story does not mention it")
        self.told = []
