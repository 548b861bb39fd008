"""The state table: complete, drawn as it is, and with no way to be stuck."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from conversations.dialogue import Moment, notices, timers
from conversations.policy import Policy
from conversations.states import ENDED, LIVE, MOVES, TIMERS, UNOWNED, NotPossible, State, Timer, Trigger, advance, can
from lanyard.drawing import draw, draw_events, draw_permissions, draw_settings
from tests.house import NINE_PM

# What each timer may do to the state it runs in: the moves of `conversations.timers`, as the table's own names.
FIRED: dict[Timer, frozenset[Trigger]] = {
    Timer.ROUTE: frozenset({Trigger.OFFER, Trigger.CALL_LEAD, Trigger.KEEP}),
    Timer.OFFER_UNANSWERED: frozenset({Trigger.OFFER, Trigger.CALL_LEAD, Trigger.KEEP}),
    Timer.SEARCH_LIMIT: frozenset({Trigger.CALL_LEAD, Trigger.KEEP}),
    Timer.LEAD_SILENT: frozenset({Trigger.KEEP}),
    Timer.NEXT_SHIFT: frozenset({Trigger.OFFER}),
    Timer.KEPT_LIMIT: frozenset({Trigger.LAPSE}),
    Timer.STALE_UNANSWERED: frozenset({Trigger.LAPSE}),
    Timer.WAITING: frozenset({Trigger.QUIET, Trigger.OWNER_LOST}),
    Timer.OWNER_SHIFT_END: frozenset({Trigger.OWNER_LOST}),
    Timer.TRANSFER_UNANSWERED: frozenset({Trigger.TRANSFER_REFUSED}),
    Timer.ADVICE_UNREAD: frozenset({Trigger.RAISE}),
    Timer.RAISED_LIMIT: frozenset({Trigger.LAPSE}),
}


def test_every_live_state_has_a_timer_and_an_ended_one_has_none() -> None:
    assert set(TIMERS) == LIVE
    assert all(TIMERS[state] for state in LIVE)


def test_every_timer_of_a_state_can_move_it() -> None:
    for state, running in TIMERS.items():
        for timer in running:
            assert any(can(state, trigger) for trigger in FIRED[timer]), (state, timer)


def test_from_every_state_timers_alone_reach_an_end() -> None:
    ending = set(ENDED)
    while True:
        more = {
            state
            for state in LIVE - ending
            if any(can(state, one) and advance(state, one) in ending for timer in TIMERS[state] for one in FIRED[timer])
        }
        if not more:
            break
        ending |= more
    assert ending == set(State)


def test_the_timers_that_dialogue_sets_are_those_of_the_table() -> None:
    moment = Moment(now=NINE_PM, urgent=False, search_began_at=NINE_PM, owner_until=NINE_PM + timedelta(hours=1))
    for state in State:
        assert set(timers(state, moment, Policy())) == TIMERS.get(state, frozenset())


def test_every_state_can_be_withdrawn_or_has_ended() -> None:
    for state in State:
        assert can(state, Trigger.WITHDRAW) is (state in LIVE)
        assert can(state, Trigger.REOPEN) is (state in ENDED)


def test_only_the_table_moves_and_everything_else_is_refused() -> None:
    table = {(source, trigger): target for trigger, sources, target in MOVES for source in sources}
    for state in State:
        for trigger in Trigger:
            if (state, trigger) in table:
                assert advance(state, trigger) is table[state, trigger]
            else:
                with pytest.raises(NotPossible):
                    advance(state, trigger)


def test_no_move_stands_in_the_table_twice() -> None:
    pairs = [(source, trigger) for trigger, sources, _ in MOVES for source in sources]
    assert len(pairs) == len(set(pairs))


def test_every_end_tells_the_officer() -> None:
    for trigger, sources, target in MOVES:
        if target in ENDED:
            for source in sources:
                assert any(notice.to.value == "officer" for notice in notices(trigger, source)), (trigger, source)


def test_an_idva_can_take_it_in_every_unowned_state_at_rest() -> None:
    for state in UNOWNED - {State.SEEKING}:
        assert can(state, Trigger.ACCEPT)


@pytest.mark.parametrize(
    ("page", "drawn"),
    [("states", draw), ("settings", draw_settings), ("events", draw_events), ("permissions", draw_permissions)],
)
def test_a_drawn_page_is_what_the_code_says(page: str, drawn: Callable[[], str]) -> None:
    file = Path(__file__).parent.parent / "docs" / f"{page}.md"
    assert file.read_text() == drawn(), "run: make states"
