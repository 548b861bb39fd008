"""Rows 55 to 60: buttons."""

from __future__ import annotations

import threading

from sqlalchemy import delete

from conversations import store, wording
from conversations.rota import go_off_duty
from conversations.tables import Shift
from conversations.work import scope_of
from storage.keys import DataKey
from tests.botapi import Tap
from tests.hostile.kit import Scene
from tests.hostile.table import Act, Case, Code

EXPIRED = "This button has expired."


def answer(tap: Tap) -> str:
    """What the tapping person was shown."""
    assert tap.answer is not None
    return str(tap.answer["text"])


async def asks(scene: Scene) -> None:
    await scene.ask()


# --- 55, 56: tokens that are not theirs ------------------------------------------------------------


def taps(data: str) -> Act:
    """Officer1 sends this as a button's data."""

    async def act(scene: Scene) -> None:
        tap = scene.phone("officer1").tap_raw(data)
        await scene.settle()
        assert answer(tap) == EXPIRED
        assert [one.why for one in scene.noted("tap.refused")] == ["unknown"]

    return act


async def taps_anothers_button(scene: Scene) -> None:
    token = scene.phone("jane").button("Accept").data or ""
    for _ in range(3):
        tap = scene.phone("officer2").tap_raw(token)
        await scene.settle()
        assert answer(tap) == EXPIRED  # the same as for a token that never was
    assert [one.facts["alarm"] for one in scene.noted("tap.refused")] == [False, False, True]


async def still_works_for_its_owner(scene: Scene) -> None:
    await scene.accept("jane", scene.row_of("officer1").ref)


async def stranger_taps(scene: Scene) -> None:
    token = scene.phone("jane").button("Accept").data or ""
    tap = scene.api.person(9_001, "Canary").tap_raw(token)
    await scene.settle()
    assert answer(tap) == EXPIRED


# --- 57: twice -------------------------------------------------------------------------------------


async def taps_twice(scene: Scene) -> None:
    phone = scene.phone("jane")
    call = scene.call_to("jane", scene.row_of("officer1").ref)
    token = next(one.data for one in call.buttons if one.label == "Accept") or ""
    first, second = phone.double_tap(call, "Accept")
    third = phone.tap_raw(token, call)  # under yet another update id
    await scene.settle()
    assert [answer(tap) for tap in (first, second, third)] == ["Done."] * 3


async def took_effect_once(scene: Scene) -> None:
    row = scene.row_of("officer1")
    assert (row.state, row.idva_id) == ("talking", scene.house.id("jane"))
    assert [one.facts["trigger"] for one in scene.noted("consultation.moved")].count("accept") == 1
    assert len([one for one in scene.seen_by("officer1") if "has your question" in one.text]) == 1


# --- 58: after the end -----------------------------------------------------------------------------


async def withdrew(scene: Scene) -> None:
    await scene.ask()
    scene.phone("officer1").write("/withdraw")
    await scene.settle()


