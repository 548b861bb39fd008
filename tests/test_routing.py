"""Who is asked, who is next, when the lead is called: the rules of routing, one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some

from conversations.policy import Policy
from conversations.routing import Ask, CallLead, Keep, OnDuty, Search, Wait, is_urgent, next_step
from tests.house import NINE_PM

POLICY = Policy()
SEARCH = Search(began_at=NINE_PM, urgent=False, asked_by="officer")
JANE, AMIRA = OnDuty("jane", 0), OnDuty("amira", 0)


def asked(search: Search, *on_duty: OnDuty, after: float = 0) -> object:
    return next_step(search, on_duty, NINE_PM + timedelta(seconds=after), POLICY)


def test_nobody_on_duty_keeps_it_at_once() -> None:
    assert asked(SEARCH) == Keep()


def test_one_at_a_time_whoever_was_offered_one_longest_ago() -> None:
    lately = replace(JANE, last_offer_at=NINE_PM)
    earlier = replace(AMIRA, last_offer_at=NINE_PM - timedelta(hours=1))
    assert asked(SEARCH, lately, earlier) == Ask(("amira",), NINE_PM + timedelta(seconds=90))


def test_somebody_never_offered_one_comes_before_everybody() -> None:
    assert asked(SEARCH, replace(JANE, last_offer_at=NINE_PM), AMIRA) == Ask(
        ("amira",), NINE_PM + timedelta(seconds=90)
    )


def test_whoever_knows_the_incident_comes_first() -> None:
    knows = replace(JANE, knows_it=True, last_offer_at=NINE_PM)
    assert asked(SEARCH, AMIRA, knows) == Ask(("jane",), NINE_PM + timedelta(seconds=90))


def test_urgent_has_thirty_seconds_and_goes_to_all_once_unanswered() -> None:
    urgent = replace(SEARCH, urgent=True)
    assert asked(urgent, JANE, AMIRA) == Ask(("amira",), NINE_PM + timedelta(seconds=30))
    third = OnDuty("zoe", 0)
    again = replace(urgent, tried=frozenset({"amira"}), unanswered=1)
    assert asked(again, JANE, AMIRA, third) == Ask(("jane", "zoe"), NINE_PM + timedelta(seconds=30))


def test_no_room_calls_the_lead_at_once() -> None:
    assert asked(SEARCH, replace(JANE, load=3), replace(AMIRA, load=4)) == CallLead(full=True)


def test_everyone_tried_calls_the_lead() -> None:
    assert asked(replace(SEARCH, tried=frozenset({"jane", "amira"})), JANE, AMIRA) == CallLead(full=False)


def test_five_minutes_call_the_lead_even_while_somebody_is_asked() -> None:
    asking = replace(SEARCH, asking=frozenset({"jane"}))
    assert asked(asking, JANE, after=299) == Wait()
    assert asked(asking, JANE, after=300) == CallLead(full=False)


def test_once_the_lead_is_called_somebody_who_comes_free_is_still_asked() -> None:
    called = replace(SEARCH, lead_called=True, tried=frozenset({"jane"}))
    assert isinstance(asked(called, JANE, AMIRA, after=400), Ask)
    assert asked(called, JANE, after=400) == Wait()


def test_nobody_is_offered_their_own_question() -> None:
    assert asked(SEARCH, OnDuty("officer", 0)) == Keep()
    assert asked(SEARCH, OnDuty("officer", 0), JANE) == Ask(("jane",), NINE_PM + timedelta(seconds=90))


def test_urgent_is_high_risk_or_not_safe_or_a_flag() -> None:
    assert is_urgent("high", None, ())
    assert is_urgent(None, False, ())
    assert is_urgent("standard", True, ("strangulation",))
    assert not is_urgent("medium", True, ())
    assert not is_urgent(None, None, ())


people = some.lists(
    some.builds(OnDuty, some.sampled_from("abcdef"), some.integers(0, 5), some.none(), some.booleans()),
    unique_by=lambda idva: idva.person_id,
)


@given(people, some.booleans(), some.sets(some.sampled_from("abcdef")), some.integers(0, 6), some.floats(0, 900))
def test_nobody_without_room_and_nobody_already_tried_is_ever_asked(
    on_duty: list[OnDuty], urgent: bool, tried: set[str], unanswered: int, after: float
) -> None:
    search = Search(NINE_PM, urgent, "a", frozenset(tried), frozenset(), unanswered)
    step = asked(search, *on_duty, after=after)
    if isinstance(step, Ask):
        loads = {idva.person_id: idva.load for idva in on_duty}
        assert all(loads[person] < POLICY.capacity and person not in tried | {"a"} for person in step.people)
        assert step.people
    eligible = [idva for idva in on_duty if idva.person_id != "a"]
    assert isinstance(step, Keep) is (not eligible)
