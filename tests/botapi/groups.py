"""Groups and channels: places where the bot must not be drawn into talk.

The ids of Telegram's own accounts are those of PTB `telegram.constants` (ChatID.ANONYMOUS_ADMIN, FAKE_CHANNEL,
SERVICE_CHAT).
"""

from __future__ import annotations

from typing import Any

from tests.botapi.calls import JsonObject
from tests.botapi.chats import Chat, Message
from tests.botapi.people import Person, membership
from tests.botapi.world import World

ANONYMOUS_ADMIN = {
    "id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot",
}  # fmt: skip
FAKE_CHANNEL = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
SERVICE_CHAT = {"id": 777000, "is_bot": False, "first_name": "Telegram"}


class Group:
    """A group, supergroup or channel."""

    def __init__(self, world: World, chat: Chat) -> None:
        self._world = world
        self._chat = chat
        self.chat_id = chat.chat_id

    @property
    def messages(self) -> list[Message]:
        with self._world.lock:
            return self._chat.visible

    @property
    def from_bot(self) -> list[Message]:
        return [message for message in self.messages if message.from_bot]

    @property
    def bot_is_member(self) -> bool:
        with self._world.lock:
            return self._chat.bot_is_member

    def add_bot(self, by: Person) -> None:
        """Somebody adds the bot: its membership changes, and the group says so."""
        with self._world.lock:
            self._chat.bot_is_member = True
            bot, who = self._world.bot.as_json(), self._world.people[by.user_id].as_json()
            changed: JsonObject = {"chat": self._chat.as_json(), "from": who, "date": self._world.date}
            changed |= {"old_chat_member": membership(bot, "left"), "new_chat_member": membership(bot, "member")}
            self._world.updates.add("my_chat_member", changed, self.chat_id)
            self._say(who, "", "new_chat_members", {"new_chat_members": [bot]})

    def write(self, person: Person, text: str, **fields: Any) -> Message:
        """A member writes."""
        with self._world.lock:
            return self._say(self._world.people[person.user_id].as_json(), text, "text", fields)

    def write_as_anonymous_admin(self, text: str) -> Message:
        with self._world.lock:
            return self._say(ANONYMOUS_ADMIN, text, "text", {"sender_chat": self._chat.as_json()})

    def write_as_channel(self, channel: Group, text: str) -> Message:
        """Somebody writes in the name of a channel."""
        with self._world.lock:
            return self._say(FAKE_CHANNEL, text, "text", {"sender_chat": channel._chat.as_json()})

    def forward_from_linked(self, channel: Group, text: str) -> Message:
        """A post of the linked channel appears in its discussion group."""
        with self._world.lock:
            post = channel._chat.as_json()
            origin = {"type": "channel", "chat": post, "message_id": 1, "date": self._world.date}
            more = {"sender_chat": post, "is_automatic_forward": True, "forward_origin": origin}
            return self._say(SERVICE_CHAT, text, "text", more)

    def post(self, text: str) -> Message:
        """A channel posts: an update of another kind, from nobody."""
        with self._world.lock:
            return self._say({}, text, "text", {"sender_chat": self._chat.as_json()}, kind="channel_post")

    def migrate_to(self, chat_id: int) -> Group:
        """The group becomes a supergroup: both say so, and the old id is refused from now on."""
        with self._world.lock:
            new = self._world.chats.setdefault(chat_id, Chat(chat_id, "supergroup", self._chat.title))
            self._say(ANONYMOUS_ADMIN, "", "migration", {"migrate_to_chat_id": chat_id})
            grown = Group(self._world, new)
            grown._say(ANONYMOUS_ADMIN, "", "migration", {"migrate_from_chat_id": self.chat_id})
            self._chat.migrated_to = chat_id
            return grown

    def _say(self, sender: JsonObject, text: str, what: str, content: JsonObject, kind: str = "message") -> Message:
        message = Message(
            chat_id=self.chat_id,
            message_id=self._world.message_id(self._chat),
            from_bot=False,
            text=text,
            date=self._world.date,
            kind=what,
            sender=sender,
            content=content,
        )
        self._world.show(self._chat, message)
        self._world.tell(kind, self._chat, message)
        return message
