"""Rows 1 to 16: what is written, sign by sign."""

from __future__ import annotations

import re
from typing import Any

import regex

from conversations import view
from conversations.split import units
from tests.botapi import Fault
from tests.hostile.kit import CHATS, Scene
from tests.hostile.table import Act, Case, Code

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
_MARK = re.compile(r"\n\(\d+/\d+\)\Z")


def writes(text: str, who: str = "officer1", **fields: Any) -> Act:
    """Somebody writes this."""

    async def act(scene: Scene) -> None:
        scene.phone(who).write(text, **fields)

    return act


def pushes(**fields: Any) -> Act:
    """A message with these fields arrives from officer1; None leaves one out."""

    async def act(scene: Scene) -> None:
        scene.push(scene.update("officer1", **fields))

    return act


def passed_on(scene: Scene, header: str) -> str:
    """What stood under this header in all that was sent to Jane, put together again."""
    pieces = [text for text in scene.sent_to("jane") if text.startswith(header)]
    assert all(units(piece) <= 4096 for piece in pieces)
    return "".join(_MARK.sub("", piece.removeprefix(header)) for piece in pieces)


def exactly(text: str, shown: str | None = None, marks: str = "") -> Act:
    """The question was stored as it came and reached the IDVA who took it as it came (`shown`: as can be shown)."""

    async def after(scene: Scene) -> None:
        row = scene.row_of("officer1")
        assert scene.words(row.ref) == [[text]]
        acknowledgement = scene.seen_by("officer1")[-1]
        assert acknowledgement.text.startswith(scene.house.line.policy.emergency)
        assert row.ref in acknowledgement.text
        await scene.accept("jane", row.ref)
        header = f"{row.ref} · PC 1234 Example, Example Constabulary{marks}:\n"
        assert passed_on(scene, header) == (text if shown is None else shown)
        _literal(scene)
        assert scene.words(row.ref) == [[text]]

    return after


def _literal(scene: Scene) -> None:
    """Nothing was sent as anything but plain text, and nobody's chat shows marks."""
    calls = [*scene.api.calls("sendMessage"), *scene.api.calls("editMessageText")]
    assert not [call for call in calls if "parse_mode" in call.params or "entities" in call.params]
    assert all(call.params["link_preview_options"]["is_disabled"] for call in calls)
    assert not [one for name in CHATS for one in scene.seen_by(name) if one.entities]


def kept(row: int, name: str, text: str, **more: Any) -> Case:
    """A text that is stored and passed on exactly."""
    after = exactly(text, more.pop("shown", None))
    return Case(row, name, Code.OK, pushes(text=text) if more.pop("raw", False) else writes(text), after=after, **more)


def blank(name: str, text: str) -> Case:
    """A text in which nothing can be seen."""
    return Case(1, name, Code.REFUSED, pushes(text=text), reply="I could not read that. Please type it again.")


# --- 3: one question in three updates --------------------------------------------------------------

LONG = ("She says he follows her to work, canary. " * 220)[:9000]
PIECES = [LONG[:4096], LONG[4096:8192], LONG[8192:]]


async def writes_in_three(scene: Scene) -> None:
    phone = scene.phone("officer1")
    for place, piece in enumerate(PIECES):
        phone.write(piece)
        if place < 2:  # others write in between
            scene.phone("officer2").write(f"Something else {place}")


async def is_one_question(scene: Scene) -> None:
    mine = [row for row in scene.rows() if row.officer_id == scene.house.id("officer1")]
    assert len(mine) == 1
    assert scene.words(mine[0].ref) == [[piece] for piece in PIECES]  # in the order of their message ids
    texts = [one.text for one in scene.seen_by("officer1")]
    assert [mine[0].ref in text for text in texts] == [True] * 3  # one acknowledgement, two receipts
    offers = scene.do(lambda work: view.offers(work, scene.house.id("jane")))
    assert "\n".join(PIECES) in [offer.first_words for offer in offers]
    await scene.accept("jane", mine[0].ref)
    assert passed_on(scene, f"{mine[0].ref} · PC 1234 Example, Example Constabulary:\n") == LONG


# --- 4: a long answer ------------------------------------------------------------------------------

LINK = "https://example.org/guidance/what-to-do-next"
ANSWER = (f"Stay with her, canary {FAMILY}, and read {LINK} before you go. " * 100)[:8200]


