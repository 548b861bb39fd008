"""What people send besides text, as the Bot API tells it (core.telegram.org/bots/api, the types of Message).

Every kind here parses with `telegram.Update.de_json`; a test proves it. Fields given by the test replace or add.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.botapi.calls import JsonObject


def _file(name: str, number: int, **more: object) -> JsonObject:
    return {"file_id": f"{name}-{number}", "file_unique_id": f"u-{name}-{number}", "file_size": 4096} | more


def _video_like(name: str, number: int) -> JsonObject:
    return _file(name, number, width=640, height=480, duration=3, mime_type="video/mp4")


def _photo(number: int) -> list[JsonObject]:
    return [
        _file("photo-s", number, width=90, height=67),
        _file("photo-m", number, width=800, height=600),
    ]


def _place(latitude: float = 51.5007, longitude: float = -0.1246) -> JsonObject:
    return {"latitude": latitude, "longitude": longitude}


def _poll(number: int, kind: str) -> JsonObject:
    options = [{"text": text, "voter_count": 0, "persistent_id": text} for text in ("yes", "no")]
    poll: JsonObject = {"id": str(number), "question": "Who is on duty?", "options": options}
    poll |= {"total_voter_count": 0, "is_closed": False, "is_anonymous": True, "type": kind}
    return poll | {"allows_multiple_answers": False, "allows_revoting": False, "members_only": False}


def _sticker(number: int) -> JsonObject:
    size = {"width": 512, "height": 512, "is_animated": False, "is_video": False}
    return _file("sticker", number, type="regular", emoji="👍", set_name="plain", **size)


def _somewhere() -> JsonObject:
    return {"id": -1009000000001, "title": "Somewhere", "type": "channel", "username": "somewhere"}


def _invoice() -> JsonObject:
    return {
        "title": "A thing", "description": "For money", "start_parameter": "", "currency": "GBP",
        "total_amount": 100,
    }  # fmt: skip


def _game(number: int) -> JsonObject:
    return {"title": "A game", "description": "Play", "photo": _photo(number)}


def _paid(number: int) -> JsonObject:
    return {"star_count": 1, "paid_media": [{"type": "photo", "photo": _photo(number)}]}


def _giveaway(date: int) -> JsonObject:
    return {"chats": [_somewhere()], "winners_selection_date": date + 86400, "winner_count": 1}


def _checklist() -> JsonObject:
    return {"title": "To do", "tasks": [{"id": 1, "text": "First"}]}


def _contact(number: int) -> JsonObject:
    return {"phone_number": f"+4479460{number:05d}", "first_name": "Somebody"}


# By kind: the message's own fields. The two numbers are a fresh one, and the date.
_KINDS: dict[str, Callable[[int, int], JsonObject]] = {
    "photo": lambda n, _: {"photo": _photo(n)},
    "voice": lambda n, _: {"voice": _file("voice", n, duration=4, mime_type="audio/ogg")},
    "audio": lambda n, _: {"audio": _file("audio", n, duration=4, mime_type="audio/mpeg")},
    "video": lambda n, _: {"video": _video_like("video", n)},
    "video_note": lambda n, _: {"video_note": _file("note", n, length=240, duration=3)},
    "document": lambda n, _: {"document": _file("file", n, file_name="notes.pdf", mime_type="application/pdf")},
    "sticker": lambda n, _: {"sticker": _sticker(n)},
    "animation": lambda n, _: {
        "animation": _video_like("gif", n),
        "document": _file("gif", n, file_name="wave.mp4", mime_type="video/mp4"),
    },
    "dice": lambda n, _: {"dice": {"emoji": "🎲", "value": n % 6 + 1}},
    "game": lambda n, _: {"game": _game(n)},
    "location": lambda _, __: {"location": _place()},
    "live_location": lambda _, __: {"location": _place() | {"live_period": 900, "heading": 90}},
    "venue": lambda _, __: {
        "venue": {"location": _place(), "title": "Station", "address": "1 High Street"},
        "location": _place(),
    },
    "contact": lambda n, _: {"contact": _contact(n)},
    "poll": lambda n, _: {"poll": _poll(n, "regular")},
    "quiz": lambda n, _: {"poll": _poll(n, "quiz") | {"correct_option_ids": [0]}},
    "story": lambda n, _: {"story": {"chat": _somewhere(), "id": n}},
    "invoice": lambda _, __: {"invoice": _invoice()},
    "paid_media": lambda n, _: {"paid_media": _paid(n)},
    "giveaway": lambda _, date: {"giveaway": _giveaway(date)},
    "checklist": lambda _, __: {"checklist": _checklist()},
    "auto_delete_timer": lambda _, __: {
        "message_auto_delete_timer_changed": {"message_auto_delete_time": 86400}
    },
    "pinned": lambda n, date: {
        "pinned_message": {"message_id": n, "date": date, "chat": _somewhere(), "text": "a pinned message"}
    },
    "unknown": lambda _, __: {"something_of_the_future": {"shape": "not known yet"}},
}  # fmt: skip
KINDS = tuple(_KINDS)

# What a test may say directly, and which object of the message it belongs to.
_INSIDE = {
    "document": ("file_name", "mime_type", "file_size"),
    "voice": ("duration", "file_size"),
    "video": ("duration", "file_size", "file_name"),
    "dice": ("value", "emoji"),
    "contact": ("phone_number", "first_name", "last_name", "user_id"),
    "location": ("latitude", "longitude"),
    "poll": ("question",),
}


def content(kind: str, number: int, date: int, fields: JsonObject) -> JsonObject:
    """Give a message's fields of this kind, with the test's own put in their place."""
    said = _KINDS[kind](number, date)
    name = "location" if kind == "live_location" else kind
    inside = {field: value for field, value in fields.items() if field in _INSIDE.get(name, ())}
    if inside:
        said[name] = said[name] | inside
    return said | {field: value for field, value in fields.items() if field not in inside}
