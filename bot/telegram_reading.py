"""What a Telegram update says: its JSON becomes an Incoming, an Ignored or an Unreadable. Pure and total.

Rules kept here:
- Any bytes get one of the three answers, within milliseconds; nothing else is ever raised.
- A field we use has its documented type or the update is Unreadable; a field we do not use may be anything.
- Only a private chat between the bot and one person is listened to; names, forwards and quotes are never who.
- Words are passed on exactly, not stripped. Of pictures, files, places and contacts nothing is taken but the
  kind, not even the caption.
- An Unreadable says which of our field names was wrong and never what stood there.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any, NoReturn

from conversations.messages import ChannelName, Ignore, Ignored, Incoming, Kind, Unreadable, Unsendable

Json = dict[str, Any]

# No real update comes near any of these; they keep reading within milliseconds.
_MAX_BYTES = 256 * 1024
_MAX_BRACKETS = 20_000
_MAX_DEPTH = 64
_BRACKET = re.compile(rb'"(?:[^"\\]|\\(?:.|\Z))*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL)

# GroupAnonymousBot, Channel_Bot, and Telegram's own account: they stand in for somebody who is not named.
_STAND_INS = frozenset({1087968824, 136817688, 777000})

# Kinds of update that we never ask for, or that say nothing to us.
_OTHER_UPDATES = {
    "channel_post": Ignore.CHANNEL_POST,
    "edited_channel_post": Ignore.CHANNEL_POST,
    "inline_query": Ignore.INLINE,
    "chosen_inline_result": Ignore.INLINE,
    "business_connection": Ignore.BUSINESS,
    "business_message": Ignore.BUSINESS,
    "edited_business_message": Ignore.BUSINESS,
    "deleted_business_messages": Ignore.BUSINESS,
    "guest_message": Ignore.BUSINESS,
    "message_reaction": Ignore.REACTION,
    "message_reaction_count": Ignore.REACTION,
    "poll": Ignore.REACTION,
    "poll_answer": Ignore.REACTION,
    "chat_member": Ignore.SERVICE,
    "chat_join_request": Ignore.SERVICE,
    "chat_boost": Ignore.SERVICE,
    "removed_chat_boost": Ignore.SERVICE,
    "managed_bot": Ignore.SERVICE,
    "shipping_query": Ignore.SERVICE,
    "pre_checkout_query": Ignore.SERVICE,
    "purchased_paid_media": Ignore.SERVICE,
}

# Fields that make a message one of a business account or of a guest chat.
_BUSINESS = (
    "business_connection_id",
    "sender_business_bot",
    "guest_query_id",
    "guest_bot_caller_user",
    "guest_bot_caller_chat",
)

# Fields that make a message a notice of Telegram's, not something a person said.
_SERVICE = frozenset(  # one text, cut up: fifty quoted names would read worse
    """boost_added channel_chat_created chat_background_set chat_owner_changed chat_owner_left chat_shared
    checklist_tasks_added checklist_tasks_done connected_website delete_chat_photo
    direct_message_price_changed forum_topic_closed forum_topic_created forum_topic_edited
    forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden gift gift_upgrade_sent
    giveaway_completed giveaway_created group_chat_created left_chat_member managed_bot_created
    message_auto_delete_timer_changed new_chat_members new_chat_photo new_chat_title
    paid_message_price_changed pinned_message poll_option_added poll_option_deleted
    proximity_alert_triggered refunded_payment successful_payment suggested_post_approval_failed
    suggested_post_approved suggested_post_declined suggested_post_paid suggested_post_refunded
    supergroup_chat_created unique_gift user_shared users_shared video_chat_ended
    video_chat_participants_invited video_chat_scheduled video_chat_started web_app_data
    write_access_allowed""".split()  # noqa: SIM905 - the reason above
)

# In this order: a GIF also has `document`, a venue also has `location`.
_UNSENDABLE = {
    "photo": Unsendable.PICTURE,
    "animation": Unsendable.PICTURE,
    "live_photo": Unsendable.PICTURE,
    "voice": Unsendable.VOICE,
    "audio": Unsendable.VOICE,
    "video": Unsendable.VOICE,
    "video_note": Unsendable.VOICE,
    "document": Unsendable.DOCUMENT,
    "venue": Unsendable.LOCATION,
    "location": Unsendable.LOCATION,
    "contact": Unsendable.CONTACT,
    "sticker": Unsendable.STICKER,
    "dice": Unsendable.STICKER,
    "game": Unsendable.STICKER,
    "poll": Unsendable.OTHER,
    "invoice": Unsendable.OTHER,
    "story": Unsendable.OTHER,
    "giveaway": Unsendable.OTHER,
    "giveaway_winners": Unsendable.OTHER,
    "checklist": Unsendable.OTHER,
    "paid_media": Unsendable.OTHER,
    "passport_data": Unsendable.OTHER,
}
_LISTS = frozenset({"photo"})

# `forward_origin` today; the others before Bot API 7.0, which a self-hosted server may still speak.
_FORWARDED = ("forward_origin", "forward_date", "forward_from", "forward_from_chat", "forward_sender_name")


def read(raw: bytes, username: str | None = None) -> Incoming | Ignored:
    """What an update says. `username` is the bot's own, by which it knows the commands meant for it."""
    update = _parse(raw)
    _integer(update, "update_id")
    kinds = [kind for kind in (*_READERS, *_OTHER_UPDATES) if kind in update]
    if len(kinds) != 1:
        _unreadable("kind of update")
    if kinds[0] in _OTHER_UPDATES:
        return Ignored(_OTHER_UPDATES[kinds[0]])
    return _READERS[kinds[0]](_object(update, kinds[0]), username)


