"""Rows 17 to 26: codes, changes, forwards and replies."""

from __future__ import annotations

from access.enrolment import issue_code
from access.tables import CodePurpose
from conversations.advise import Advice, AdviceStatus, advise
from conversations.case import Case as Consultation
from conversations.work import Work
from tests.botapi import Message
from tests.hostile.kit import CHATS, FULL, STRANGER, Scene
from tests.hostile.rows_text import exactly, jane_talks, passed_on, writes
from tests.hostile.table import Case, Code

REFUSED_CODE = "This link does not work. Ask for a new one."


def a_code(scene: Scene, number: int, person: str) -> str:
    """A fresh code for somebody's Telegram account."""
    code = f"{number:032x}"
    scene.do(lambda work: issue_code(work.session, code, CodePurpose.TELEGRAM, scene.house.id(person), work.now))
    return code


def bound(scene: Scene) -> int:
    """How many Telegram accounts are bound."""
    return int(scene.snapshot()["telegram_binding"])


# --- 17: five wrong codes --------------------------------------------------------------------------


async def five_wrong_codes(scene: Scene) -> None:
    expired, used, others = (a_code(scene, number, "officer2") for number in (1, 2, 3))
    scene.house.clock.forward(minutes=11)
    used, others = a_code(scene, 4, "officer2"), a_code(scene, 5, "officer2")
    guesses = ["canary" * 800, "../\u0000\u0661 canary", expired, used]
    scene.api.person(9100).start(used)
    await scene.settle()
    assert "is now connected" in scene.seen_by(9100)[-1].text
    for at, guess in enumerate(guesses):
        scene.api.person(STRANGER + at).start(guess)
    scene.phone("officer1").start(others)
    await scene.settle()
    answers = [scene.seen_by(STRANGER + at)[-1].text for at in range(4)]
    assert {*answers, scene.seen_by("officer1")[-1].text} == {REFUSED_CODE}
    # Somebody else's code, tried by who is enrolled already, is not used up by that.
    scene.api.person(9101).start(others)
    await scene.settle()
    assert "is now connected" in scene.seen_by(9101)[-1].text


async def each_was_counted(scene: Scene) -> None:
    whys = [one.why for one in scene.noted("access.code_refused")]
    assert sorted(whys) == ["bound already", "code", "code", "code", "code"]
    assert len(scene.noted("access.telegram_bound")) == 2
    assert bound(scene) == len(CHATS)  # officer2's account was replaced, nobody else's


# --- 18: a thousand guesses ------------------------------------------------------------------------

ACCOUNTS, ROUNDS = 50, 20 if FULL else 8
ANSWERED = 5  # an hour, for each account


async def a_thousand_guesses(scene: Scene) -> None:
    before = bound(scene)
    for number in range(ROUNDS):
        for account in range(ACCOUNTS):
            scene.api.person(10_000 + account).start(f"{number * ACCOUNTS + account:032x}canary")
        await scene.settle()
        scene.house.clock.forward(minutes=1)
    assert bound(scene) == before
    assert len(scene.noted("access.telegram_bound")) == 0


async def limits_held(scene: Scene) -> None:
    answered = [len(scene.seen_by(10_000 + account)) for account in range(ACCOUNTS)]
    assert answered == [ANSWERED] * ACCOUNTS
    notes = scene.noted("access.code_refused")
    assert [one.why for one in notes].count("code") == ANSWERED * ACCOUNTS
    silenced = [one for one in notes if one.why == "too many guesses"]
    assert len(silenced) == (ROUNDS - ANSWERED) * ACCOUNTS
    assert all(one.facts["alarm"] for one in silenced)
    # Fifty a minute for everybody: of sixty new accounts in one minute ten hear nothing.
    for account in range(60):
        scene.api.person(20_000 + account).start("00canary")
    await scene.settle()
    assert sum(len(scene.seen_by(20_000 + account)) for account in range(60)) == 50
    # The right code does not work either while the line is silent, and is not used up; in the next minute it does.
    code = a_code(scene, 77, "officer2")
    scene.api.person(30_000).start(code)
    await scene.settle()
    assert not scene.seen_by(30_000)
    scene.house.clock.forward(minutes=1)
    scene.api.person(30_000).start(code)
    await scene.settle()
    assert "is now connected" in scene.seen_by(30_000)[-1].text


