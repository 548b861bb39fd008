"""What a person does in Telegram, and what they see.

Rules kept here:
- A tap goes to what the person sees: `tap("Accept")` takes the newest message that shows such a button and fails
  when none does. With a message in hand the button is taken from it as it was when handed out: an app that has not
  yet heard of an edit. `tap_raw` sends any bytes at all.
- What people delete for themselves vanishes without an update, as in Telegram.
- `sees` and `wait_for` look at what the bot said, not at what the person wrote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from tests.botapi import media
from tests.botapi.buttons import Button
from tests.botapi.calls import JsonObject
from tests.botapi.chats import Chat, Message, Notification, message_json
from tests.botapi.marks import utf16_length
from tests.botapi.world import CallbackQuery, PersonRecord, World

PATIENCE = 5.0
_COMMAND = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,32}(?:@\w+)?")


@dataclass(frozen=True)
class Tap:
    """One tap on a button."""

    query_id: str
    data: str
    update_id: int | None
    _world: World

    @property
    def answer(self) -> JsonObject | None:
        """How the bot answered ({"text", "show_alert"}); None: not yet."""
        with self._world.lock:
            return self._world.callbacks[self.query_id].answer

    def wait_for_answer(self, timeout: float = PATIENCE) -> JsonObject:
        if not self._world.until(lambda: self.answer is not None, timeout):
            raise AssertionError(f"the tap on {self.data!r} was not answered within {timeout} s")
        return self.answer or {}


class Person:
    """A person with a Telegram account."""

    def __init__(self, world: World, record: PersonRecord) -> None:
        self._world = world
        self._record = record
        self.user_id = record.user_id
        self.first_name = record.first_name

    # --- what they see ----------------------------------------------------------------------------

    @property
    def _chat(self) -> Chat:
        return self._world.chat_with(self._record)

    @property
    def chat(self) -> list[Message]:
        """Every message that is visible now, oldest first."""
        with self._world.lock:
            return self._chat.visible

    @property
    def from_bot(self) -> list[Message]:
        return [message for message in self.chat if message.from_bot]

    @property
    def notifications(self) -> list[Notification]:
        """What the lock screen has shown, ever."""
        with self._world.lock:
            return list(self._chat.notifications)

    @property
    def lock_screen(self) -> list[str]:
        return [lit.text for lit in self.notifications]

    @property
    def buttons(self) -> tuple[Button, ...]:
        """The buttons under the bot's last message."""
        said = self.from_bot
        return said[-1].buttons if said else ()

    @property
    def topics(self) -> dict[int, str]:
        """The names of the chat's topics, by thread."""
        with self._world.lock:
            return {topic.thread: topic.name for topic in self._chat.topics.values()}

    def sees(self, words: str) -> bool:
        return any(words in message.text for message in self.from_bot)

    def wait_for(self, words: str, timeout: float = PATIENCE) -> Message:
        """Wait until the bot says this; give the newest message that does."""
        if not self._world.until(lambda: self.sees(words), timeout):
            seen = "\n".join(f"  {message.text!r} {list(message.labels)}" for message in self.chat)
            raise AssertionError(f"{self.first_name} did not see {words!r} within {timeout} s, but:\n{seen}")
        return next(message for message in reversed(self.from_bot) if words in message.text)

    def message(self, message: Message | int) -> Message | None:
        """Give a message as it is now; None when it is gone."""
        with self._world.lock:
            return self._chat.messages.get(message if isinstance(message, int) else message.message_id)

    # --- what they do -----------------------------------------------------------------------------

    def start(self, payload: str = "") -> Message:
        """Press Start, from a link with this payload if any."""
        return self.write(f"/start {payload}".strip())

    def write(
        self, text: str, reply_to: Message | int | None = None, thread: int | None = None, **fields: Any
    ) -> Message:
        """Write a message. `fields`: more of the Bot API's Message, such as forward_origin or via_bot."""
        entities = tuple(
            {"type": "bot_command", "offset": utf16_length(text[: found.start()]), "length": len(found[0])}
            for found in _COMMAND.finditer(text)
        )
        return self._say("text", text, entities, reply_to, thread, fields)

    def send(
        self,
        kind: str,
        *,
        caption: str = "",
        reply_to: Message | int | None = None,
        thread: int | None = None,
        **fields: Any,
    ) -> Message:
        """Send something else (`media.KINDS`). `fields` such as file_name or latitude find their own place."""
        with self._world.lock:
            said = media.content(kind, self._world.number(), self._world.date, fields)
        return self._say(kind, caption, (), reply_to, thread, said)

    def album(self, count: int, caption: str = "", kind: str = "photo") -> list[Message]:
        """Send several at once: as many updates, one media_group_id, the caption on the first."""
        group = str(self._world.number())
        return [self.send(kind, caption=caption if place == 0 else "", media_group_id=group) for place in range(count)]

    def _say(
        self,
        kind: str,
        text: str,
        entities: tuple[JsonObject, ...],
        reply_to: Message | int | None,
        thread: int | None,
        content: JsonObject,
    ) -> Message:
        with self._world.lock:
            if self._record.blocked:
                raise AssertionError("who has blocked the bot cannot write to it")
            self._record.started = True
            message = Message(
                chat_id=self.user_id,
                message_id=self._world.message_id(self._chat),
                from_bot=False,
                text=text,
                date=self._world.date,
                kind=kind,
                sender=self._record.as_json(),
                entities=entities,
                thread=thread,
                reply_to=reply_to.message_id if isinstance(reply_to, Message) else reply_to,
                content=content,
            )
            self._world.show(self._chat, message)
            self._world.tell("message", self._chat, message)
            return message

    def edit(self, message: Message, new_text: str) -> Message:
        """Change a message's text, or a picture's caption."""
        return self._change(message, text=new_text, entities=(), edited=True)

    def move(self, message: Message, latitude: float, longitude: float) -> Message:
        """Move a live location: Telegram tells it as an edit."""
        place = message.content["location"] | {"latitude": latitude, "longitude": longitude}
        return self._change(message, content=message.content | {"location": place})

    def _change(self, message: Message, **new: Any) -> Message:
        with self._world.lock:
            now = self._chat.messages[message.message_id]
            changed = replace(now, edit_date=self._world.date, **new)
            self._world.show(self._chat, changed)
            self._world.tell("edited_message", self._chat, changed)
            return changed

    def delete(self, message: Message) -> None:
        """Delete a message, on both sides. The bot hears nothing."""
        with self._world.lock:
            self._chat.messages.pop(message.message_id, None)
            self._world.lock.notify_all()

    def react(self, message: Message, emoji: str = "👍") -> None:
        """React to a message. The bot hears of it only if it asked by name."""
        with self._world.lock:
            reaction = {
                "chat": self._chat.as_json(),
                "message_id": message.message_id,
                "user": self._record.as_json(),
                "date": self._world.date,
                "old_reaction": [],
                "new_reaction": [{"type": "emoji", "emoji": emoji}],
            }
            self._world.updates.add("message_reaction", reaction, self.user_id)

    # --- buttons ----------------------------------------------------------------------------------

    def button(self, label: str) -> Button:
        """Find a button by its label: the newest one that is visible."""
        return self._shown(label)[1]

    def tap(self, message_or_label: Message | str, label: str | None = None) -> Tap:
        """Tap a button: tap("Accept"), or tap(message, "Accept")."""
        if isinstance(message_or_label, Message):
            message = message_or_label
            button = next((one for one in message.buttons if one.label == label), None)
            if button is None:
                raise AssertionError(f"no button {label!r} there, but {list(message.labels)}")
        else:
            message, button = self._shown(message_or_label)
        if button.data is None:
            raise AssertionError(f"the button {button.label!r} opens a link; it asks nothing of the bot")
        return self.tap_raw(button.data, message)

    def double_tap(self, message_or_label: Message | str, label: str | None = None) -> tuple[Tap, Tap]:
        """Tap twice in no time: two updates, two queries, one button."""
        with self._world.lock:
            return self.tap(message_or_label, label), self.tap(message_or_label, label)

    def tap_raw(self, data: str, message: Message | None = None) -> Tap:
        """Send any callback data, as a forged app can."""
        with self._world.lock:
            said = [one for one in self._chat.visible if one.from_bot]
            about = message or (said[-1] if said else None)
            query_id = str(4_000_000_000_000_000_000 + self._world.number())
            self._world.callbacks[query_id] = CallbackQuery(query_id, self.user_id, self._world.now())
            payload = {
                "id": query_id,
                "from": self._record.as_json(),
                "message": self._told(about),
                "chat_instance": str(-7_000_000_000_000_000_000 - self.user_id),
                "data": data,
            }
            update_id = self._world.updates.add("callback_query", payload, self.user_id)
            return Tap(query_id, data, update_id, self._world)

    def _told(self, message: Message | None) -> JsonObject:
        """Tell the tapped message: as it is now, or, when it is gone, that it is inaccessible."""
        number = message.message_id if message is not None else self._world.message_id(self._chat)
        now = self._chat.messages.get(number)
        if now is None:
            return {"chat": self._chat.as_json(), "message_id": number, "date": 0}
        return message_json(self._chat, now)

    def _shown(self, label: str) -> tuple[Message, Button]:
        with self._world.lock:
            message = self._chat.last_with_button(label)
            labels = [list(one.labels) for one in self._chat.visible if one.labels]
        if message is None:
            raise AssertionError(f"{self.first_name} sees no button {label!r}, but {labels}")
        return message, next(one for one in message.buttons if one.label == label)

    # --- how they stand to the bot ----------------------------------------------------------------

    def block(self) -> None:
        """Block the bot."""
        self._stand("member", "kicked", blocked=True)

    def unblock(self) -> None:
        """Let the bot write again."""
        self._stand("kicked", "member", blocked=False)

    def deactivate(self) -> None:
        """Delete the account. The bot hears nothing."""
        with self._world.lock:
            self._record.deactivated = True

    def _stand(self, old: str, new: str, *, blocked: bool) -> None:
        with self._world.lock:
            self._record.blocked = blocked
            bot = self._world.bot.as_json()
            told = {
                "chat": self._chat.as_json(),
                "from": self._record.as_json(),
                "date": self._world.date,
                "old_chat_member": membership(bot, old),
                "new_chat_member": membership(bot, new),
            }
            self._world.updates.add("my_chat_member", told, self.user_id)


def membership(user: JsonObject, status: str) -> JsonObject:
    """Give a ChatMember; a "kicked" one says until when (0: for ever)."""
    return {"user": user, "status": status} | ({"until_date": 0} if status == "kicked" else {})