def address_in(raw: bytes) -> str | None:
    """Who or where an update comes from, as decimal; None when that cannot be read. Total, like `read`."""
    try:
        update = _parse(raw)
        for kind in (*_READERS, *_OTHER_UPDATES):
            if kind in update:
                inner = _object(update, kind)
                place = inner.get("chat") if kind != "callback_query" else None
                who = place or inner.get("from") or inner.get("user")
                return str(_integer(who, "id")) if isinstance(who, dict) else None
    except Unreadable:
        return None
    return None


# --- messages --------------------------------------------------------------------------------------


def _message(message: Json, username: str | None) -> Incoming | Ignored:
    return _not_for_us(message) or _said(message, username, edited=False)


def _edited_message(message: Json, username: str | None) -> Incoming | Ignored:
    ignored = _not_for_us(message)
    if ignored is None and "location" in message and "venue" not in message:
        ignored = Ignored(Ignore.LIVE_EDIT)
    return ignored or _said(message, username, edited=True)


def _not_for_us(message: Json) -> Ignored | None:
    """Why this message is not one person's, written to us in private; None when it is."""
    chat_id, private = _chat(message)
    if "migrate_to_chat_id" in message or "migrate_from_chat_id" in message:
        return Ignored(Ignore.MIGRATED)
    if any(field in message for field in _BUSINESS):
        return Ignored(Ignore.BUSINESS)
    if not private:
        return _in_company(message, chat_id)
    sender = _person(message)
    if sender is None or sender != chat_id or "sender_chat" in message:
        return Ignored(Ignore.NOT_A_PERSON)
    if "via_bot" in message:
        return Ignored(Ignore.INLINE)
    if "message_auto_delete_timer_changed" in message:
        return Ignored(Ignore.AUTO_DELETE)
    return None if _SERVICE.isdisjoint(message) else Ignored(Ignore.SERVICE)


def _in_company(message: Json, chat_id: int) -> Ignored:
    """A channel cannot be written from; a group is left, whoever wrote there and whatever it was."""
    if message["chat"]["type"] == "channel":
        return Ignored(Ignore.CHANNEL_POST)
    if message.get("is_automatic_forward") is True:
        return Ignored(Ignore.CHANNEL_POST, str(chat_id))
    person = "sender_chat" not in message and ("from" not in message or _person(message) is not None)
    return Ignored(Ignore.GROUP if person else Ignore.NOT_A_PERSON, str(chat_id))


