"""Rows 33 to 43: what is not text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conversations.tables import InboxState
from tests.hostile.kit import CHATS, STRANGER, Json, Scene
from tests.hostile.rows_text import pushes
from tests.hostile.table import Act, Case, Code

Later = Callable[[Scene], Any]


def sends(kind: str, **fields: Any) -> Act:
    """Officer1 sends something; the caption, where there can be one, must not be kept either."""

    async def act(scene: Scene) -> None:
        scene.phone("officer1").send(kind, caption="canary caption", **fields)

    return act


async def kept_nothing(scene: Scene) -> None:
    """Nothing was downloaded, and nothing of what came is left in the inbox."""
    assert not scene.api.calls("getFile")
    assert not scene.api.calls("download")
    assert all(scene.raw_of(row) == b"" for row in scene.inbox() if row.state == InboxState.DONE.value)
    assert not scene.rows()


def refused(row: int, kind: str, reply: str, name: str = "", **fields: Any) -> Case:
    """One kind that cannot be sent."""
    name = name or kind.replace("_", " ")
    return Case(row, name, Code.REFUSED, sends(kind, **fields), after=kept_nothing, reply=reply)


# --- 34: one album, one answer ---------------------------------------------------------------------


async def sends_an_album(scene: Scene) -> None:
    scene.phone("officer1").album(10, caption="canary")


async def answered_once(scene: Scene) -> None:
    await kept_nothing(scene)
    assert len(scene.seen_by("officer1")) == 1
    assert len(scene.noted("input.refused")) == 10
    scene.phone("officer1").album(2, caption="canary")  # another album, another answer
    await scene.settle()
    assert len(scene.seen_by("officer1")) == 2


# --- 39: places ------------------------------------------------------------------------------------


async def moves_on(scene: Scene) -> None:
    phone = scene.phone("officer1")
    place = phone.send("live_location", latitude=51.5, longitude=-0.12)
    await scene.settle()
    said = len(scene.seen_by("officer1"))
    for step in range(5):
        phone.move(place, 51.5 + step / 1000, -0.12)
    await scene.settle()
    assert len(scene.seen_by("officer1")) == said == 1  # told once; later positions get nothing
    assert [one.why for one in scene.noted("input.ignored")] == ["live_edit"] * 5


async def no_coordinates(scene: Scene) -> None:
    assert not [row for row in scene.inbox() if b"51.5" in scene.raw_of(row)]


# --- 40: contact cards -----------------------------------------------------------------------------


async def stranger_sends_own_contact(scene: Scene) -> None:
    who = scene.api.person(STRANGER, "Canary")
    who.send("contact", phone_number="+447700900123", first_name="Canary", user_id=STRANGER)


async def is_not_enrolled(scene: Scene) -> None:
    assert scene.snapshot()["telegram_binding"] == len(CHATS)


# --- 42: a kind nobody knows yet -------------------------------------------------------------------


async def kept_in_quarantine(scene: Scene) -> None:
    row = scene.inbox()[0]
    assert (row.state, row.why) == (InboxState.QUARANTINED.value, "unknown kind")
    assert b"something_of_the_future" in scene.raw_of(row)  # sealed, for whoever maintains this
    assert [one.facts["alarm"] for one in scene.noted("input.quarantined")] == [True]


# --- 43: what says nothing -------------------------------------------------------------------------


def arrives(kind: str, why: str, name: str, *, alarm: bool = False, row: int = 43, **fields: Any) -> Case:
    """An update of another kind, or one nobody asked for."""

    async def act(scene: Scene) -> None:
        person = {"id": CHATS["officer1"], "is_bot": False, "first_name": "Canary"}
        scene.push({kind: {"chat": {"id": CHATS["officer1"], "type": "private"}, "from": person} | fields})

    return Case(row, name, Code.NOTHING, act, noted=why, alarm=alarm)


def service(name: str, why: str, **fields: Json) -> Case:
    """A notice of Telegram's own."""
    return Case(43, name, Code.NOTHING, pushes(text=None, **fields), noted=why)


PICTURE = "Please type. Do not send pictures of victims."
VOICE = "Please type. In danger now: press your emergency button or ring 999."
STICKER, OTHER = "Stickers and games cannot be sent here.", "Only typed text can be sent here."
FILE, PLACE = "Files cannot be sent here, and nothing was opened or kept.", "Locations cannot be sent here, and nothing"
NAMES = {
    "canary.exe": "a program",
    "canary.docm": "a document with macros",
    "canary.svg": "a drawing",
    "canary.html": "a page",
    "canary.pdf.exe": "a program named as a document",
    "canary\u202egpj.exe": "a name written backwards",
}

CASES = [
    refused(33, "photo", PICTURE),
    Case(34, "an album of ten", Code.REFUSED, sends_an_album, after=answered_once, reply=PICTURE),
    refused(35, "sticker", STICKER),
    refused(35, "animation", "Pictures cannot be sent here", "moving picture"),
    refused(35, "dice", STICKER),
    refused(35, "game", STICKER),
    refused(36, "voice", VOICE),
    refused(36, "audio", VOICE),
    refused(36, "video", VOICE),
    refused(36, "video_note", VOICE),
    *(refused(37, "document", FILE, name, file_name=file) for file, name in NAMES.items()),
    refused(38, "document", FILE, "two gigabytes", file_size=2 * 1024**3),
    refused(38, "document", FILE, "nothing in it", file_size=0),
    refused(39, "location", PLACE),
    Case(39, "live location", Code.SEVERAL, moves_on, after=no_coordinates),
    refused(39, "venue", PLACE),
    refused(40, "contact", "Contact cards cannot be sent here, and nothing was kept."),
    Case(40, "a strangers own contact", Code.REFUSED, stranger_sends_own_contact, after=is_not_enrolled, who=STRANGER,
         reply="This is a private service.", why="Enrolment is by code alone: no contact card is ever accepted."),
    *(
        refused(41, kind, OTHER)
        for kind in ("poll", "quiz", "invoice", "story", "paid_media", "giveaway", "checklist")
    ),
    Case(42, "a kind of the future", Code.REFUSED, sends("unknown"), after=kept_in_quarantine,
         reply="That kind of message cannot be sent here. Please type."),
    arrives("message_reaction", "reaction", "a reaction"),
    arrives("poll_answer", "reaction", "a poll answer"),
    service("a pin", "service", pinned_message={}),
    service("an auto delete timer", "auto_delete", message_auto_delete_timer_changed={"message_auto_delete_time": 60}),
    service("a theme", "service", chat_background_set={}),
]  # fmt: skip
