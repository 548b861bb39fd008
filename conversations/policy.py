"""How long the line waits for whom, whom it names when it cannot help, how long it keeps what. Pure data, from
settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum


@dataclass(frozen=True)
class Policy:
    """Every waiting time and limit in one place."""

    answer_urgent: timedelta = timedelta(seconds=30)  # an urgent offer is answered in this time, or goes on
    answer: timedelta = timedelta(seconds=90)
    search_limit: timedelta = timedelta(minutes=5)  # then the duty lead is called
    lead_silent: timedelta = timedelta(minutes=10)  # then the question is kept and the officer told whom to ring
    next_look: timedelta = timedelta(minutes=15)  # how often somebody is looked for while a question is kept
    kept_limit: timedelta = timedelta(hours=24)  # the longest an answer may be owed before the fallback has it
    stale_after: timedelta = timedelta(minutes=30)  # older questions are asked about before anybody is paged
    stale_unanswered: timedelta = timedelta(minutes=15)
    idva_silent_urgent: timedelta = timedelta(minutes=2)  # nudge; then the consultation is offered to others
    idva_silent: timedelta = timedelta(minutes=5)
    officer_silent: timedelta = timedelta(minutes=15)  # nudge, nudge again, then close
    officer_nudges: int = 2
    idva_nudges: int = 1
    advice_unread: timedelta = timedelta(minutes=3)  # chase, chase again, then the duty lead
    advice_chases: int = 2
    raised_limit: timedelta = timedelta(minutes=30)
    reopen: timedelta = timedelta(days=14)
    capacity: int = 3  # live consultations for one IDVA, open offers counted
    held_reminder: timedelta = timedelta(seconds=60)  # an ambiguous line is asked about again, never guessed
    held_identifiers: timedelta = timedelta(seconds=10)  # then a line with personal details goes out as written
    start_check: timedelta = timedelta(minutes=5)  # then a start nobody answered is told to the duty leads
    tap_life: timedelta = timedelta(days=15)
    outage_notice: timedelta = timedelta(hours=24)  # after a longer silence of ours, officers are told
    flood: int = 20  # messages a minute from one person before they are asked to slow down
    # Days and hours, not waiting times: they are settings of their own. 0 hours: no sign-in is asked for.
    lease_days: int = 90
    shift_hours: int = 0

    emergency: str = "In danger now: press your emergency button or ring 999."
    service: str = "independent, NHS"
    lead_name: str = "the duty lead"
    lead_phone: str = "01632 960 001"  # Ofcom's drama range; a real installation must set its own
    fallbacks: tuple[str, ...] = field(
        default=("National Domestic Abuse Helpline 0808 2000 247 (24 hours, also advises professionals)",)
    )

    @property
    def lease(self) -> timedelta:
        """How long an enrolment runs from each sign-in."""
        return timedelta(days=self.lease_days)

    @property
    def shift(self) -> timedelta:
        """How long one sign-in opens people's words at Telegram."""
        return timedelta(hours=self.shift_hours)


class RetentionClass(Enum):
    """How long a consultation is kept once it has ended. Follows from its facts; see `retention.class_of`."""

    ROUTINE = "routine"  # advice without anything that marks it urgent
    SAFEGUARDING = "safeguarding"  # urgent, graded high by the officer, or a victim who was not safe
    HELD = "held"  # under a legal hold: kept, whatever its period, until two people have lifted it


@dataclass(frozen=True)
class RetentionPolicy:
    """How long after its end each class is kept until somebody reviews it. A period erases nothing by itself.

    Six and ten years are where reviews of police information usually begin; the force's own schedule rules
    (LANYARD_RETENTION).
    """

    routine: timedelta = timedelta(days=2192)
    safeguarding: timedelta = timedelta(days=3653)

    def period(self, kind: RetentionClass) -> timedelta | None:
        """How long this class is kept. None: for as long as the hold stands."""
        periods = {RetentionClass.ROUTINE: self.routine, RetentionClass.SAFEGUARDING: self.safeguarding}
        return periods.get(kind)