async def taps_after_the_end(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    tap = scene.phone("officer1").tap(scene.call_to("officer1", ref, "High"), "High")
    await scene.settle()
    assert answer(tap) == f"{ref} is closed."


async def buttons_are_gone(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    acknowledgement = next(one for one in scene.seen_by("officer1") if "Received safely" in one.text)
    assert not acknowledgement.buttons
    assert ref in acknowledgement.text  # its words are as they were
    assert scene.row_of("officer1").grade is None


async def was_erased(scene: Scene) -> None:
    await withdrew(scene)
    scope = scope_of(scene.row_of("officer1").id)
    scene.do(lambda work: work.session.execute(delete(DataKey).where(DataKey.scope == scope)))


# --- 59: at the same moment ------------------------------------------------------------------------


async def two_are_asked(scene: Scene) -> None:
    """Urgent, and the first IDVA did not answer: the other two are asked at once."""
    scene.house.on_duty("amira", "noor")
    ref = await scene.ask()
    scene.phone("officer1").tap(scene.call_to("officer1", ref, "Not safe"), "Not safe")
    await scene.settle()
    await scene.later(seconds=31)


async def both_accept_at_once(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    asked = [name for name in ("amira", "jane", "noor") if "Accept" in _labels_of_call(scene, name, ref)]
    assert len(asked) == 2
    taps = {name: scene.phone(name).tap(scene.call_to(name, ref), "Accept") for name in asked}
    await scene._heard()  # both are stored; two processes' lanes take them up in the same millisecond
    ready = threading.Barrier(2)
    handled = []

    def work() -> None:
        ready.wait()
        handled.append(scene.intake.handle_next())

    threads = [threading.Thread(target=work) for _ in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in handled:
        assert one is not None
        scene.intake._follow_up(one)
    await scene.settle()
    winner = next(name for name in asked if scene.house.id(name) == scene.row_of("officer1").idva_id)
    loser = next(name for name in asked if name != winner)
    assert answer(taps[winner]) == "Done."
    title = scene.house.team[winner].name
    assert answer(taps[loser]) == f"Taken by {title}."
    assert any(f"taken by {title}" in one.text for one in scene.seen_by(loser))
    again = scene.phone(loser).tap_raw(taps[loser].data)  # and the same answer again
    await scene.settle()
    assert answer(again) == f"Taken by {title}."


def _labels_of_call(scene: Scene, name: str, ref: str) -> tuple[str, ...]:
    calls = [one for one in scene.seen_by(name) if ref in one.text]
    return calls[-1].labels if calls else ()


async def exactly_one_has_it(scene: Scene) -> None:
    assert [one.facts["trigger"] for one in scene.noted("consultation.moved")].count("accept") == 1
    outcomes = [one.facts["outcome"] for one in scene.noted("consultation.offer_answered")]
    assert sorted(outcomes) == ["accepted", "overtaken", "unanswered"]


# --- 60: no longer on duty -------------------------------------------------------------------------


async def rota_changes(scene: Scene) -> None:
    await scene.ask()
    scene.house.on_duty("amira")
    scene.do(lambda work: work.session.execute(delete(Shift).where(Shift.person_id == scene.house.id("jane"))))


async def accepts_off_duty(scene: Scene) -> None:
    tap = scene.phone("jane").tap(scene.call_to("jane", scene.row_of("officer1").ref), "Accept")
    await scene.settle()
    assert answer(tap) == "You are not on duty. Go on duty first."
    assert scene.row_of("officer1").state == "offered"


async def the_search_goes_on(scene: Scene) -> None:
    await scene.later(seconds=91)
    ref = scene.row_of("officer1").ref
    assert any("No answer yet, so another IDVA is being asked." in one.text for one in scene.seen_by("officer1"))
    await scene.accept("amira", ref)


async def goes_off_duty(scene: Scene) -> None:
    await scene.ask()
    scene.house.on_duty("amira")
    scene.do(lambda work: go_off_duty(work, scene.house.id("jane"), store.IDVA_DUTY))
    await scene.settle()


async def taps_what_was_taken_from_her(scene: Scene) -> None:
    """She taps what her screen still showed."""
    phone = scene.phone("jane")
    call = next(one for one in phone.from_bot if scene.row_of("officer1").ref in one.text)
    assert "Accept" not in call.labels  # the buttons are gone from her chat already
    assert call.text == wording.say("call_declined", ref=scene.row_of("officer1").ref)


async def amira_is_asked_at_once(scene: Scene) -> None:
    await scene.accept("amira", scene.row_of("officer1").ref)


NOBODYS = "One constant text, shown on the tap alone: nothing appears in the chat."

CASES = [
    Case(55, "a random token", Code.NOTHING, taps("canary-7f3a"), before=asks, noted="unknown", why=NOBODYS),
    Case(55, "no token", Code.NOTHING, taps(""), before=asks, noted="unknown", why=NOBODYS),
    Case(55, "64 bytes", Code.NOTHING, taps("canary" + "\u20ac" * 19 + "x"), before=asks, noted="unknown", why=NOBODYS),
    Case(56, "anothers button", Code.NOTHING, taps_anothers_button, before=asks, after=still_works_for_its_owner,
         who="officer2", noted="foreign", alarm=True),
    Case(56, "a strangers tap", Code.NOTHING, stranger_taps, before=asks, after=still_works_for_its_owner, who=9_001,
         noted="stranger"),
    Case(57, "a double tap", Code.OK, taps_twice, before=asks, after=took_effect_once, storage=True),
    Case(58, "a button of what has ended", Code.NOTHING, taps_after_the_end, before=withdrew, after=buttons_are_gone,
         noted="expired", relay_only=True),
    Case(58, "a button of what was erased", Code.NOTHING, taps_after_the_end, before=was_erased,
         after=buttons_are_gone, noted="expired", relay_only=True),
    Case(59, "two accept in the same millisecond", Code.SEVERAL, both_accept_at_once, before=two_are_asked,
         after=exactly_one_has_it, storage=True, why="The other is told by whom, by name: they are colleagues."),
    Case(60, "accepted after the rota changed", Code.NOTHING, accepts_off_duty, before=rota_changes,
         after=the_search_goes_on, who="jane", noted="OffDuty", relay_only=True),
    Case(60, "accepted after going off duty", Code.SEVERAL, taps_what_was_taken_from_her, before=goes_off_duty,
         after=amira_is_asked_at_once),
]  # fmt: skip
