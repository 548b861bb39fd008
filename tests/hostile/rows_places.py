"""Rows 44 to 54: where it comes from, and from whom."""

from __future__ import annotations

from typing import Any

import pytest

from access.people import find_by_staff_id
from conversations import search
from conversations.case import Case as Consultation
from conversations.errors import OwnQuestion
from conversations.rota import suspend
from conversations.work import Work
from tests.botapi.groups import ANONYMOUS_ADMIN, FAKE_CHANNEL
from tests.hostile.kit import CHATS, FORCE, STRANGER, Json, Scene
from tests.hostile.rows_text import pushes, writes
from tests.hostile.rows_things import arrives
from tests.hostile.table import Act, Case, Code

GROUP, SUPERGROUP, CHANNEL = -5001, -1_000_000_005_002, -1_000_000_005_003
NEUTRAL = "This is a private service. If this is an emergency, ring 999."


# --- 44 to 47: groups and channels -----------------------------------------------------------------


async def is_added_to_a_group(scene: Scene) -> None:
    scene.api.group(GROUP).add_bot(scene.phone("officer1"))


async def is_written_to_in_a_group(scene: Scene) -> None:
    scene.api.group(GROUP).write(scene.phone("officer1"), "In here, canary?")


async def is_written_to_in_a_supergroup(scene: Scene) -> None:
    scene.api.group(SUPERGROUP, kind="supergroup").write(scene.phone("officer1"), "/start canary")


def has_left(chat: int) -> Act:
    """The bot has left, and said nothing."""

    async def after(scene: Scene) -> None:
        group = scene.api.group(chat)
        assert not group.bot_is_member
        assert not group.from_bot
        assert not [call for call in scene.api.calls(chat_id=chat) if call.method.lower() != "leavechat"]

    return after


async def group_grows(scene: Scene) -> None:
    scene.api.group(GROUP).migrate_to(SUPERGROUP)


async def said_nothing_anywhere(scene: Scene) -> None:
    assert not scene.api.group(GROUP).from_bot
    assert not scene.api.group(SUPERGROUP).from_bot


async def channel_posts(scene: Scene) -> None:
    channel = {"id": CHANNEL, "type": "channel", "title": "Canary"}
    scene.push({"channel_post": {"message_id": 1, "chat": channel, "date": 1, "text": "canary"}})


async def linked_channel_posts(scene: Scene) -> None:
    channel = scene.api.group(CHANNEL, kind="channel")
    scene.api.group(SUPERGROUP, kind="supergroup").forward_from_linked(channel, "canary")


async def anonymous_admin_writes(scene: Scene) -> None:
    scene.api.group(SUPERGROUP, kind="supergroup").write_as_anonymous_admin("canary")


async def channel_writes(scene: Scene) -> None:
    channel = scene.api.group(CHANNEL, kind="channel")
    scene.api.group(SUPERGROUP, kind="supergroup").write_as_channel(channel, "canary")


def stands_in(who: Json, name: str) -> Case:
    """In private, in the name of somebody who is not named."""
    chat = {"id": who["id"], "type": "private"}
    return Case(47, name, Code.NOTHING, pushes(text="canary", **{"from": who, "chat": chat}), noted="not_a_person")


# --- 50 to 52: who is nobody here ------------------------------------------------------------------


async def stranger_writes_on(scene: Scene) -> None:
    who = scene.api.person(STRANGER, "Canary")
    for text in ("Hello, canary?", "Is this the police, canary?", "/log 0123"):
        who.write(text)
    who.send("photo", caption="canary")


async def is_told_once(scene: Scene) -> None:
    assert [one.text for one in scene.seen_by(STRANGER)] == [NEUTRAL]
    assert [one.why for one in scene.noted("input.refused")] == ["stranger"] * 4
    scene.house.clock.forward(hours=1)
    scene.api.person(STRANGER).write("Hello again, canary?")
    await scene.settle()
    assert [one.text for one in scene.seen_by(STRANGER)] == [NEUTRAL] * 2  # once an hour
    for word in ("police", "abuse", "idva", "nhs", "constabulary", "health"):
        assert word not in NEUTRAL.lower()


async def is_suspended(scene: Scene) -> None:
    def act(work: Work) -> None:
        person = find_by_staff_id(work.session, scene.house.line.keyring, "PC 1234")
        suspend(work, person.id, "line")

    scene.do(act)


async def asks_then_is_suspended(scene: Scene) -> None:
    await scene.ask()
    await is_suspended(scene)


async def taps_an_old_button(scene: Scene) -> None:
    scene.phone("officer1").tap("High")


async def of_another_force_comes_from_outside(scene: Scene) -> None:
    scene.api.person(STRANGER, "PC of Canary Police").write("I am PC 77 of Canary Police")


async def names_no_force(scene: Scene) -> None:
    said = " ".join(one.text for one in scene.seen_by(STRANGER))
    assert FORCE not in said
    assert "Constabulary" not in said


async def of_another_force_looks_in(scene: Scene) -> None:
    ref = await scene.ask()
    answer = scene.house.says("officer2", "What is this, canary?", ref)  # of another force, in somebody else's pane
    assert answer.answer == "There is no such consultation."
    assert answer.ref is None
    assert scene.words(ref) == [["Is this coercive control?"]]
    assert [one.why for one in scene.noted("input.refused")] == ["NotYours"]


# --- 53, 54: IDVAs ---------------------------------------------------------------------------------


async def somebody_waits(scene: Scene) -> None:
    await scene.ask()
    scene.house.clock.forward(minutes=5)


