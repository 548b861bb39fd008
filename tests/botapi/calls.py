"""One call to the Bot API: what it said, and the log of all that was ever said.

Rules kept here:
- Arguments are read as the real server reads them: everything is text, and nested values are JSON in text
  (telegram-bot-api `Client.cpp`: get_integer_arg clamps, to_bool knows "true", "yes" and "1").
- The log keeps everything but the bot's token: a canary that reached us in any corner of a call is found.
- A call is in the log from the moment it arrives; what came of it is filled in when it is answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call, by name."""

    values: Mapping[str, str]

    def text(self, name: str) -> str:
        return self.values.get(name, "")

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"true", "yes", "1"}

    def integer(self, name: str, default: int = 0, low: int | None = None, high: int | None = None) -> int:
        """Read a number, pulled into range; what is no number counts as the default."""
        try:
            number = int(self.text(name))
        except ValueError:
            return default
        if low is not None:
            number = max(low, number)
        return number if high is None else min(high, number)

    @property
    def chat(self) -> int | None:
        """The chat that the call is about, for faults and the log."""
        try:
            return int(self.text("chat_id"))
        except ValueError:
            return None

    def unfolded(self) -> JsonObject:
        """Give every argument with nested JSON opened, so that no escaping hides a word."""
        return {name: _unfold(value) for name, value in self.values.items()}


def _unfold(value: str) -> Any:
    """Open nested JSON; plain text, and numbers as the wire has them, stay text."""
    if not value.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


@dataclass(frozen=True)
class Answered:
    """What a method gives back. The real server adds a description to some answers."""

    result: Any
    description: str = ""


@dataclass(frozen=True)
class Call:
    """One call as it was made, and what came of it."""

    number: int
    method: str
    params: JsonObject
    at: float
    chat_id: int | None = None
    status: int | None = None
    """HTTP status that was answered; None while open, and for ever when no answer was given."""
    outcome: str = "open"
    """"ok", the error's description, "dropped", "unanswered" or "open"."""
    applied: bool = False
    fault: str | None = None
    result: Any = None

    def mentions(self, words: str) -> bool:
        """Whether these words stand anywhere in the call, however deep."""
        return any(words in text for text in _texts(self.params))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    else:
        yield str(value)


@dataclass
class CallLog:
    """Every call, in the order of arrival. Its owner holds the lock."""

    now: Callable[[], float]
    calls: list[Call] = field(default_factory=list)

    def begin(self, method: str, arguments: Arguments) -> int:
        number = len(self.calls)
        self.calls.append(Call(number, method, arguments.unfolded(), self.now(), arguments.chat))
        return number

    def end(self, number: int, **came_of_it: Any) -> None:
        self.calls[number] = replace(self.calls[number], **came_of_it)

    def of(self, method: str | None, chat_id: int | None) -> list[Call]:
        return [
            call
            for call in self.calls
            if (method is None or call.method.lower() == method.lower())
            and (chat_id is None or call.chat_id == chat_id)
        ]