# --- 19 to 23: changes -----------------------------------------------------------------------------


async def changed_before_acceptance(scene: Scene) -> None:
    phone = scene.phone("officer1")
    said = phone.write("He has a key, canary one")
    await scene.settle()
    phone.edit(said, "He has no key, canary two")


async def both_wordings_stay(scene: Scene) -> None:
    row = scene.row_of("officer1")
    assert scene.words(row.ref) == [["He has a key, canary one", "He has no key, canary two"]]
    await scene.accept("jane", row.ref)
    header = f"{row.ref} · PC 1234 Example, Example Constabulary · changed:\n"
    assert passed_on(scene, header) == "He has no key, canary two"


def advise_by_page(scene: Scene, idva: str, officer: str) -> None:
    """The desk page's form."""

    def act(work: Work) -> None:
        case = Consultation.load(work, scene.row_of(officer).id)
        advise(case, scene.house.id(idva), Advice(AdviceStatus.ADVICE, "Take photographs", "The sergeant, tonight"))

    scene.do(act)


async def changed_after_the_answer(scene: Scene) -> None:
    phone = scene.phone("officer1")
    said = phone.write("She has two children, canary")
    await scene.settle()
    await scene.accept("jane", scene.row_of("officer1").ref)
    advise_by_page(scene, "jane", "officer1")
    await scene.settle()
    phone.edit(said, "She has three children, canary")
    await scene.later(seconds=3)