async def lists_references_only(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    assert scene.seen_by("amira")[-1].text == f"You have nothing open. Waiting now: {ref}."


async def asks_as_officer(scene: Scene) -> None:
    scene.house.on_duty("both")
    scene.phone("both").write("Is this stalking, canary?")


async def cannot_answer_own(scene: Scene) -> None:
    row = scene.row_of("both")
    assert not [one for one in scene.seen_by("both") if "Accept" in one.labels]
    assert [one.facts["to"] for one in scene.noted("consultation.offered")] == [scene.house.id("jane")]
    with pytest.raises(OwnQuestion):  # nor from the board, where no button is asked for
        scene.do(lambda work: search.accept(Consultation.load(work, row.id), scene.house.id("both")))
    assert scene.row_of("both").idva_id is None


async def has_both_roles_open(scene: Scene) -> None:
    scene.house.on_duty("both")
    theirs = await scene.ask("officer1", "Whose is this, canary?")
    if not [one for one in scene.seen_by("both") if theirs in one.text and "Accept" in one.labels]:
        scene.phone("jane").tap(scene.call_to("jane", theirs, "Cannot now"), "Cannot now")
        await scene.settle()
    await scene.accept("both", theirs)
    scene.phone("both").write("/new My own, canary?")
    await scene.settle()


async def role_is_asked_and_kept_apart(scene: Scene) -> None:
    theirs, own = scene.row_of("officer1").ref, scene.row_of("both").ref
    asked = scene.seen_by("both")[-1]
    assert set(asked.labels) == {theirs, own, "New question"}
    scene.phone("both").tap(asked, own)
    await scene.settle()
    assert scene.words(own, "officer")[-1] == ["Which of the two, canary?"]
    scene.phone("both").write("And this one, canary?")
    await scene.settle()
    scene.phone("both").tap(scene.seen_by("both")[-1], theirs)
    await scene.settle()
    assert scene.words(theirs, "idva") == [["And this one, canary?"]]
    assert not [one for one in scene.seen_by("officer1") if "Which of the two" in one.text]


def _bot(**more: Any) -> Json:
    return {"id": 777_888, "is_bot": True, "first_name": "Canary", "username": "CanaryBot"} | more


CASES = [
    Case(44, "added to a group", Code.NOTHING, is_added_to_a_group, after=has_left(GROUP), noted="group", alarm=True),
    Case(44, "written to in a group", Code.NOTHING, is_written_to_in_a_group, after=has_left(GROUP), noted="group",
         alarm=True),
    Case(44, "written to in a supergroup", Code.NOTHING, is_written_to_in_a_supergroup, after=has_left(SUPERGROUP),
         noted="group", alarm=True),
    Case(45, "a group becomes a supergroup", Code.NOTHING, group_grows, after=said_nothing_anywhere, noted="migrated"),
    Case(46, "a channel post", Code.NOTHING, channel_posts, noted="channel_post"),
    Case(46, "a post of a linked channel", Code.NOTHING, linked_channel_posts, after=has_left(SUPERGROUP),
         noted="channel_post"),
    Case(47, "an anonymous admin", Code.NOTHING, anonymous_admin_writes, after=has_left(SUPERGROUP),
         noted="not_a_person"),
    Case(47, "somebody as a channel", Code.NOTHING, channel_writes, after=has_left(SUPERGROUP), noted="not_a_person"),
    stands_in(ANONYMOUS_ADMIN, "GroupAnonymousBot in private"),
    stands_in(FAKE_CHANNEL, "Channel Bot in private"),
    stands_in({"id": 777_000, "is_bot": False, "first_name": "Telegram"}, "Telegrams own account"),
    arrives("business_message", "business", "a business message", row=48, alarm=True, text="canary"),
    arrives("guest_message", "business", "a guest message", row=48, alarm=True, text="canary"),
    Case(48, "a business connection in a message", Code.NOTHING, pushes(text="canary", business_connection_id="b"),
         noted="business", alarm=True),
    arrives("inline_query", "inline", "an inline query", row=49, query="canary"),
    Case(49, "by way of a bot", Code.NOTHING, pushes(text="canary", via_bot=_bot()), noted="inline"),
    Case(49, "from a bot", Code.NOTHING, pushes(text="canary", **{"from": _bot(id=CHATS["officer1"])}),
         noted="not_a_person"),
    Case(50, "a stranger", Code.REFUSED, stranger_writes_on, after=is_told_once, who=STRANGER, reply=NEUTRAL),
    Case(51, "a suspended officer", Code.REFUSED, writes("Canary?"), before=is_suspended,
         reply="Your access has ended. Contact your supervisor. If anybody is in danger, ring 999."),
    Case(51, "a suspended officers tap", Code.REFUSED, taps_an_old_button, before=asks_then_is_suspended,
         reply="Your access has ended. Contact your supervisor. If anybody is in danger, ring 999."),
    Case(52, "another forces officer from outside", Code.REFUSED, of_another_force_comes_from_outside,
         after=names_no_force, who=STRANGER, reply=NEUTRAL),
    Case(52, "another forces officer in a pane", Code.SEVERAL, of_another_force_looks_in,
         why="Who is bound to another installation is unknown here; who is of another force here sees only their own."),
    Case(53, "an IDVA with nothing open", Code.REFUSED, writes("Hello, canary?", "amira"), before=somebody_waits,
         after=lists_references_only, who="amira", reply="You have nothing open. Waiting now:"),
    Case(54, "officer and IDVA asks", Code.OK, asks_as_officer, after=cannot_answer_own),
    Case(54, "officer and IDVA with one of each", Code.OK, writes("Which of the two, canary?", "both"),
         before=has_both_roles_open, after=role_is_asked_and_kept_apart),
]  # fmt: skip
