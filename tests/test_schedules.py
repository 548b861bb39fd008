"""Officers, IDVAs and clocks in any order: no cross-delivery, no two owners, nothing without a due time, an end.

A Hypothesis state machine over the real use cases on a real (in-memory) database. 10,000 schedules with
`LANYARD_PROVE=full` (`make prove`), 100 otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from conversations import search, store, transfer, view
from conversations.advise import Advice, AdviceStatus, advise, ask_on, understood
from conversations.case import Case
from conversations.consult import reopen, set_grade, set_safe, withdraw
from conversations.errors import LineError
from conversations.policy import Policy
from conversations.rota import go_off_duty, go_on_duty
from conversations.states import ENDED, OWNED, TIMERS, NotPossible, State, Timer
from conversations.tables import Consultation, Offer, OfferKind, OfferOutcome, Outbox
from conversations.work import Work
from tests.house import House, new_house

FULL = os.environ.get("LANYARD_PROVE") == "full"
SCHEDULES = 10_000 if FULL else int(os.environ.get("LANYARD_SCHEDULES", "100"))

SHARDS = 4  # so that several cores share them

# Fewer looks while kept: the same paths, in less time.
QUICK = Policy(next_look=timedelta(hours=2), kept_limit=timedelta(hours=6))

OFFICERS = ("officer1", "officer2")
IDVAS = ("jane", "amira")


class Schedule(RuleBasedStateMachine):
    """Anybody does anything at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.house: House = new_house(policy=QUICK)
        self.refs: list[str] = []
        self.owners: dict[str, set[str]] = {}  # whoever had it, each, also between two others
        self.written = 0

    def teardown(self) -> None:
        self.house.line.database.close()

    def marked(self, ref: str | None, name: str) -> str:
        """Words that say where they belong."""
        self.written += 1
        return f"<{ref or 'new'}|{name}|{self.written}>"

    def attempt(self, act: Callable[[Work], object]) -> None:
        """Do it, or be refused in an orderly way."""
        with suppress(LineError, NotPossible):
            self.house.do(act)

    def case(self, work: Work, ref: str) -> Case:
        return Case.load(work, store.by_ref(work.session, ref).id)

    @rule(name=some.sampled_from(OFFICERS))
    def ask(self, name: str) -> None:
        if len(self.refs) < 6:
            ref = self.house.says(name, "question").ref
            assert ref is not None
            self.refs.append(ref)
            self.house.says(name, self.marked(ref, name), ref)

    @precondition(lambda self: self.refs)
    @rule(data=some.data(), name=some.sampled_from(OFFICERS + IDVAS))
    def write(self, data: some.DataObject, name: str) -> None:
        ref = data.draw(some.sampled_from(self.refs))
        self.house.says(name, self.marked(ref, name), ref)

    @precondition(lambda self: self.refs)
    @rule(data=some.data(), name=some.sampled_from(IDVAS))
    def accept(self, data: some.DataObject, name: str) -> None:
        ref = data.draw(some.sampled_from(self.refs))
        self.attempt(lambda work: search.accept(self.case(work, ref), self.house.id(name)))

    @precondition(lambda self: self.refs)
    @rule(data=some.data(), name=some.sampled_from(IDVAS))
    def accept_transfer(self, data: some.DataObject, name: str) -> None:
        ref = data.draw(some.sampled_from(self.refs))
        self.attempt(lambda work: transfer.accept_transfer(self.case(work, ref), self.house.id(name)))

    @precondition(lambda self: self.refs)
    @rule(data=some.data(), name=some.sampled_from(IDVAS))
    def decline(self, data: some.DataObject, name: str) -> None:
        ref = data.draw(some.sampled_from(self.refs))
        self.attempt(lambda work: search.decline(self.case(work, ref), self.house.id(name), "busy"))

    @precondition(lambda self: self.refs)
    @rule(data=some.data(), act=some.sampled_from(["grade", "safe", "withdraw", "understood", "ask_on", "reopen"]))
    def officer_does(self, data: some.DataObject, act: str) -> None:
        ref = data.draw(some.sampled_from(self.refs))
        acts = {
            "grade": lambda case: set_grade(case, "high"),
            "safe": lambda case: set_safe(case, False),
            "withdraw": lambda case: withdraw(case, case.row.officer_id),
            "understood": understood,
            "ask_on": ask_on,
            "reopen": reopen,
        }
        self.attempt(lambda work: acts[act](self.case(work, ref)))

    @precondition(lambda self: self.refs)
    @rule(data=some.data(), name=some.sampled_from(IDVAS), act=some.sampled_from(["advise", "transfer"]))
    def idva_does(self, data: some.DataObject, name: str, act: str) -> None:
        ref = data.draw(some.sampled_from(self.refs))
        other = next(one for one in IDVAS if one != name)
        if act == "advise":
            advice = Advice(AdviceStatus.ADVICE, self.marked(ref, name), "the DS by 22:00")
            self.attempt(lambda work: advise(self.case(work, ref), self.house.id(name), advice))
        else:
            note = self.marked(ref, name)
            self.attempt(
                lambda work: transfer.offer_transfer(
                    self.case(work, ref), self.house.id(name), self.house.id(other), note
                )
            )

    @precondition(lambda self: self.refs)
    @rule(data=some.data())
    def lead_takes(self, data: some.DataObject) -> None:
        ref = data.draw(some.sampled_from(self.refs))
        self.attempt(lambda work: search.lead_took(self.case(work, ref), self.house.id("sam")))

    @rule(name=some.sampled_from(IDVAS), hours=some.sampled_from([0.05, 1, 8]))
    def comes_on_duty(self, name: str, hours: float) -> None:
        until = self.house.clock() + timedelta(hours=hours)
        self.attempt(lambda work: go_on_duty(work, self.house.id(name), store.IDVA_DUTY, until))

    @rule(name=some.sampled_from(IDVAS))
    def goes_off_duty(self, name: str) -> None:
        self.attempt(lambda work: go_off_duty(work, self.house.id(name), store.IDVA_DUTY))

    @rule(seconds=some.sampled_from([1, 31, 91, 301, 1_000, 4_000]))
    def time_passes(self, seconds: int) -> None:
        self.house.wait(seconds=seconds)

    @invariant()
    def every_live_consultation_has_its_timers(self) -> None:
        with self.house.line.database.reading() as session:
            for row in session.scalars(select(Consultation)):
                running = set(store.timers_of(session, row.id))
                wanted = TIMERS.get(State(row.state), frozenset())
                assert wanted <= running, (row.ref, row.state, running)
                assert running <= wanted | {Timer.ROUTE, Timer.SEARCH_LIMIT}, (row.ref, row.state, running)

    @invariant()
    def nobody_owns_what_is_unowned_and_one_owns_what_is_owned(self) -> None:
        with self.house.line.database.reading() as session:
            for row in session.scalars(select(Consultation)):
                assert (row.idva_id is not None) or State(row.state) not in OWNED, row.state
                if State(row.state) not in OWNED | ENDED:
                    assert row.idva_id is None, row.state
                if row.idva_id:
                    self.owners.setdefault(row.id, set()).add(row.idva_id)
            accepted = select(Offer.consultation_id, Offer.search).where(
                Offer.outcome == OfferOutcome.ACCEPTED.value, Offer.kind == OfferKind.QUESTION.value
            )
            pairs = list(map(tuple, session.execute(accepted)))
            assert len(pairs) == len(set(pairs)), "two accepted one search"

    def check_that_words_stayed_apart(self) -> None:
        """Every thread as each of its readers sees it, and everything owed to anybody."""
        for ref in self.refs:
            row = self.house.row(ref)
            for reader in filter(None, (row.officer_id, row.idva_id)):
                with self.house.work() as work:
                    thread = view.thread(work, ref, reader)
                for message in thread.messages:
                    if message.side != "line" and message.words.startswith("<"):
                        assert message.words.split("|")[0] == f"<{ref}"
        with self.house.line.database.reading() as session:
            for owed in session.scalars(select(Outbox).where(Outbox.message_id.is_not(None))):
                row = session.get_one(Consultation, owed.consultation_id)
                had = {row.officer_id} | {
                    offer.idva_id for offer in session.scalars(select(Offer).where(Offer.consultation_id == row.id))
                }
                assert owed.person_id in had | self.owners.get(row.id, set())


class EndedSchedule(Schedule):
    """The same, and then everybody stops acting: the timers alone end every consultation, and the officer is told."""

    def teardown(self) -> None:
        self.check_that_words_stayed_apart()
        self.house.wait(hours=36)
        for ref in self.refs:
            row = self.house.row(ref)
            assert State(row.state) in ENDED, (ref, row.state)
            with self.house.work() as work:
                thread = view.thread(work, ref, row.officer_id)
            told = [message for message in thread.messages if message.side == "line"]
            assert ref in told[-1].words
            if State(row.state) is State.FALLBACK:
                assert "01632 960 001" in told[-1].words, told[-1].words
        super().teardown()


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.timeout(7200 if FULL else 300)
@pytest.mark.prove
def test_any_schedule_keeps_words_apart_owners_single_and_ends_told(shard: int) -> None:
    machine = seed(20_261_123 + shard)(EndedSchedule) if FULL else EndedSchedule
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=SCHEDULES // SHARDS,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    print(f"{SCHEDULES // SHARDS} schedules, shard {shard}")