async def answers_at_length(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    scene.house.says("jane", ANSWER, ref)


async def came_in_three_parts(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    header = f"{ref} · Jane Example, IDVA (independent, NHS):\n"  # of the same consultation on each part
    parts = [text for text in scene.sent_to("officer1") if text.startswith(header)]
    assert [text[-6:] for text in parts] == ["\n(1/3)", "\n(2/3)", "\n(3/3)"]
    bodies = [text[len(header) : -6] for text in parts]
    assert "".join(bodies) == ANSWER
    assert all(units(body) <= 3900 for body in bodies)
    assert sum(body.count(FAMILY) for body in bodies) == ANSWER.count(FAMILY)
    assert sum(body.count(LINK) for body in bodies) == ANSWER.count(LINK)


# --- 5: what looks like one sign -------------------------------------------------------------------


async def families_are_whole(scene: Scene) -> None:
    await exactly(FAMILY * 4096)(scene)
    header = f"{scene.row_of('officer1').ref} · PC 1234"
    for piece in (text for text in scene.sent_to("jane") if text.startswith(header)):
        body = _MARK.sub("", piece.partition(":\n")[2])
        assert set(regex.findall(r"\X", body)) == {FAMILY}


# --- 8: a name that is not theirs ------------------------------------------------------------------

LOOKALIKE = "\u0420\u0421 Smith"  # Cyrillic letters


async def is_known_by_enrolment_only(scene: Scene) -> None:
    await exactly("Who am I, canary?")(scene)
    everything = [one.text for name in CHATS for one in scene.seen_by(name)]
    assert not [text for text in everything if "Smith" in text]


# --- 2: by doorbell --------------------------------------------------------------------------------


async def waits_behind_a_link(scene: Scene) -> None:
    row = scene.row_of("officer1")
    assert scene.words(row.ref) == [["canary " * 585]]
    link = f"https://lanyard.example/chat/{row.ref}"
    emergency = scene.house.line.policy.emergency
    assert scene.seen_by("officer1")[-1].text == f"{emergency}\n{row.ref}: received. Go on here: {link}"
    await scene.accept("jane", row.ref)
    assert scene.seen_by("jane")[-1].text.endswith(f"/desk/{row.ref}")


# --- 13: Telegram cannot parse it ------------------------------------------------------------------


async def cannot_be_parsed(scene: Scene) -> None:
    scene.api.fail("editMessageText", Fault.CANT_PARSE, chat_id=CHATS["jane"])
    scene.phone("officer1").write("Unbalanced _*[ canary")
    await scene.settle()
    await scene.later(seconds=5)


async def arrived_once(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    texts = [one.text for one in scene.seen_by("jane")]
    assert [text for text in texts if text.endswith("Unbalanced _*[ canary")] == [
        f"{ref} · PC 1234 Example, Example Constabulary:\nUnbalanced _*[ canary"
    ]
    assert f"Message {ref}" not in texts  # the placeholder took the words; no second one was needed
    assert [one.why for one in scene.noted("words.not_sent")] == ["entities"]
    assert scene.words(ref)[-1] == ["Unbalanced _*[ canary"]
    _literal(scene)


async def jane_talks(scene: Scene) -> None:
    """A consultation that Jane has."""
    await scene.talk()


COMBINING = "Z" + "\u0300\u0315\u0337" * 333 + "\u0300 canary"
BIDI = "canary \u202eevil\u202c \u2066left\u2069 \u202aa\u202bb\u202d"
CONTROLS = "canary a\x00b\x01c\x1fd\x7fe\x85f \ud83d lone \udc00"
CONTROLS_SHOWN = "canary a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf \ufffd lone \ufffd"

CASES = [
    blank("nothing at all", ""),
    blank("blanks only", "  \n\t \u00a0"),
    blank("zero width only", "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"),
    blank("direction signs only", "\u202e\u2066"),
    Case(1, "new and then nothing", Code.REFUSED, writes("/new \u200b"), reply="Write your question"),
    kept(2, "4096 characters", "canary " * 585 + "x", storage=True),
    Case(2, "4096 characters", Code.OK, writes("canary " * 585), after=waits_behind_a_link, relay=False),
    kept(2, "4096 characters of four bytes", "\U00020000" * 2041 + "canary", storage=True),
    Case(
        3, "one question in three updates", Code.OK, writes_in_three, after=is_one_question, storage=True,
        why="Joined by the consultation, not by waiting two seconds: the first part is acknowledged and offered at "
        "once. Telegram hands out one chat's updates in the order of its message ids, lanes keep that order.",
    ),
    Case(4, "an answer in three parts", Code.OK, answers_at_length, before=jane_talks, after=came_in_three_parts),
    Case(5, "4096 families", Code.OK, pushes(text=FAMILY * 4096), after=families_are_whole, storage=True),
    kept(6, "a thousand combining marks", COMBINING, storage=True),
    kept(7, "direction overrides", BIDI, storage=True),
    Case(
        8, "a name made of look-alikes", Code.OK, after=is_known_by_enrolment_only,
        act=pushes(
            text="Who am I, canary?", **{"from": {"id": CHATS["officer1"], "is_bot": False, "first_name": LOOKALIKE}}
        ),
    ),
    kept(
        9, "NUL controls and lone surrogates", CONTROLS, shown=CONTROLS_SHOWN, raw=True, storage=True,
    ),
    kept(10, "markup", "<b>canary</b> <script>alert(1)</script> &lt; </b>"),
    kept(11, "markdown signs", r"canary _*[]()~`>#+-=|{}.! \_ __x__"),
    kept(12, "links and mentions", "[x](tg://user?id=1) javascript:canary @everyone"),
    Case(
        13, "cannot be parsed", Code.OK, cannot_be_parsed, before=jane_talks, after=arrived_once,
        why="Nothing is ever sent with a parse_mode, so it is sent again as it is.",
    ),
    kept(14, "a command in mid sentence", "please /close now, canary"),
    Case(15, "an unknown command", Code.REFUSED, writes("/foo canary"), reply="There are three: /new, /log and"),
    Case(
        16, "a command to another bot", Code.NOTHING, writes("/start@otherbot canary"), noted="other_bot",
    ),
]  # fmt: skip
