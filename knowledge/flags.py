"""Red flags: raised by rules that a curator can read, asked about where only the meaning is near."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
