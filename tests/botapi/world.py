"""All that the stand-in knows, behind one lock: the bot, the people, their chats, the updates.

Rules kept here:
- Everything is read and changed while `lock` is held; whoever changes something a test may wait for says so
  with `lock.notify_all()` (`changed`). Nothing here blocks or touches the network.
- Time is the machine's plus what the test added (`skew`), or stands still (`stopped`): a day passes in no time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.botapi.calls import CallLog, JsonObject
from tests.botapi.chats import Chat, Message, Notification, message_json
from tests.botapi.limits import Limits
from tests.botapi.updates import UpdateQueue


@dataclass
class PersonRecord:
    """A person's account, and how they stand to the bot."""

    user_id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = "en"
    started: bool = False
    blocked: bool = False
    deactivated: bool = False

    @property
    def names(self) -> JsonObject:
        named = {"first_name": self.first_name, "last_name": self.last_name, "username": self.username}
        return {name: value for name, value in named.items() if value}

    def as_json(self) -> JsonObject:
        return {"id": self.user_id, "is_bot": False} | self.names | {"language_code": self.language_code}


@dataclass
class CallbackQuery:
    """One tap, and how it was answered."""

    query_id: str
    user_id: int
    asked_at: float
    answer: JsonObject | None = None


@dataclass
class BotAccount:
    """The bot itself."""

    user_id: int
    username: str = "LanyardTestBot"
    first_name: str = "Lanyard"
    topics_enabled: bool = False
    commands: list[JsonObject] = field(default_factory=list)

    def as_json(self) -> JsonObject:
        return {
            "id": self.user_id,
            "is_bot": True,
            "first_name": self.first_name,
            "username": self.username,
        }

    def as_full_json(self) -> JsonObject:
        """What getMe tells (telegram-bot-api `Client.cpp`, JsonUser with full_bot_info)."""
        return self.as_json() | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": self.topics_enabled,
            "allows_users_to_create_topics": False,
        }


class World:
    """The state of the stand-in."""

    def __init__(self, bot_id: int, ring: Callable[[], None]) -> None:
        self.lock = threading.Condition(threading.RLock())
        self.skew = 0.0
        self.stopped: float | None = None
        self.bot = BotAccount(bot_id)
        self.people: dict[int, PersonRecord] = {}
        self.chats: dict[int, Chat] = {}
        self.callbacks: dict[str, CallbackQuery] = {}
        self.callback_lifetime = 60.0
        self.private_topics_close = False
        self.limits: Limits | None = None
        self.log = CallLog(self.now)
        self.updates = UpdateQueue(self.now, ring)
        self._message_ids = count(1)
        self._own_ids: dict[int, count[int]] = {}
        self._numbers = count(1)

    def now(self) -> float:
        return (time.time() if self.stopped is None else self.stopped) + self.skew

    @property
    def date(self) -> int:
        return int(self.now())

    def number(self) -> int:
        """Give a number never given before, for query ids, file ids and the like."""
        return next(self._numbers)

    def message_id(self, chat: Chat) -> int:
        if chat.kind in {"supergroup", "channel"}:
            return next(self._own_ids.setdefault(chat.chat_id, count(1)))
        return next(self._message_ids)

    def chat_with(self, person: PersonRecord) -> Chat:
        """Give the private chat with this person, begun now if need be."""
        chat = self.chats.setdefault(person.user_id, Chat(person.user_id, "private"))
        chat.person = person.names
        return chat

    def show(self, chat: Chat, message: Message) -> Message:
        """Put a message into a chat, new or changed."""
        new = message.message_id not in chat.messages
        chat.messages[message.message_id] = message
        if new and message.from_bot:
            lit = Notification(message.message_id, message.text, self.now(), message.silent, message.thread)
            chat.notifications.append(lit)
        self.lock.notify_all()
        return message

    def tell(self, kind: str, chat: Chat, message: Message) -> int | None:
        """Queue an update about a message."""
        return self.updates.add(kind, message_json(chat, message), chat.chat_id)

    def until(self, true: Callable[[], Any], timeout: float) -> bool:
        """Wait until something is true. Called by tests, never by the server's own thread."""
        with self.lock:
            return bool(self.lock.wait_for(true, timeout))