async def answer_belongs_to_the_first(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    assert f"{ref}: the officer changed message 1 after your advice." in [one.text for one in scene.seen_by("jane")]
    question, advice = scene.words(ref)
    assert question == ["She has two children, canary", "She has three children, canary"]
    assert len(advice) == 1
    order = [one.event for one in scene.trail() if one.event in ("message.received", "message.edited")]
    assert order == ["message.received", "message.received", "message.edited"]
    assert scene.row_of("officer1").state == "advice_sent"


async def asks_and_remembers(scene: Scene) -> None:
    await scene.ask(text="Is this stalking, canary?")


def own_line(scene: Scene) -> Message:
    """The first thing officer1 wrote."""
    return next(one for one in scene.phone("officer1").chat if not one.from_bot)


async def changes_to_nothing(scene: Scene) -> None:
    scene.phone("officer1").edit(own_line(scene), "\u200b")


async def withdraws(scene: Scene) -> None:
    await asks_and_remembers(scene)
    scene.phone("officer1").write("/withdraw")
    await scene.settle()
    assert scene.row_of("officer1").state == "withdrawn"


async def changes_the_words(scene: Scene) -> None:
    scene.phone("officer1").edit(own_line(scene), "No, canary, it is worse")


async def first_wording_stands(scene: Scene) -> None:
    assert scene.words(scene.row_of("officer1").ref) == [["Is this stalking, canary?"]]


async def a_blank_was_refused(scene: Scene) -> None:
    scene.phone("officer1").write("\u200b")
    await scene.settle()


EDITS = 100


async def changes_a_hundred_times(scene: Scene) -> None:
    phone = scene.phone("officer1")
    said = phone.write("Version 1 canary")
    await scene.settle()
    await scene.accept("jane", scene.row_of("officer1").ref)
    for number in range(2, EDITS + 2):
        phone.edit(said, f"Version {number} canary")
        await scene.later(seconds=0.6)
    await scene.later(seconds=2)


async def one_in_two_seconds(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    wordings = [f"Version {number} canary" for number in range(1, EDITS + 2)]
    assert scene.words(ref) == [wordings]
    edits = scene.noted("message.edited")
    assert [one.facts["version"] for one in edits] == list(range(2, EDITS + 2))
    shown = [one.text for one in scene.seen_by("jane") if "· changed:\nVersion" in one.text]
    assert shown[-1].endswith(f"\nVersion {EDITS + 1} canary")
    assert EDITS * 0.6 / 4 <= len(shown) <= EDITS * 0.6 / 2 + 1  # heard all along, at most every two seconds


async def deletes(scene: Scene) -> None:
    scene.phone("officer1").delete(own_line(scene))


# --- 24 to 26: forwards and replies ----------------------------------------------------------------

FROM_BOSS = {
    "type": "user",
    "date": 1,
    "sender_user": {"id": CHATS["sam"], "is_bot": False, "first_name": "Superintendent Canary"},
}


async def is_marked_forwarded(scene: Scene) -> None:
    await exactly("Do as he says, canary", marks=" · forwarded")(scene)
    assert not [one for name in CHATS for one in scene.seen_by(name) if "Superintendent" in one.text]


async def two_consultations(scene: Scene) -> None:
    await scene.talk(text="The first, canary")
    scene.house.on_duty("amira")
    scene.house.clock.forward(seconds=5)
    scene.phone("officer1").write("/new The second, canary")
    await scene.settle()


def first_and_second(scene: Scene) -> tuple[str, str]:
    rows = [row.ref for row in scene.rows() if row.officer_id == scene.house.id("officer1")]
    return rows[0], rows[1]


async def replies_to_the_first(scene: Scene) -> None:
    first, _ = first_and_second(scene)
    of_first = next(one for one in scene.seen_by("officer1") if first in one.text)
    scene.phone("officer1").write("And the children, canary?", reply_to=of_first)


async def is_asked_which(scene: Scene) -> None:
    first, second = first_and_second(scene)
    asked = scene.seen_by("officer1")[-1]
    assert f"This answers a message of {first}. Is it for {first}?" in asked.text
    assert asked.labels == (first, second)
    assert ["And the children, canary?"] not in scene.words(first) + scene.words(second)
    assert not [one for name in ("jane", "amira") for one in scene.seen_by(name) if "children" in one.text]
    scene.phone("officer1").tap(asked, first)
    await scene.settle()
    assert scene.words(first)[-1] == ["And the children, canary?"]
    assert [one.text for one in scene.seen_by("jane") if "children" in one.text]
    assert not [one for one in scene.seen_by("amira") if "children" in one.text]


async def replies_to_what_is_gone(scene: Scene) -> None:
    gone = {"message_id": 424_242, "chat": {"id": CHATS["officer1"], "type": "private"}, "date": 0}
    scene.push(scene.update(text="And now, canary?", reply_to_message=gone))


async def is_a_plain_line(scene: Scene) -> None:
    assert scene.words(scene.row_of("officer1").ref)[-1] == ["And now, canary?"]
    assert scene.seen_by("jane")[-1].text.endswith("\nAnd now, canary?")


CASES = [
    Case(17, "five wrong codes", Code.SEVERAL, five_wrong_codes, after=each_was_counted),
    Case(18, "a thousand guesses", Code.SEVERAL, a_thousand_guesses, after=limits_held, campaign=True),
    Case(19, "changed before acceptance", Code.OK, changed_before_acceptance, after=both_wordings_stay, storage=True),
    Case(20, "changed after the answer", Code.OK, changed_after_the_answer, after=answer_belongs_to_the_first),
    Case(21, "changed to nothing", Code.REFUSED, changes_to_nothing, before=asks_and_remembers,
         after=first_wording_stands, reply="the earlier wording stays"),
    Case(21, "changed after the end", Code.REFUSED, changes_the_words, before=withdraws,
         after=first_wording_stands, reply="is closed, so the change was not taken. Write again"),
    Case(21, "a change of what was refused", Code.REFUSED, changes_the_words, before=a_blank_was_refused,
         reply="Please write it again as a new message",
         why="Not in the row: silence would let an enrolled officer believe that the new wording went through."),
    Case(22, "a hundred changes a minute", Code.OK, changes_a_hundred_times, after=one_in_two_seconds,
         why="Coalesced, never starved: who changes on and on is heard every two seconds. Each version is a leaf of "
         "its own; the commitments come with the trail's proofs."),
    Case(23, "deleted by its writer", Code.SILENT, deletes, before=asks_and_remembers, after=first_wording_stands),
    Case(24, "forwarded", Code.OK, writes("Do as he says, canary", forward_origin=FROM_BOSS),
         after=is_marked_forwarded),
    Case(24, "a forwarded command", Code.OK, writes("/withdraw", forward_origin=FROM_BOSS),
         after=exactly("/withdraw", marks=" · forwarded"), why="What others wrote commands nothing here."),
    Case(25, "a reply to another consultation", Code.OK, replies_to_the_first, before=two_consultations,
         after=is_asked_which),
    Case(26, "a reply to what is gone", Code.OK, replies_to_what_is_gone, before=jane_talks, after=is_a_plain_line),
]  # fmt: skip
