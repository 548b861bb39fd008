"""What the Bot API allows under a message. Pure.

telegram-bot-api `Client.cpp` (get_reply_markup, get_inline_keyboard_button_type: which field decides what a
button is) and TDLib `ReplyMarkup.cpp`: a button without a label is quietly left out, a row ends after 12, the
keyboard after 300. callback_data is 1-64 bytes (PTB `InlineKeyboardButtonLimit`); that check is made by
Telegram's core, so its answer is in capitals.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tests.botapi.calls import JsonObject
from tests.botapi.links import BadLink, check_link
from tests.botapi.rules import bad_request

MAX_DATA_BYTES = 64
MAX_IN_ROW = 12
MAX_BUTTONS = 300
_OTHER_KINDS = (
    "callback_game", "pay", "switch_inline_query", "switch_inline_query_chosen_chat",
    "switch_inline_query_current_chat", "login_url", "web_app", "copy_text",
)  # fmt: skip


@dataclass(frozen=True)
class Button:
    """One button under a message, as a person sees it."""

    label: str
    data: str | None = None
    url: str | None = None
    web_app: str | None = None

    def as_json(self) -> JsonObject:
        said: JsonObject = {"text": self.label}
        if self.data is not None:
            said["callback_data"] = self.data
        if self.url is not None:
            said["url"] = self.url
        if self.web_app is not None:
            said["web_app"] = {"url": self.web_app}
        return said


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True)
class Markup:
    """What stands under a message (`rows`), or in place of the person's keyboard (`keyboard`)."""

    rows: Rows = ()
    keyboard: tuple[str, ...] | None = None


def read_markup(given: str, *, only_inline: bool, in_private: bool) -> Markup:
    """Read the argument reply_markup, or refuse it."""
    if not given:
        return Markup()
    try:
        markup = json.loads(given)
    except ValueError:
        raise bad_request("Can't parse reply keyboard markup JSON object") from None
    if not isinstance(markup, dict):
        raise bad_request("Object expected as reply markup")
    keyboard = _labels(markup)
    if keyboard is None:
        return Markup(_rows(markup.get("inline_keyboard", []), in_private=in_private))
    if only_inline:
        raise bad_request("Inline keyboard expected")
    return Markup(keyboard=keyboard)


def _labels(markup: JsonObject) -> tuple[str, ...] | None:
    """Read a keyboard that replaces the person's own; () removes it; None when this is about buttons."""
    if markup.get("keyboard"):
        buttons = [button for row in markup["keyboard"] for button in row]
        return tuple(button if isinstance(button, str) else str(button.get("text", "")) for button in buttons)
    if markup.get("inline_keyboard"):
        return None
    return () if markup.get("remove_keyboard") or markup.get("force_reply") else None


def _rows(given: Any, *, in_private: bool) -> Rows:
    if not isinstance(given, list) or not all(isinstance(row, list) for row in given):
        raise bad_request('Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    left = MAX_BUTTONS
    rows: list[tuple[Button, ...]] = []
    for row in given:
        read = (_button(button, in_private=in_private) for button in row)
        buttons = tuple(islice((button for button in read if button), min(MAX_IN_ROW, left)))
        left -= len(buttons)
        if buttons:
            rows.append(buttons)
    return tuple(rows)


def _button(given: Any, *, in_private: bool) -> Button | None:
    wrong = "Can't parse inline keyboard button"
    if not isinstance(given, dict):
        raise bad_request(f"{wrong}: InlineKeyboardButton must be an Object")
    if "text" not in given:
        raise bad_request(f'{wrong}: Can\'t find field "text"')
    label = str(given["text"])
    data = str(given.get("callback_data") or "")
    if not given.get("url") and not data and not any(kind in given for kind in _OTHER_KINDS):
        raise bad_request(f"{wrong}: Text buttons are unallowed in the inline keyboard")
    if not label:
        return None
    try:
        return _of_kind(label, data, given, in_private=in_private)
    except BadLink as why:
        raise bad_request(f"Inline keyboard button {why}") from None


def _of_kind(label: str, data: str, given: JsonObject, *, in_private: bool) -> Button:
    if given.get("url"):
        return Button(label, url=check_link(str(given["url"])))
    if data:
        if len(data.encode("utf-8", "surrogatepass")) > MAX_DATA_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
        return Button(label, data=data)
    if "web_app" in given:
        if not in_private:
            raise bad_request("BUTTON_TYPE_INVALID")
        try:
            return Button(label, web_app=check_link(str(given["web_app"].get("url", "")), https_only=True))
        except BadLink as why:
            raise BadLink(f"Web App {why}") from None
    return Button(label)
