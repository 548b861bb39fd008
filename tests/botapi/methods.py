"""The Bot API's methods, all but those about updates: what each does to the chats that people see.

Rules kept here: a call is checked whole before anything changes, in the order of the real server
(telegram-bot-api `Client.cpp`: text, chat, buttons, topic, reply); an edit that changes nothing is refused; nobody
edits another's message; what is gone cannot be edited, answered or deleted.

Assumed, as no source says it: a blocked bot cannot edit either; a tap can be answered once; how long it can be
answered (`World.callback_lifetime`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.botapi.buttons import read_markup
from tests.botapi.calls import Arguments, JsonObject
from tests.botapi.chats import Chat, Message, message_json
from tests.botapi.rules import (
    NOT_MODIFIED,
    OLD_QUERY,
    bad_request,
    check_commands,
    check_text,
    forbidden,
    too_many,
)
from tests.botapi.world import World

Method = Callable[[World, Arguments], Any]
DELETABLE_FOR = 48 * 3600  # core.telegram.org/bots/api#deletemessage
MAX_ANSWER = 200  # core.telegram.org/bots/api#answercallbackquery


def the_chat(world: World, arguments: Arguments, *, sending: bool = False) -> Chat:
    """Find the chat that a call is about, if the bot may write there."""
    if not arguments.text("chat_id"):
        raise bad_request("chat_id is empty")
    number = arguments.chat
    person = world.people.get(number or 0)
    if person is not None:
        if person.deactivated:
            raise forbidden("user is deactivated")
        if sending and not person.started:
            raise forbidden("bot can't initiate conversation with a user")
        if person.blocked:
            raise forbidden("bot was blocked by the user")
        return world.chat_with(person)
    chat = world.chats.get(number or 0)
    if chat is None:
        raise bad_request("chat not found")
    if chat.migrated_to is not None:
        why = "group chat was upgraded to a supergroup chat"
        raise bad_request(why, migrate_to_chat_id=chat.migrated_to)
    if not chat.bot_is_member:
        raise forbidden(f"bot is not a member of the {chat.kind} chat")
    return chat


def get_me(world: World, _arguments: Arguments) -> JsonObject:
    return world.bot.as_full_json()


def send_message(world: World, arguments: Arguments) -> JsonObject:
    marked = check_text(arguments, editing=False)
    chat = the_chat(world, arguments, sending=True)
    markup = read_markup(arguments.text("reply_markup"), only_inline=False, in_private=chat.kind == "private")
    thread = _thread(chat, arguments)
    reply_to = _replied(chat, arguments)
    if world.limits is not None and (wait := world.limits.seconds_to_wait(chat.chat_id, world.now())):
        raise too_many(wait)
    message = Message(
        chat_id=chat.chat_id,
        message_id=world.message_id(chat),
        from_bot=True,
        text=marked.text,
        date=world.date,
        sender=world.bot.as_json(),
        entities=marked.entities,
        rows=markup.rows,
        keyboard=markup.keyboard,
        thread=thread,
        reply_to=reply_to,
        silent=arguments.flag("disable_notification"),
    )
    return message_json(chat, world.show(chat, message))


def _thread(chat: Chat, arguments: Arguments) -> int | None:
    thread = arguments.integer("message_thread_id", low=0)
    if not thread:
        return None
    if thread not in chat.topics:
        raise bad_request("message thread not found")
    if chat.topics[thread].closed:
        raise bad_request("TOPIC_CLOSED")
    return thread


def _replied(chat: Chat, arguments: Arguments) -> int | None:
    """Read which message this one answers (reply_parameters, or the older two arguments)."""
    given: Any = {
        "message_id": arguments.integer("reply_to_message_id"),
        "allow_sending_without_reply": arguments.flag("allow_sending_without_reply"),
    }
    if arguments.text("reply_parameters"):
        try:
            given = json.loads(arguments.text("reply_parameters"))
        except ValueError:
            raise bad_request("Can't parse reply parameters JSON object") from None
        if not isinstance(given, dict):
            raise bad_request("Object expected as reply parameters")
    number = given.get("message_id")
    if not isinstance(number, int):
        raise bad_request('Can\'t parse reply parameters: Field "message_id" must be a Number')
    if number <= 0:
        return None
    if number in chat.messages:
        return number
    if given.get("allow_sending_without_reply"):
        return None
    raise bad_request("message to be replied not found")


def _own_message(world: World, arguments: Arguments) -> tuple[Chat, Message]:
    """Find the message to edit; it must be the bot's."""
    number = arguments.integer("message_id")
    if not arguments.text("chat_id") and number <= 0:
        raise bad_request(
            "MESSAGE_ID_INVALID" if arguments.text("inline_message_id") else "Message identifier is not specified"
        )
    chat = the_chat(world, arguments)
    message = chat.messages.get(number)
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot:
        raise bad_request("Message can't be edited")
    return chat, message


