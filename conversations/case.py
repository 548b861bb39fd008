"""One consultation, loaded and locked, and the one way to move it.

Rules kept here:
- `move` is the only place that sets a state: it asks the table, keeps the timers of the new state running,
  says what `dialogue` wants said, and records the move. Everything in the caller's transaction.
- Who may do what is decided by the caller before it moves anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from audit.events import Event
from conversations import store, wording
from conversations.dialogue import Moment, Notice, Party, Rows, notices, timers, waiting_until
from conversations.post import ButtonRows, add_version, deliver, make_buttons, page_of, settle_call, write_message
from conversations.signs import raised_in
from conversations.states import ENDED, OWNED, UNOWNED, State, Timer, Trigger, advance, can
from conversations.tables import (
    Audience,
    Consultation,
    Message,
    MessageKind,
    Offer,
    OfferKind,
    OfferOutcome,
    Side,
)
from conversations.work import BY_THE_LINE, Work, scope_of
from knowledge.flags import Flag

_FRESH_TIMERS = frozenset({Trigger.OFFER, Trigger.ADVISE, Trigger.KEEP})
"""Moves that set the timers anew even when the state stays the same."""


class Case:
    """A consultation in somebody's hands for one transaction."""

    def __init__(self, work: Work, row: Consultation) -> None:
        self.work = work
        self.row = row

    @classmethod
    def load(cls, work: Work, consultation_id: str) -> Case:
        """Load and lock. Raises `NotYours` if there is none."""
        return cls(work, store.lock(work.session, consultation_id))

    @property
    def state(self) -> State:
        """Where it stands."""
        return State(self.row.state)

    @property
    def ended(self) -> bool:
        """Whether nothing is owed any more."""
        return self.state in ENDED

    def can(self, trigger: Trigger) -> bool:
        """Whether this move is possible now."""
        return can(self.state, trigger)

    def move(
        self,
        trigger: Trigger,
        actor: str = BY_THE_LINE,
        *,
        offer_due_at: datetime | None = None,
        quiet: bool = False,
        **values: object,
    ) -> State:
        """Make a move. Raises `NotPossible`. `values` fill the sentences; `quiet` says nothing in the thread."""
        before = self.state
        after = advance(before, trigger)
        owner_before = self.row.idva_id
        self._keep_facts(after)
        self.row.state = after.value
        self.row.changed_at = self.work.now
        self._keep_timers(before, after, trigger, offer_due_at)
        self.work.record(
            Event.MOVED,
            actor,
            self.row.id,
            trigger=trigger.value,
            **{"from": before.value, "to": after.value},
            owner=self.row.idva_id,
            urgent=self.row.urgent,
        )
        if not quiet:
            for notice in notices(trigger, before):
                self.say(notice, owner=self.row.idva_id or owner_before, **values)
        self.work.session.flush()
        self.work.wake(self.row.officer_id, self.row.idva_id, owner_before)
        return after

    def say(self, notice: Notice, *, owner: str | None = None, **values: object) -> None:
        """Say something in the thread to one party, in the line's own name."""
        to = self.row.officer_id if notice.to is Party.OFFICER else (owner or self.row.idva_id)
        if to is None:
            return
        self.tell(to, notice.name, notice.buttons, **values)

    def tell(self, to: str, name: str, rows: Rows = (), **values: object) -> Message:
        """Say a sentence of `wording` to the officer or to an IDVA."""
        link = self.work.line.doors.link(page_of(self.row, to))
        facts = self.facts() | {"link": link} | values
        door = wording.doorbell(name, **facts) if name in wording.DOORBELL else None
        if values.get("alone"):
            door = wording.say("door_alone", **facts)
        buttons = make_buttons(self.work, to, self.row, rows)
        return self.put(to, wording.say(name, **facts), MessageKind.NOTICE, buttons, door)

    def put(self, to: str, text: str, kind: MessageKind, buttons: ButtonRows = (), door: str | None = None) -> Message:
        """Put words of the line's own into the thread, for the officer or for an IDVA."""
        audience = Audience.OFFICER if to == self.row.officer_id else Audience.IDVA
        message = write_message(
            self.work, self.row, text, side=Side.LINE, kind=kind, audience=audience, buttons=buttons
        )
        deliver(self.work, self.row, message, text, to, door=door, buttons=buttons)
        return message

    def facts(self) -> dict[str, Any]:
        """The values that sentences about this consultation may use."""
        policy = self.work.line.policy
        idva = self.work.person(self.row.idva_id) if self.row.idva_id else None
        return {
            "ref": self.row.ref,
            "emergency": policy.emergency,
            "lead_name": policy.lead_name,
            "Lead_name": policy.lead_name[:1].upper() + policy.lead_name[1:],  # where a sentence begins with it
            "lead_phone": policy.lead_phone,
            "fallbacks": "; ".join(policy.fallbacks),
            "service": policy.service,
            "idva": idva.name if idva else "the IDVA",
        }

    def officer_facts(self) -> dict[str, Any]:
        """The values that show the officer to an IDVA or the lead."""
        officer = self.work.person(self.row.officer_id)
        return {
            "officer": officer.title,
            "force": officer.service,
            "grade": wording.GRADES[self.row.grade],
            "safe": wording.SAFE[self.row.victim_safe],
            "log": self.incident() or "not given",
            "urgent": self._urgent(),
        }

    def _urgent(self) -> str:
        if not self.row.urgent:
            return ""
        flags = [Flag(one.flag) for one in raised_in(self.work.session, self.row.id)]
        titles = ", ".join(self.work.line.guide.block(flag).title for flag in flags)
        return f" (urgent: {titles})" if titles else " (urgent)"

    def incident(self) -> str | None:
        """The incident log number, opened."""
        if self.row.incident is None:
            return None
        scope = scope_of(self.row.id)
        return self.work.open_words("consultation", "incident", self.row.id, scope, self.row.incident)

    def turn(self, *, officer_waits: bool) -> None:
        """Note whose turn it is. The clock starts at the first unanswered word and is not wound back by more."""
        if self.row.officer_waits == officer_waits and officer_waits:
            return
        self.row.officer_waits = officer_waits
        if self.state is State.TALKING:
            moment = self.moment(None)
            until = waiting_until(moment, self.work.line.policy)
            store.set_due(self.work.session, self.row.id, Timer.WAITING, until)

    def moment(self, offer_due_at: datetime | None) -> Moment:
        """What the timers depend on, now."""
        work, row = self.work, self.row
        shift = store.current_shift(work.session, row.idva_id, store.IDVA_DUTY, work.now) if row.idva_id else None
        return Moment(
            now=work.now,
            urgent=row.urgent,
            search_began_at=row.search_began_at,
            owed_since=row.owed_since,
            offer_due_at=offer_due_at,
            next_shift_at=store.next_shift(work.session, work.now),
            owner_until=shift.ends_at if shift else work.now,
            officer_waits=row.officer_waits,
        )

    def close_offers(self, outcome: OfferOutcome, except_for: str | None = None) -> list[str]:
        """End the open offers; gives who had them."""
        had = []
        for offer in store.open_offers(self.work.session, self.row.id):
            if offer.idva_id != except_for:
                self.end_offer(offer, outcome)
                had.append(offer.idva_id)
        self.work.wake(*had)
        return had

    def end_offer(self, offer: Offer, outcome: OfferOutcome) -> None:
        """Note how an offer ended; its buttons go, where it was shown."""
        offer.outcome, offer.answered_at = outcome.value, self.work.now
        self.work.session.flush()
        waited = self.work.now - offer.offered_at
        self.work.record(
            Event.OFFER_ANSWERED,
            offer.idva_id,
            self.row.id,
            outcome=outcome.value,
            kind=offer.kind,
            reason=offer.reason,
            waited_ms=int(waited.total_seconds() * 1000),
        )
        settle_call(self.work, self.row, offer, wording.say(f"call_{outcome.value}", ref=self.row.ref))

    def new_search(self) -> None:
        """Look for an IDVA from the start: everybody may be asked again."""
        self.row.search += 1
        self.row.search_began_at = self.work.now

    def reword(self, message: Message, words: str) -> None:
        """Add a wording to a message."""
        message.versions += 1
        add_version(self.work, self.row, message, words)

    def transfer_offer(self) -> str | None:
        """Who is being asked to take it over."""
        for offer in store.open_offers(self.work.session, self.row.id):
            if offer.kind == OfferKind.TRANSFER.value:
                return offer.idva_id
        return None

    def _keep_facts(self, after: State) -> None:
        row, now = self.row, self.work.now
        if after in UNOWNED and row.idva_id is not None:
            row.last_idva_id, row.idva_id = row.idva_id, None
            row.officer_waits = True
        if after in OWNED:
            row.last_idva_id, row.owed_since = row.idva_id, None
        if after is State.KEPT and row.owed_since is None:
            row.owed_since = now
        if after in ENDED:
            row.ended_at = now
            store.expire_taps(self.work.session, row.id, now)
        elif row.ended_at is not None:
            row.ended_at = None

    def _keep_timers(self, before: State, after: State, trigger: Trigger, offer_due_at: datetime | None) -> None:
        if before is after and trigger not in _FRESH_TIMERS:
            return
        wanted = timers(after, self.moment(offer_due_at), self.work.line.policy)
        running = store.timers_of(self.work.session, self.row.id)
        if before is after and after is State.LEAD_CALLED:
            return  # somebody who came free is asked, but the lead's time is not prolonged
        store.cancel_timers(self.work.session, self.row.id, [timer for timer in running if timer not in wanted])
        for timer, at in wanted.items():
            store.set_due(self.work.session, self.row.id, timer, at)
