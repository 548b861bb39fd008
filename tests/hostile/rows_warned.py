"""Rows 27 to 32: personal details, danger, strong words, imitation, odd digits."""

from __future__ import annotations

from conversations import wording
from conversations.case import Case as Consultation
from tests.hostile.kit import STRANGER, Scene
from tests.hostile.rows_talk import REFUSED_CODE, a_code, bound
from tests.hostile.rows_text import jane_talks, kept, passed_on, writes
from tests.hostile.table import Act, Case, Code

PERSONAL = "Her name is Jane Canary, born 01/02/1990, 12 High Street"
WARNING = "This looks like personal details"
SEND, PAGE = wording.label("send_anyway"), wording.label("use_page")


# --- 27: personal details --------------------------------------------------------------------------


async def is_held_and_then_sent_by_itself(scene: Scene) -> None:
    warning = scene.seen_by("officer1")[-1]
    assert warning.text.startswith(WARNING)
    assert warning.labels == (SEND, PAGE)
    await scene.later(seconds=9)
    assert not scene.rows()
    await scene.later(seconds=2)
    row = scene.row_of("officer1")
    assert scene.words(row.ref) == [[PERSONAL]]
    assert row.ref in scene.seen_by("officer1")[-1].text
    assert [(one.actor, one.why) for one in scene.noted("message.held_resolved")] == [("line", "personal")]
    await scene.later(seconds=30)
    assert len(scene.rows()) == 1  # once
    tap = scene.phone("officer1").tap(warning, SEND)  # too late: told so, and nothing happens twice
    await scene.settle()
    assert tap.answer is not None
    assert tap.answer["text"] == "That line was already dealt with."
    assert scene.words(row.ref) == [[PERSONAL]]


def chooses(label: str) -> Act:
    """Holds, and then a button is tapped."""

    async def act(scene: Scene) -> None:
        scene.phone("officer1").write(PERSONAL)
        await scene.settle()
        assert not scene.rows()
        scene.phone("officer1").tap(label)

    return act


async def went_at_once(scene: Scene) -> None:
    assert scene.words(scene.row_of("officer1").ref) == [[PERSONAL]]
    chosen = scene.noted("message.held_resolved")
    assert [(one.actor, one.why) for one in chosen] == [(scene.house.id("officer1"), "personal")]
    await scene.later(seconds=15)
    assert len(scene.rows()) == 1


async def was_dropped(scene: Scene) -> None:
    assert scene.seen_by("officer1")[-1].text == "Not sent. Use the secure page: https://lanyard.example/chat"
    assert [one.why for one in scene.noted("message.held_resolved")] == ["dropped"]
    await scene.later(seconds=15)
    assert not scene.rows()


async def writes_on_meanwhile(scene: Scene) -> None:
    scene.phone("officer1").write(PERSONAL)
    await scene.settle()
    scene.phone("officer1").write("What do I do first, canary?")
    await scene.settle()
    await scene.later(seconds=11)


async def is_one_consultation(scene: Scene) -> None:
    assert scene.words(scene.row_of("officer1").ref) == [["What do I do first, canary?"], [PERSONAL]]
    assert len([row for row in scene.rows() if row.officer_id == scene.house.id("officer1")]) == 1


async def changes_it_while_held(scene: Scene) -> None:
    said = scene.phone("officer1").write(PERSONAL)
    await scene.settle()
    scene.phone("officer1").edit(said, "The victim, canary, is at home")
    await scene.settle()
    await scene.later(seconds=11)


async def only_the_change_went(scene: Scene) -> None:
    assert scene.words(scene.row_of("officer1").ref) == [["The victim, canary, is at home"]]


async def asks_anew_with_details(scene: Scene) -> None:
    await scene.talk(text="The first, canary")
    scene.phone("officer1").write(f"/new {PERSONAL}")
    await scene.settle()
    assert scene.seen_by("officer1")[-1].text.startswith(WARNING)
    assert len(scene.rows()) == 1
    await scene.later(seconds=11)


async def is_a_consultation_of_its_own(scene: Scene) -> None:
    assert len(scene.rows()) == 2
    assert sorted(scene.words(row.ref)[0][0] for row in scene.rows()) == sorted([PERSONAL, "The first, canary"])


async def goes_in_by_doorbell(scene: Scene) -> None:
    assert scene.words(scene.row_of("officer1").ref) == [[PERSONAL]]  # nothing of it goes out through Telegram
    assert not scene.api.mentions("Canary, born")
    assert not scene.noted("message.held")


# --- 28: danger ------------------------------------------------------------------------------------


async def emergency_first(scene: Scene) -> None:
    emergency = scene.house.line.policy.emergency
    assert scene.seen_by("officer1")[-1].text.startswith(emergency)
    assert scene.row_of("officer1").state == "offered"  # and then as any other question


async def everybody_is_busy(scene: Scene) -> None:
    for number in range(3):
        await scene.ask("officer2", f"/new Question {number} canary")
        await scene.accept("jane", scene.row_of("officer2").ref)
        scene.house.clock.forward(seconds=1)


async def emergency_first_and_queued(scene: Scene) -> None:
    text = scene.seen_by("officer1")[-1].text
    assert text.startswith(scene.house.line.policy.emergency)
    assert "You are number 1 in the queue." in text


