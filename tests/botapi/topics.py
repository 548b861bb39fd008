"""Topics in private chats (Bot API 9.3 and later), and in forums.

TDLib `ForumTopicManager.cpp`: creating and deleting is allowed in a private chat once the bot's topics are on
(getMe: has_topics_enabled); **closing is not**: toggle_forum_topic_is_closed asks for a supergroup, whatever the
bot's setting. `World.private_topics_close` lets it pass, for the day Telegram does.
"""

from __future__ import annotations

from tests.botapi.calls import Arguments, JsonObject
from tests.botapi.chats import Chat, Topic
from tests.botapi.methods import the_chat
from tests.botapi.rules import bad_request
from tests.botapi.world import World

MAX_NAME = 128
COLOURS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)  # PTB `ForumIconColor`


def _forum(world: World, arguments: Arguments) -> Chat:
    chat = the_chat(world, arguments, sending=True)
    if not (chat.kind == "private" and world.bot.topics_enabled):
        raise bad_request("The chat is not a forum")
    return chat


def _topic(chat: Chat, arguments: Arguments) -> Topic:
    thread = arguments.integer("message_thread_id")
    if thread <= 0:
        raise bad_request("Invalid forum topic identifier specified")
    if thread not in chat.topics:
        raise bad_request("TOPIC_ID_INVALID")
    return chat.topics[thread]


def create_forum_topic(world: World, arguments: Arguments) -> JsonObject:
    chat = _forum(world, arguments)
    name = " ".join(arguments.text("name").split())[:MAX_NAME].strip()
    if not name:
        raise bad_request("Name must be non-empty")
    colour = arguments.integer("icon_color", COLOURS[0])
    if not 0 <= colour <= 0xFFFFFF:
        raise bad_request("Invalid icon color specified")
    topic = Topic(world.message_id(chat), name, colour, world.date)
    chat.topics[topic.thread] = topic
    world.lock.notify_all()
    return {"message_thread_id": topic.thread, "name": name, "icon_color": colour}


def close_forum_topic(world: World, arguments: Arguments) -> bool:
    chat = _forum(world, arguments)
    if not world.private_topics_close:
        raise bad_request("The chat is not a supergroup forum")
    _topic(chat, arguments).closed = True
    world.lock.notify_all()
    return True


def delete_forum_topic(world: World, arguments: Arguments) -> bool:
    """Delete a topic with all its messages."""
    chat = _forum(world, arguments)
    topic = _topic(chat, arguments)
    del chat.topics[topic.thread]
    chat.messages = {number: message for number, message in chat.messages.items() if message.thread != topic.thread}
    world.lock.notify_all()
    return True
