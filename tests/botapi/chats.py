"""What people see: their messages as they stand now, and what their lock screen showed.

Rules kept here:
- A message is what a person would see at this moment: edited in place, gone when deleted.
- The lock screen keeps the first text of each message the bot sent, for ever: what has lit up cannot be unread.
  A silent message counts too: it makes no sound, but it is shown.
- Private chats share one run of message ids, as a bot's private chats do; a supergroup has its own.
- Messages are frozen; a snapshot handed to a test never changes under it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tests.botapi.buttons import Button, Rows
from tests.botapi.calls import JsonObject

ChatKind = Literal["private", "group", "supergroup", "channel"]


@dataclass(frozen=True)
class Message:
    """One visible message."""

    chat_id: int
    message_id: int
    from_bot: bool
    text: str
    """The text, or a picture's or file's caption."""
    date: int
    kind: str = "text"
    sender: JsonObject = field(default_factory=dict)
    entities: tuple[JsonObject, ...] = ()
    rows: Rows = ()
    keyboard: tuple[str, ...] | None = None
    thread: int | None = None
    reply_to: int | None = None
    edit_date: int | None = None
    edited: bool = False
    """Shown as edited: its text is no longer the first one. New buttons alone do not show."""
    silent: bool = False
    content: JsonObject = field(default_factory=dict)
    """Fields of the Bot API's Message besides the text: photo, voice, location, forward_origin …"""

    @property
    def buttons(self) -> tuple[Button, ...]:
        return tuple(button for row in self.rows for button in row)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(button.label for button in self.buttons)


@dataclass(frozen=True)
class Notification:
    """What a lock screen showed when a message arrived."""

    message_id: int
    text: str
    at: float
    silent: bool = False
    thread: int | None = None


@dataclass
class Topic:
    """One topic of a chat. Its id is the id of the message that says it was created."""

    thread: int
    name: str
    icon_color: int
    date: int
    closed: bool = False


@dataclass
class Chat:
    """One chat and its messages. Its owner holds the lock."""

    chat_id: int
    kind: ChatKind
    title: str = ""
    person: JsonObject = field(default_factory=dict)
    """For a private chat: the person's first_name, last_name and username."""
    messages: dict[int, Message] = field(default_factory=dict)
    notifications: list[Notification] = field(default_factory=list)
    topics: dict[int, Topic] = field(default_factory=dict)
    bot_is_member: bool = True
    migrated_to: int | None = None

    @property
    def visible(self) -> list[Message]:
        return [self.messages[number] for number in sorted(self.messages)]

    def last_with_button(self, label: str) -> Message | None:
        """Find the newest message with this button: the one a person would tap."""
        return next((message for message in reversed(self.visible) if label in message.labels), None)

    def as_json(self) -> JsonObject:
        if self.kind == "private":
            return {"id": self.chat_id} | self.person | {"type": "private"}
        return {"id": self.chat_id, "title": self.title, "type": self.kind}


def message_json(chat: Chat, message: Message) -> JsonObject:
    """Give a message as the Bot API tells it (telegram-bot-api `Client.cpp`, JsonMessage::store)."""
    said = _head(chat, message)
    answered = chat.messages.get(message.reply_to or 0)
    topic = chat.topics.get(message.thread or 0)
    if answered is not None:
        said["reply_to_message"] = _head(chat, answered) | _words(answered)
    elif topic is not None:
        # Every message of a topic answers, unless it answers another, the message that opened the topic.
        said["reply_to_message"] = topic_json(chat, topic)
    said |= _words(message)
    if message.rows:
        said["reply_markup"] = rows_json(message.rows)
    return said


def rows_json(rows: Rows) -> JsonObject:
    return {"inline_keyboard": [[button.as_json() for button in row] for row in rows]}


def topic_json(chat: Chat, topic: Topic) -> JsonObject:
    """Give the message that opened a topic."""
    created = {"name": topic.name, "icon_color": topic.icon_color}
    return {
        "message_id": topic.thread,
        "chat": chat.as_json(),
        "date": topic.date,
        "message_thread_id": topic.thread,
        "is_topic_message": True,
        "forum_topic_created": created,
    }


def _head(chat: Chat, message: Message) -> JsonObject:
    said: JsonObject = {"message_id": message.message_id}
    if message.sender:
        said["from"] = message.sender
    said |= {"chat": chat.as_json(), "date": message.date}
    if message.edit_date is not None:
        said["edit_date"] = message.edit_date
    if message.thread is not None:
        said |= {"message_thread_id": message.thread, "is_topic_message": True}
    return said


def _words(message: Message) -> JsonObject:
    said = dict(message.content)
    of_text = message.kind == "text"
    if message.text or of_text:
        said["text" if of_text else "caption"] = message.text
    if message.entities:
        said["entities" if of_text else "caption_entities"] = list(message.entities)
    return said
