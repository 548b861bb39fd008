"""What the Bot API allows a bot to say, and in which words it refuses. Pure: no chat, no clock.

Each wording is the real server's: telegram-bot-api `Client.cpp` (fail_query_with_error sets the prefix and the
first letter), TDLib `MessageEntity.cpp` (cleaning and trimming), `MessagesManager.cpp`, `MessageContent.cpp`.
Stricter than real on purpose: the limit of 4096 (PTB `MessageLimit.MAX_TEXT_LENGTH`) counts UTF-16 code units
after the marks are read, where TDLib counts code points.
"""

from __future__ import annotations

import json
from typing import Any

from tests.botapi.calls import Arguments, JsonObject
from tests.botapi.html_marks import parse_html
from tests.botapi.markdown_marks import parse_markdown
from tests.botapi.marks import CannotParse, Marked, clean, utf16_length

MAX_TEXT = 4096
MAX_TEXT_BYTES = 1 << 15

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)
OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"


class Refusal(Exception):
    """The Bot API refuses this call."""

    def __init__(self, code: int, description: str, parameters: JsonObject | None = None) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.parameters = parameters or {}

    def body(self) -> JsonObject:
        said: JsonObject = {"ok": False, "error_code": self.code, "description": self.description}
        return said | ({"parameters": self.parameters} if self.parameters else {})


def _sentence(prefix: str, message: str) -> str:
    """Prefix a message as the real server does: its first letter lowered, unless it is a CODE_IN_CAPITALS."""
    capitals = len(message) >= 2 and (message[1] == "_" or "A" <= message[1] <= "Z")
    return f"{prefix}: {message if capitals else message[0].lower() + message[1:]}"


def bad_request(message: str, **parameters: Any) -> Refusal:
    return Refusal(400, _sentence("Bad Request", message), parameters)


def forbidden(message: str) -> Refusal:
    return Refusal(403, _sentence("Forbidden", message))


def conflict(message: str) -> Refusal:
    return Refusal(409, f"Conflict: {message}")


def too_many(retry_after: int) -> Refusal:
    return Refusal(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})


def check_text(arguments: Arguments, *, editing: bool) -> Marked:
    """Read the text of a message as people will see it, or refuse it.

    The real server lets a too long edit through to its core, which answers in its own capitals.
    """
    raw = arguments.text("text")
    if not raw:
        raise bad_request("Message text is empty")
    try:
        if len(raw.encode()) > MAX_TEXT_BYTES:
            raise bad_request("Text is too long")
    except UnicodeEncodeError:
        raise bad_request("Strings must be encoded in UTF-8") from None
    seen = clean(_marked(raw, arguments))
    if seen is None:
        raise bad_request("Text must be non-empty")
    if utf16_length(seen.text) > MAX_TEXT:
        raise bad_request("MESSAGE_TOO_LONG" if editing else "Message is too long")
    return seen


def _marked(raw: str, arguments: Arguments) -> Marked:
    """Read the marks out of a text, by its parse_mode or its list of entities."""
    mode = arguments.text("parse_mode").lower()
    try:
        if mode == "html":
            return parse_html(raw)
        if mode == "markdownv2":
            return parse_markdown(raw)
    except CannotParse as why:
        raise bad_request(f"Can't parse entities: {why}") from None
    if mode and mode != "none":
        raise bad_request("Unsupported parse_mode")
    return Marked(raw, _listed(arguments.text("entities")))


def _listed(entities: str) -> tuple[JsonObject, ...]:
    """Read the argument `entities`; like the real server, what is no array counts as none."""
    try:
        given = json.loads(entities or "[]")
    except ValueError:
        return ()
    listed = given if isinstance(given, list) else []
    for entity in listed:
        if not isinstance(entity, dict):
            raise bad_request("Can't parse MessageEntity: expected an Object")
        for name in ("offset", "length", "type"):
            if name not in entity:
                raise bad_request(f"Can't parse MessageEntity: Can't find field \"{name}\"")
    return tuple(listed)


def check_commands(commands: str) -> list[JsonObject]:
    """Read setMyCommands' list: 1-32 characters, described in 1-256 (TDLib `BotCommand.cpp`)."""
    try:
        given = json.loads(commands or "[]")
    except ValueError:
        raise bad_request("Can't parse commands JSON object") from None
    if not isinstance(given, list):
        raise bad_request("Expected an Array of BotCommand")
    for command in given:
        name = str(command.get("command", "")).strip().removeprefix("/") if isinstance(command, dict) else ""
        described = str(command.get("description", "")).strip() if isinstance(command, dict) else ""
        if not name:
            raise bad_request("Command must be non-empty")
        if len(name) > 32:
            raise bad_request("Command length must not exceed 32")
        if not described:
            raise bad_request("Command description must be non-empty")
        if len(described) > 256:
            raise bad_request("Command description length must not exceed 256")
    return given