def _said(message: Json, username: str | None, *, edited: bool) -> Incoming | Ignored:
    """What one person wrote or sent to us in private."""
    chat_id, _ = _chat(message)
    common: Json = {
        "channel": ChannelName.TELEGRAM,
        "sender": str(chat_id),
        "written_at": _moment(message, "edit_date" if edited and "edit_date" in message else "date"),
        "message": f"{chat_id}:{_integer(message, 'message_id')}",
        "reply_to": _reply(message, chat_id),
        "thread": _thread(message),
        "forwarded": any(field in message for field in _FORWARDED),
    }
    what = _unsendable(message)
    if what is not None:
        album = _string(message, "media_group_id") if "media_group_id" in message else None
        return Incoming(kind=Kind.UNSENDABLE, unsendable=what, album=album, **common)
    text = _string(message, "text")
    if edited:
        return Incoming(kind=Kind.EDIT, text=text, **common)
    command = None if common["forwarded"] else _COMMAND.fullmatch(text)
    if command is None:
        return Incoming(kind=Kind.TEXT, text=text, **common)
    name, addressed_to, argument = command.groups()
    if addressed_to is not None and addressed_to.lower() != (username or "").lower():
        return Ignored(Ignore.OTHER_BOT)
    said = argument if argument and _can_be_seen(argument) else ""
    return Incoming(kind=Kind.COMMAND, text=f"/{name.lower()} {said}".strip(), **common)


def _unsendable(message: Json) -> Unsendable | None:
    """What this is, when it is not words; None when it is."""
    for field, what in _UNSENDABLE.items():
        if field in message:
            if not isinstance(message[field], list if field in _LISTS else dict):
                _unreadable(field)
            return what
    if "text" not in message:
        return Unsendable.UNKNOWN  # a kind newer than this file
    return None if _can_be_seen(_string(message, "text")) else Unsendable.EMPTY


def _can_be_seen(text: str) -> bool:
    """Whether anything in it leaves a mark: not a blank, not zero-width, not a direction sign."""
    return any(not sign.isspace() and unicodedata.category(sign) != "Cf" for sign in text)


def _reply(message: Json, chat_id: int) -> str | None:
    """The message this answers. Telegram also names the notice that opened a topic: that is no answer."""
    if "reply_to_message" not in message:
        return None
    answered = _object(message, "reply_to_message")
    where = _integer(_object(answered, "chat"), "id") if "chat" in answered else chat_id
    return None if "forum_topic_created" in answered else f"{where}:{_integer(answered, 'message_id')}"


def _thread(message: Json) -> str | None:
    """The topic; `message_thread_id` alone may only mean a chain of replies."""
    return str(_integer(message, "message_thread_id")) if _flag(message, "is_topic_message") else None


# --- taps, and the bot being stopped or opened -----------------------------------------------------


def _tap(query: Json, _username: str | None) -> Incoming | Ignored:
    sender, number = _person(query), _string(query, "id")
    token = _string(query, "data") if "data" in query else ""
    if sender is None:
        return Ignored(Ignore.NOT_A_PERSON)
    if "inline_message_id" in query:
        return Ignored(Ignore.INLINE)
    message_id = thread = None
    if "message" in query:
        message = _object(query, "message")
        chat_id, private = _chat(message)
        if not private:
            channel = message["chat"]["type"] == "channel"
            return Ignored(Ignore.CHANNEL_POST) if channel else Ignored(Ignore.GROUP, str(chat_id))
        if chat_id != sender:
            return Ignored(Ignore.NOT_A_PERSON)
        message_id, thread = f"{chat_id}:{_integer(message, 'message_id')}", _thread(message)
    return Incoming(
        channel=ChannelName.TELEGRAM,
        sender=str(sender),
        kind=Kind.TAP,
        token=token,
        query=number,
        message=message_id,
        thread=thread,
    )