def edit_message_text(world: World, arguments: Arguments) -> JsonObject:
    marked = check_text(arguments, editing=True)
    chat, old = _own_message(world, arguments)
    if old.kind != "text":
        raise bad_request("There is no text in the message to edit")
    in_private = chat.kind == "private"
    markup = read_markup(arguments.text("reply_markup"), only_inline=True, in_private=in_private)
    new = replace(old, text=marked.text, entities=marked.entities, rows=markup.rows)
    if new == old:
        raise bad_request(NOT_MODIFIED)
    new = replace(new, edited=old.edited or new.text != old.text, edit_date=world.date)
    return message_json(chat, world.show(chat, new))


def edit_message_reply_markup(world: World, arguments: Arguments) -> JsonObject:
    chat, old = _own_message(world, arguments)
    in_private = chat.kind == "private"
    markup = read_markup(arguments.text("reply_markup"), only_inline=True, in_private=in_private)
    if markup.rows == old.rows:
        raise bad_request(NOT_MODIFIED)
    return message_json(chat, world.show(chat, replace(old, rows=markup.rows, edit_date=world.date)))


def delete_message(world: World, arguments: Arguments) -> bool:
    if not arguments.text("chat_id"):
        raise bad_request("Chat identifier is not specified")
    number = arguments.integer("message_id")
    if number == 0:
        raise bad_request("Message identifier is not specified")
    chat = the_chat(world, arguments)
    message = chat.messages.get(number)
    if message is None:
        raise bad_request("message to delete not found")
    if world.date - message.date > DELETABLE_FOR:
        raise bad_request("Message can't be deleted for everyone")
    del chat.messages[number]
    world.lock.notify_all()
    return True


def answer_callback_query(world: World, arguments: Arguments) -> bool:
    query = world.callbacks.get(arguments.text("callback_query_id"))
    late = query is not None and world.now() - query.asked_at > world.callback_lifetime
    if query is None or late or query.answer is not None:
        raise bad_request(OLD_QUERY)
    if len(arguments.text("text")) > MAX_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    query.answer = {"text": arguments.text("text"), "show_alert": arguments.flag("show_alert")}
    world.lock.notify_all()
    return True


def leave_chat(world: World, arguments: Arguments) -> bool:
    chat = the_chat(world, arguments)
    if chat.kind == "private":
        raise bad_request("Can't leave private chats")
    chat.bot_is_member = False
    world.lock.notify_all()
    return True


def get_file(_world: World, arguments: Arguments) -> JsonObject:
    """Answer as if there were a file: what matters is the log, which shows that somebody asked."""
    file_id = arguments.text("file_id")
    if not file_id:
        raise bad_request("file_id not specified")
    return {"file_id": file_id, "file_unique_id": file_id, "file_path": f"files/{file_id}"}


def set_my_commands(world: World, arguments: Arguments) -> bool:
    world.bot.commands = check_commands(arguments.text("commands"))
    return True
