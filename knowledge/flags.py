"""Red flags: raised by rules that a curator can read, asked about where only the meaning is near."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from knowledge.flag_rules import DENIED, RuleTable, load


class Flag(Enum):
    """What never waits for a reply. The value is the slug everywhere."""

    IMMEDIATE_DANGER = "immediate-danger"
    MEDICAL_EMERGENCY = "medical-emergency"
    STRANGULATION = "strangulation"
    WEAPON = "weapon"
    THREAT_TO_KILL = "threat-to-kill"
    SUICIDE_RISK = "suicide-risk"
    CHILD_AT_RISK = "child-at-risk"
    PREGNANCY = "pregnancy"
    SEXUAL_ASSAULT = "sexual-assault"
    HONOUR_FORCED_MARRIAGE = "honour-forced-marriage"
    STALKING = "stalking"


class Tier(Enum):
    """How sure the line is."""

    RAISED = "raised"  # a rule matched: the fixed block is shown at once
    ASK = "ask"  # only near in meaning: one check question, never a block


@dataclass(frozen=True)
class Finding:
    """One red flag in one message."""

    flag: Flag
    tier: Tier
    why: str  # for a reader: the rule's name and the words it saw, or what it was near to


@dataclass(frozen=True)
class Block:
    """What must happen now, for one red flag: fixed words, with where they come from."""

    title: str  # "Strangulation or suffocation"
    text: str
    question: str  # the one check question, where rules are silent


@dataclass(frozen=True)
class Looked:
    """What a message says of red flags."""

    findings: tuple[Finding, ...]  # raised first, then what is asked about, the likeliest first
    denied: frozenset[Flag]  # it says itself that there is none


class Asking(Protocol):
    """Whoever notices that a message is near a flag's meaning."""

    def near(
        self, text: str, vector: Any, raised: AbstractSet[Flag], silenced: AbstractSet[Flag]
    ) -> tuple[Finding, ...]:
        """What to ask about, the likeliest first; never what is raised already, or what the message itself denies."""


class Flags:
    """The red flags of a message: by rule, and where rules are silent, by a question."""

    def __init__(self, table: RuleTable, asking: Asking | None = None) -> None:
        self._table = table
        self._asking = asking
        self._blocks = {
            flag: Block(rules.title, rules.block, rules.question)
            for flag in Flag
            for rules in (table.flags[flag.value],)
        }

    @classmethod
    def load(cls, asking: Asking | None = None) -> Flags:
        """The shipped table. Raises `BadRule`."""
        return cls(load(), asking)

    def block(self, flag: Flag) -> Block:
        """The fixed words of a flag, and its check question."""
        return self._blocks[flag]

    def find(self, text: str, vector: Any = None) -> tuple[Finding, ...]:
        """What is raised, and what is only asked about, the likeliest first. `vector`: the meaning of the text."""
        return self.look(text, vector).findings

    def look(self, text: str, vector: Any = None) -> Looked:
        """The same, and what the message denies."""
        seen = self._table.find(text)
        raised, silenced, denied = [], set(), set()
        for flag in Flag:
            matches = seen.get(flag.value, [])
            standing = [one for one in matches if not one.cancelled]
            if standing:
                raised.append(Finding(flag, Tier.RAISED, f"rule “{standing[0].phrase[:80]}” saw: {standing[0].words}"))
            elif matches:
                silenced.add(flag)
                if all(one.cancelled == DENIED for one in matches):
                    denied.add(flag)
        up = {one.flag for one in raised}
        asked = self._asking.near(text, vector, up, silenced) if self._asking is not None else ()
        return Looked((*raised, *asked), frozenset(denied))