def _membership(change: Json, _username: str | None) -> Incoming | Ignored:
    chat_id, private = _chat(change)
    status = _string(_object(change, "new_chat_member"), "status")
    if not private:
        inside = status not in {"left", "kicked"}
        why = Ignore.CHANNEL_POST if change["chat"]["type"] == "channel" else Ignore.GROUP
        return Ignored(why, str(chat_id) if inside else None)
    sender = _person(change)
    if sender is None or sender != chat_id:
        return Ignored(Ignore.NOT_A_PERSON)
    kind = {"kicked": Kind.BLOCKED, "member": Kind.UNBLOCKED}.get(status)
    if kind is None:
        return Ignored(Ignore.SERVICE)
    return Incoming(ChannelName.TELEGRAM, str(sender), kind, written_at=_moment(change, "date"))


# The kinds of update we ask for (`allowed_updates`), each with what reads it.
_READERS = {
    "message": _message,
    "edited_message": _edited_message,
    "callback_query": _tap,
    "my_chat_member": _membership,
}
WANTED = tuple(_READERS)


# --- fields ----------------------------------------------------------------------------------------


def _unreadable(where: str) -> NoReturn:
    """Refuse, naming a field of ours; `from None` keeps a parser's copy of the words out of tracebacks."""
    raise Unreadable(where) from None


def _parse(raw: bytes) -> Json:
    """Strict JSON (RFC 8259, no repeated name, no NaN) in strict UTF-8, nested no deeper than is sane."""
    if len(raw) > _MAX_BYTES:
        _unreadable("size")
    if raw.count(b"{") + raw.count(b"[") > _MAX_DEPTH:
        _refuse_depth(raw)
    try:
        found = json.loads(raw.decode(), object_pairs_hook=_no_repeats, parse_constant=_no_constant)
    except ValueError:  # also UnicodeDecodeError, and numbers of 5,000 digits
        _unreadable("JSON")
    if not isinstance(found, dict):
        _unreadable("update")
    return found


def _refuse_depth(raw: bytes) -> None:
    depth = 0
    for count, match in enumerate(_BRACKET.finditer(raw)):
        sign = match.group()
        depth += (sign in b"[{") - (sign in b"]}")
        if depth > _MAX_DEPTH or count > _MAX_BRACKETS:
            _unreadable("nesting")


def _no_repeats(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        _unreadable("repeated name")
    return found


def _no_constant(_name: str) -> NoReturn:
    _unreadable("number")


def _object(data: Json, field: str) -> Json:
    value = data.get(field)
    if not isinstance(value, dict):
        _unreadable(field)
    return value


def _string(data: Json, field: str) -> str:
    value = data.get(field)
    if not isinstance(value, str):
        _unreadable(field)
    return value


def _integer(data: Json, field: str) -> int:
    """A whole number of 64 bits; True is not 1."""
    value = data.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        _unreadable(field)
    return value


def _flag(data: Json, field: str) -> bool:
    value = data.get(field, False)
    if not isinstance(value, bool):
        _unreadable(field)
    return value


def _chat(data: Json) -> tuple[int, bool]:
    """The chat's id, and whether it is private."""
    chat = _object(data, "chat")
    kind = _string(chat, "type")
    if kind not in {"private", "group", "supergroup", "channel"}:
        _unreadable("type")
    return _integer(chat, "id"), kind == "private"


def _person(data: Json) -> int | None:
    """The id of who did this; None for a bot or a stand-in."""
    sender = _object(data, "from")
    who = _integer(sender, "id")
    return None if _flag(sender, "is_bot") or who in _STAND_INS else who


def _moment(data: Json, field: str) -> datetime | None:
    """When, by Telegram's clock. 1970 and 2100 are believed (our own clock rules); year 70,000 is not."""
    if field not in data:
        return None
    try:
        return datetime.fromtimestamp(_integer(data, field), UTC)
    except (ValueError, OverflowError, OSError):
        return None
