"""What each shape of Telegram update is read as (security.md section 6, rows 1 to 68)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.telegram_reading import read
from conversations.messages import ChannelName, Ignore, Ignored, Incoming, Kind, Unsendable
from tests.telegram_wire import GROUP, edited, membership, message, tap

Json = dict[str, Any]


def said(update: Json, username: str | None = "LanyardBot") -> Incoming | Ignored:
    return read(json.dumps(update).encode(), username)


def incoming(update: Json) -> Incoming:
    found = said(update)
    assert isinstance(found, Incoming), found
    return found


# --- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "  two blanks before, a line end after\n",
        "x" * 4096,
        "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 512,
        "Z" + "\u0300" * 1000,
        "\u202edesrever\u202c \u2066isolated\u2069",
        "a\x00b\x01c\x85d",
        "lone \ud83d surrogate",
        "<b>not bold</b> &lt; <script>alert(1)</script>",
        "_*[]()~>#+-=|{}.! [x](tg://user?id=1) javascript: @everyone",
        "please /close now",
        "/",
        "/he's in the house",
        "\u0645\u0631\u062d\u0628\u0627",
        '\\"update_id\\":999',
    ],
)
def test_words_are_read_exactly_as_they_were_written(text: str) -> None:
    found = incoming(message(text=text))
    assert (found.kind, found.text) == (Kind.TEXT, text)


def test_a_message_carries_its_sender_its_id_and_its_time_and_nothing_that_names_anybody() -> None:
    assert incoming(message(7, 2**53 + 1)) == Incoming(
        channel=ChannelName.TELEGRAM,
        sender=str(2**53 + 1),
        kind=Kind.TEXT,
        text="hello",
        written_at=datetime.fromtimestamp(1_760_000_000, UTC),
        message=f"{2**53 + 1}:17",
    )


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u200b\u200c\u200d\u200e\u200f", "\u2060\ufeff ", "\u00a0"])
def test_what_leaves_no_mark_is_empty(text: str) -> None:
    assert incoming(message(text=text)).unsendable is Unsendable.EMPTY


@pytest.mark.parametrize("text", ["/start abc", "/START abc", "/start@lanyardbot abc", "/start\nabc ", "/start  abc"])
def test_a_command_is_its_name_and_its_argument(text: str) -> None:
    found = incoming(message(text=text))
    assert (found.kind, found.text) == (Kind.COMMAND, "/start abc")


def test_an_unknown_command_is_still_a_command_and_the_line_says_which_exist() -> None:
    assert incoming(message(text="/foo")).text == "/foo"


@pytest.mark.parametrize("username", ["LanyardBot", None])
def test_a_command_for_another_bot_is_ignored(username: str | None) -> None:
    assert said(message(text="/start@otherbot x"), username) == Ignored(Ignore.OTHER_BOT)


def test_a_command_for_us_by_name_is_ignored_as_long_as_we_do_not_know_our_name() -> None:
    assert said(message(text="/start@LanyardBot x"), None) == Ignored(Ignore.OTHER_BOT)


def test_a_forward_is_marked_and_its_origin_is_never_who_wrote() -> None:
    origin = {"type": "user", "date": 1, "sender_user": {"id": 666, "is_bot": False, "first_name": "Boss"}}
    found = incoming(message(text="/close", forward_origin=origin))
    assert (found.forwarded, found.sender, found.kind) == (True, "4001", Kind.TEXT)


def test_a_reply_names_the_message_it_answers() -> None:
    answered = message(2, text="earlier")["message"]
    assert incoming(message(reply_to_message=answered)).reply_to == "4001:12"


def test_the_notice_that_opened_a_topic_is_not_answered_by_every_message_in_it() -> None:
    notice = message(2, text=None, forum_topic_created={"name": "K7Q2"})["message"]
    found = incoming(message(reply_to_message=notice, is_topic_message=True, message_thread_id=12))
    assert (found.reply_to, found.thread) == (None, "12")


def test_a_chain_of_replies_is_not_a_topic() -> None:
    assert incoming(message(message_thread_id=12)).thread is None


def test_an_edit_has_the_new_words_the_same_id_and_the_time_of_the_edit() -> None:
    found = incoming(edited(text="/close no, I mean"))
    assert (found.kind, found.text, found.message) == (Kind.EDIT, "/close no, I mean", "4001:11")
    assert found.written_at == datetime.fromtimestamp(1_760_000_060, UTC)


@pytest.mark.parametrize(
    ("date", "year"), [(0, 1970), (4_102_444_800, 2100), (2**40, None), (2**62, None), (-(2**62), None)]
)
def test_any_date_is_taken_for_what_it_is_worth(date: int, year: int | None) -> None:
    written = incoming(message(date=date)).written_at
    assert (written.year if written else None) == year


# --- not text --------------------------------------------------------------------------------------

FILE = {"file_id": "F", "file_unique_id": "U"}


NOT_WORDS: list[tuple[str, Any, Unsendable]] = [
    ("photo", [FILE], Unsendable.PICTURE),
    ("animation", FILE, Unsendable.PICTURE),
    ("live_photo", FILE, Unsendable.PICTURE),
    ("voice", FILE, Unsendable.VOICE),
    ("audio", FILE, Unsendable.VOICE),
    ("video", FILE, Unsendable.VOICE),
    ("video_note", FILE, Unsendable.VOICE),
    ("document", FILE | {"file_name": "invoice.pdf.exe", "file_size": 2**31}, Unsendable.DOCUMENT),
    ("document", FILE | {"file_name": "\u202egpj.exe", "file_size": 0}, Unsendable.DOCUMENT),
    ("location", {"latitude": 51.5, "longitude": -0.1}, Unsendable.LOCATION),
    ("venue", {"title": "x"}, Unsendable.LOCATION),
    ("contact", {"phone_number": "07700900123", "first_name": "V"}, Unsendable.CONTACT),
    ("sticker", FILE, Unsendable.STICKER),
    ("dice", {"emoji": "x", "value": 3}, Unsendable.STICKER),
    ("game", {"title": "x"}, Unsendable.STICKER),
    ("poll", {"id": "1"}, Unsendable.OTHER),
    ("invoice", {}, Unsendable.OTHER),
    ("story", {}, Unsendable.OTHER),
    ("giveaway", {}, Unsendable.OTHER),
    ("checklist", {}, Unsendable.OTHER),
    ("paid_media", {}, Unsendable.OTHER),
    ("a_kind_made_up_tomorrow", {}, Unsendable.UNKNOWN),
]


@pytest.mark.parametrize(
    ("make", "field", "value", "what"),
    # A live location that moves on has a test of its own.
    [(make, *row) for row in NOT_WORDS for make in (message, edited) if (make, row[0]) != (edited, "location")],
)
def test_what_is_not_words_is_named_by_its_kind_and_nothing_of_it_is_kept(
    make: Any, field: str, value: Any, what: Unsendable
) -> None:
    found = incoming(make(text=None, **{field: value}, caption="a secret caption"))
    assert (found.kind, found.unsendable, found.text) == (Kind.UNSENDABLE, what, "")
    assert "secret" not in repr(found)


def test_a_gif_is_a_picture_though_it_comes_with_a_document() -> None:
    assert incoming(message(text=None, document=FILE, animation=FILE)).unsendable is Unsendable.PICTURE


def test_the_pieces_of_an_album_share_its_id() -> None:
    pieces = [incoming(message(n, text=None, photo=[FILE], media_group_id="G1")) for n in range(1, 11)]
    assert {piece.album for piece in pieces} == {"G1"}


def test_later_positions_of_a_live_location_are_ignored() -> None:
    assert said(edited(text=None, location={"latitude": 1.0, "longitude": 1.0})) == Ignored(Ignore.LIVE_EDIT)


@pytest.mark.parametrize(
    "field",
    [
        "pinned_message",
        "chat_background_set",
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_closed",
        "write_access_allowed",
        "users_shared",
        "web_app_data",
    ],
)
def test_notices_of_telegrams_are_ignored(field: str) -> None:
    notice: Json = {field: {}}
    assert said(message(text=None, **notice)) == Ignored(Ignore.SERVICE)


def test_an_auto_delete_timer_is_ignored_by_name_so_that_it_can_be_seen() -> None:
    assert said(message(text=None, message_auto_delete_timer_changed={})) == Ignored(Ignore.AUTO_DELETE)


# --- where it comes from ---------------------------------------------------------------------------

ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
GROUP_ID = str(GROUP["id"])


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        (message(chat=GROUP), Ignored(Ignore.GROUP, GROUP_ID)),
        (message(chat=GROUP | {"type": "group", "id": -5}), Ignored(Ignore.GROUP, "-5")),
        (message(chat=GROUP, text=None, new_chat_members=[ANONYMOUS]), Ignored(Ignore.GROUP, GROUP_ID)),
        (membership("member", chat=GROUP), Ignored(Ignore.GROUP, GROUP_ID)),
        (membership("left", chat=GROUP), Ignored(Ignore.GROUP)),
        (tap(message=message(chat=GROUP)["message"]), Ignored(Ignore.GROUP, GROUP_ID)),
        (message(chat=GROUP, migrate_to_chat_id=-100), Ignored(Ignore.MIGRATED)),
        (message(chat=GROUP | {"type": "channel"}), Ignored(Ignore.CHANNEL_POST)),
        (message(chat=GROUP, is_automatic_forward=True), Ignored(Ignore.CHANNEL_POST, GROUP_ID)),
        ({"update_id": 1, "channel_post": {}}, Ignored(Ignore.CHANNEL_POST)),
        (message(chat=GROUP, by=ANONYMOUS), Ignored(Ignore.NOT_A_PERSON, GROUP_ID)),
        (message(chat=GROUP, sender_chat=GROUP), Ignored(Ignore.NOT_A_PERSON, GROUP_ID)),
        (message(sender=136817688), Ignored(Ignore.NOT_A_PERSON)),
        (message(by={"id": 4001, "is_bot": True, "first_name": "B"}), Ignored(Ignore.NOT_A_PERSON)),
        (message(by={"id": 4002, "is_bot": False, "first_name": "B"}), Ignored(Ignore.NOT_A_PERSON)),
        (tap(sender=4001, by={"id": 4002, "first_name": "B"}), Ignored(Ignore.NOT_A_PERSON)),
        (message(sender_chat=GROUP), Ignored(Ignore.NOT_A_PERSON)),
        (message(via_bot=ANONYMOUS), Ignored(Ignore.INLINE)),
        (tap(inline_message_id="7"), Ignored(Ignore.INLINE)),
        ({"update_id": 1, "inline_query": {}}, Ignored(Ignore.INLINE)),
        (message(business_connection_id="b"), Ignored(Ignore.BUSINESS)),
        ({"update_id": 1, "business_message": {}}, Ignored(Ignore.BUSINESS)),
        ({"update_id": 1, "guest_message": {}}, Ignored(Ignore.BUSINESS)),
        ({"update_id": 1, "message_reaction": {}}, Ignored(Ignore.REACTION)),
        ({"update_id": 1, "poll_answer": {}}, Ignored(Ignore.REACTION)),
        (membership("administrator"), Ignored(Ignore.SERVICE)),
    ],
)
def test_only_one_person_writing_in_private_is_heard(update: Json, expected: Ignored) -> None:
    assert said(update) == expected


@pytest.mark.parametrize(("status", "kind"), [("kicked", Kind.BLOCKED), ("member", Kind.UNBLOCKED)])
def test_a_person_stopping_or_opening_the_bot_is_told_to_the_line(status: str, kind: Kind) -> None:
    found = incoming(membership(status))
    assert (found.kind, found.sender) == (kind, "4001")


# --- buttons ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["a1b2", "", "x" * 64, "\u202e\x00", None])
def test_a_tap_carries_its_token_whatever_it_is(data: str | None) -> None:
    update = tap()
    if data is None:
        del update["callback_query"]["data"]
    else:
        update["callback_query"]["data"] = data
    found = incoming(update)
    assert (found.kind, found.token, found.query, found.message) == (Kind.TAP, data or "", "991", "4001:11")


def test_a_tap_on_a_message_too_old_to_be_shown_is_still_a_tap() -> None:
    old = {"chat": {"id": 4001, "type": "private"}, "message_id": 5, "date": 0}
    assert incoming(tap(message=old)).message == "4001:5"