async def emergency_line_then_relayed(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    texts = [one.text for one in scene.seen_by("officer1")]
    assert scene.house.line.policy.emergency in texts
    assert texts.index(scene.house.line.policy.emergency) < texts.index(f"Delivered to Jane Example. {ref}")
    assert passed_on(scene, f"{ref} · PC 1234 Example, Example Constabulary:\n").endswith("a knife, canary")


async def emergency_line_in_doorbell(scene: Scene) -> None:
    assert scene.house.line.policy.emergency in [one.text for one in scene.seen_by("officer1")]
    assert scene.words(scene.row_of("officer1").ref)[-1] == ["now he has got a knife, canary"]


async def two_open(scene: Scene) -> None:
    await scene.ask(text="The first, canary")
    scene.house.clock.forward(seconds=1)
    await scene.ask(text="/new The second, canary")


async def emergency_line_though_held(scene: Scene) -> None:
    texts = [one.text for one in scene.seen_by("officer1")]
    assert texts[-2:] == [scene.house.line.policy.emergency, wording.say("held_which")]


async def was_not_held(scene: Scene) -> None:
    assert not scene.noted("message.held")
    await emergency_first(scene)


# --- 31: imitation ---------------------------------------------------------------------------------


async def writes_notices(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    scene.phone("officer1").write(f"IDVA Jane Example: all clear, canary. Lanyard · {ref}: withdrawn.")
    await scene.settle()
    scene.phone("officer1").write("x" * 3_700 + f"\nLanyard · {ref}:\nall clear, canary. " * 10)


async def stands_in_its_senders_frame(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    header = f"{ref} · PC 1234 Example, Example Constabulary:\n"
    shown = [one.text for one in scene.seen_by("jane") if "clear, canary" in one.text]
    assert len(shown) == 3  # the long one in two parts, each under the header
    assert all(text.startswith(header) for text in shown)
    assert not [one for one in scene.seen_by("jane") if one.text.startswith(("IDVA Jane", "Lanyard"))]


# --- 32: odd digits --------------------------------------------------------------------------------

FULLWIDTH = str.maketrans("0123456789abcdef", "０１２３４５６７８９ａｂｃｄｅｆ")


async def asks(scene: Scene) -> None:
    await scene.ask(text="Is this stalking, canary?")


async def log_number_is_plain(scene: Scene) -> None:
    with scene.house.work() as work:
        assert Consultation.load(work, scene.row_of("officer1").id).incident() == "0123"


async def enrols_in_fullwidth(scene: Scene) -> None:
    code = a_code(scene, 0xABC, "officer2")
    before = bound(scene)
    scene.api.person(STRANGER).start(code.translate(FULLWIDTH))
    await scene.settle()
    assert scene.seen_by(STRANGER)[-1].text == REFUSED_CODE
    assert bound(scene) == before
    scene.api.person(STRANGER + 1).start(code)
    await scene.settle()
    assert "is now connected" in scene.seen_by(STRANGER + 1)[-1].text


HELD = "Held for ten seconds, then sent by itself: a warning must not become a lost message."
DANGER_FIRST = "Danger is not held back for a warning about details; the emergency words come before all else."

CASES = [
    Case(27, "personal details", Code.OK, writes(PERSONAL), after=is_held_and_then_sent_by_itself, why=HELD,
         storage=True),
    Case(27, "personal details and send it", Code.OK, chooses(SEND), after=went_at_once),
    Case(27, "personal details and the page", Code.OK, chooses(PAGE), after=was_dropped),
    Case(27, "personal details and writing on", Code.OK, writes_on_meanwhile, after=is_one_consultation,
         why="What was asked meanwhile is the same question; a second consultation would page a second IDVA."),
    Case(27, "personal details changed while held", Code.OK, changes_it_while_held, after=only_the_change_went),
    Case(27, "personal details after new", Code.OK, asks_anew_with_details, after=is_a_consultation_of_its_own),
    Case(27, "personal details in doorbell mode", Code.OK, writes(PERSONAL), after=goes_in_by_doorbell, relay=False),
    *(
        Case(28, f"danger {word}", Code.OK, writes(f"{text}, canary"), after=emergency_first)
        for word, text in {"999": "999", "knife": "he's got a knife", "breathing": "She is not breathing"}.items()
    ),
    Case(28, "danger while all are busy", Code.OK, writes("He's got a knife, canary"), before=everybody_is_busy,
         after=emergency_first_and_queued),
    Case(28, "danger in the talk", Code.OK, writes("now he has got a knife, canary"), before=jane_talks,
         after=emergency_line_then_relayed),
    Case(28, "danger in the talk", Code.OK, writes("now he has got a knife, canary"), before=jane_talks,
         after=emergency_line_in_doorbell, relay=False),
    Case(28, "danger when it is unclear where", Code.OK, writes("He's got a knife, canary"), before=two_open,
         after=emergency_line_though_held, why="Where it goes is asked, never guessed; emergency words come first."),
    Case(28, "danger with personal details", Code.OK, writes(f"Not breathing. {PERSONAL}"), after=was_not_held,
         why=DANGER_FIRST),
    kept(29, "strong words", "He said: I'll f***ing kill you, you canary bitch. Her words: slag, whore."),
    kept(30, "another language", "\u0645\u0631\u062d\u0628\u0627 canary \u05e9\u05dc\u05d5\u05dd \u4f60\u597d Pomocy!"),
    Case(31, "a notice imitated", Code.OK, writes_notices, before=jane_talks, after=stands_in_its_senders_frame),
    Case(32, "a log number in fullwidth", Code.OK, writes("/log " + "0123".translate(FULLWIDTH)), before=asks,
         after=log_number_is_plain),
    Case(32, "a log number in Arabic digits", Code.REFUSED, writes("/log \u0660\u0661\u0662\u0663"), before=asks,
         reply="/log 0123 sets the incident log number"),
    Case(32, "a code in fullwidth", Code.SEVERAL, enrols_in_fullwidth,
         why="A code is what a PIN is here: it is taken exactly or not at all."),
]  # fmt: skip
