"""The Bot API stand-in: real python-telegram-bot talks to it, and people see what it said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyKeyboardMarkup,
    ReplyParameters,
    Update,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden

from tests.botapi import KINDS, BotApi, Person

TWO_BUTTONS = InlineKeyboardMarkup(
    [[InlineKeyboardButton("Accept", callback_data="a:1"), InlineKeyboardButton("Decline", callback_data="d:1")]]
)


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as opened:
        yield opened


@pytest_asyncio.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with Bot(api.token, base_url=api.base_url, base_file_url=api.base_file_url) as opened:
        yield opened


@pytest.fixture
def ann(api: BotApi) -> Person:
    ann = api.person(501, "Ann", username="ann")
    ann.start()
    return ann


def told(api: BotApi) -> dict[str, Any]:
    """The newest update, as the wire has it."""
    decoded: dict[str, Any] = httpx.Response(200, content=api.updates[-1].body).json()
    return decoded


@pytest.mark.asyncio
async def test_get_me_says_whether_topics_are_on(api: BotApi, bot: Bot) -> None:
    assert (await bot.get_me()).has_topics_enabled is False
    api.topics_enabled = True
    me = await bot.get_me()
    assert (me.id, me.has_topics_enabled) == (api.bot_id, True)


@pytest.mark.asyncio
async def test_a_sent_message_is_seen_and_lights_the_lock_screen(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.user_id, "a <b>new</b> answer", parse_mode=ParseMode.HTML)
    assert sent.text == "a new answer"
    assert sent.parse_entities() == {sent.entities[0]: "new"}
    assert ann.sees("a new answer")
    assert ann.lock_screen == ["a new answer"]


@pytest.mark.asyncio
async def test_an_edit_changes_what_is_seen_but_not_what_the_lock_screen_showed(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.user_id, "You have an answer", disable_notification=True)
    edited = await bot.edit_message_text("the content", ann.user_id, sent.message_id, reply_markup=TWO_BUTTONS)
    assert isinstance(edited, type(sent))
    assert edited.edit_date is not None
    seen = ann.message(sent.message_id)
    assert seen is not None
    assert (seen.text, seen.edited, seen.labels) == ("the content", True, ("Accept", "Decline"))
    assert not ann.sees("You have an answer")
    assert [(lit.text, lit.silent) for lit in ann.notifications] == [("You have an answer", True)]


@pytest.mark.asyncio
async def test_an_edit_without_buttons_takes_the_buttons_away(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.user_id, "choose", reply_markup=TWO_BUTTONS)
    await bot.edit_message_text("chosen", ann.user_id, sent.message_id)
    assert ann.buttons == ()


@pytest.mark.asyncio
async def test_new_buttons_alone_do_not_show_as_an_edit(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.user_id, "choose")
    await bot.edit_message_reply_markup(ann.user_id, sent.message_id, reply_markup=TWO_BUTTONS)
    assert [button.data for button in ann.buttons] == ["a:1", "d:1"]
    assert not ann.from_bot[-1].edited


@pytest.mark.asyncio
async def test_a_deleted_message_is_gone_but_its_notification_was_shown(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.user_id, "once")
    assert await bot.delete_message(ann.user_id, sent.message_id)
    assert not ann.sees("once")
    assert ann.lock_screen == ["once"]


@pytest.mark.asyncio
async def test_a_tap_is_an_update_and_its_answer_comes_back(bot: Bot, ann: Person) -> None:
    await bot.send_message(ann.user_id, "choose", reply_markup=TWO_BUTTONS)
    tap = ann.tap("Accept")
    query = (await bot.get_updates(offset=tap.update_id))[0].callback_query
    assert query is not None
    assert (query.data, query.from_user.id) == ("a:1", ann.user_id)
    assert query.message is not None
    assert tap.answer is None
    await query.answer("Yours", show_alert=True)
    assert tap.wait_for_answer() == {"text": "Yours", "show_alert": True}


@pytest.mark.asyncio
async def test_a_double_tap_is_two_updates_with_two_queries(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.user_id, "choose", reply_markup=TWO_BUTTONS)
    seen = ann.message(sent.message_id)
    assert seen is not None
    first, second = ann.double_tap(seen, "Decline")
    assert first.data == second.data == "d:1"
    assert first.query_id != second.query_id
    assert first.update_id != second.update_id


@pytest.mark.asyncio
async def test_a_forged_tap_may_carry_anything(bot: Bot, ann: Person) -> None:
    tap = ann.tap_raw("not\x00ours" * 9)
    query = (await bot.get_updates(offset=tap.update_id))[0].callback_query
    assert query is not None
    assert query.data == "not\x00ours" * 9
    assert query.message is not None
    assert not query.message.is_accessible


@pytest.mark.asyncio
async def test_a_person_taps_only_what_they_see(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.user_id, "choose", reply_markup=TWO_BUTTONS)
    stale = ann.from_bot[-1]
    await bot.edit_message_text("chosen", ann.user_id, sent.message_id)
    with pytest.raises(AssertionError, match="sees no button 'Accept'"):
        ann.tap("Accept")
    assert ann.tap(stale, "Accept").data == "a:1", "an app that has not heard of the edit still has the button"


@pytest.mark.asyncio
async def test_topics_divide_a_private_chat(api: BotApi, bot: Bot, ann: Person) -> None:
    api.topics_enabled = True
    topic = await bot.create_forum_topic(ann.user_id, "K7Q2")
    await bot.send_message(ann.user_id, "inside", message_thread_id=topic.message_thread_id)
    await bot.send_message(ann.user_id, "outside")
    ann.write("an answer", thread=topic.message_thread_id)
    message = told(api)["message"]
    assert message["message_thread_id"] == topic.message_thread_id
    assert message["reply_to_message"]["forum_topic_created"]["name"] == "K7Q2"
    assert ann.topics == {topic.message_thread_id: "K7Q2"}
    assert [seen.thread for seen in ann.from_bot] == [topic.message_thread_id, None]
    await bot.delete_forum_topic(ann.user_id, topic.message_thread_id)
    assert [seen.text for seen in ann.chat] == ["/start", "outside"]


@pytest.mark.asyncio
async def test_a_topic_of_a_private_chat_closes_only_where_telegram_lets_it(api: BotApi, bot: Bot, ann: Person) -> None:
    api.topics_enabled = True
    thread = (await bot.create_forum_topic(ann.user_id, "K7Q2")).message_thread_id
    with pytest.raises(BadRequest, match="not a supergroup forum"):
        await bot.close_forum_topic(ann.user_id, thread)
    api.private_topics_close = True
    assert await bot.close_forum_topic(ann.user_id, thread)
    with pytest.raises(BadRequest, match="Topic_closed"):
        await bot.send_message(ann.user_id, "too late", message_thread_id=thread)


@pytest.mark.asyncio
async def test_a_reply_shows_what_it_answers(api: BotApi, bot: Bot, ann: Person) -> None:
    question = ann.write("where?")
    sent = await bot.send_message(ann.user_id, "there", reply_parameters=ReplyParameters(question.message_id))
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "where?"
    ann.write("thanks", reply_to=sent.message_id)
    assert told(api)["message"]["reply_to_message"]["text"] == "there"


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_thing_a_person_sends_is_read_by_the_library(
    api: BotApi, bot: Bot, ann: Person, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    ann.send(kind)
    raw = told(api)
    update = Update.de_json(raw, bot)
    assert update.message is not None
    known = {"something_of_the_future"} if kind == "unknown" else set()
    assert set(update.message.api_kwargs) - {"media_group_id"} == known
    assert not update.api_kwargs


@pytest.mark.asyncio
async def test_a_file_says_what_the_test_gave_it_and_fetching_it_is_logged(api: BotApi, bot: Bot, ann: Person) -> None:
    ann.send("document", caption="see", file_name="invoice.pdf.exe", mime_type="x/y", file_size=0)
    document = told(api)["message"]["document"]
    assert (document["file_name"], document["mime_type"], document["file_size"]) == ("invoice.pdf.exe", "x/y", 0)
    assert not api.calls("getFile")
    fetched = await bot.get_file(document["file_id"])
    await fetched.download_as_bytearray()
    assert [call.method for call in api.calls()[-2:]] == ["getFile", "download"]


@pytest.mark.asyncio
async def test_an_album_is_many_updates_of_one_group(bot: Bot, ann: Person) -> None:
    ann.album(3, caption="three")
    messages = [update.message for update in await bot.get_updates() if update.message]
    photos = [message for message in messages if message.photo]
    assert [message.caption for message in photos] == ["three", None, None]
    assert len({message.media_group_id for message in photos}) == 1


@pytest.mark.asyncio
async def test_what_people_change_is_told_and_what_they_delete_is_not(api: BotApi, bot: Bot, ann: Person) -> None:
    written, place = ann.write("frist"), ann.send("live_location")
    ann.edit(written, "first")
    ann.move(place, 1.5, 2.5)
    edits = [update.edited_message for update in await bot.get_updates() if update.edited_message]
    assert edits[0].text == "first"
    assert edits[1].location is not None
    assert edits[1].location.latitude == 1.5
    made = len(api.updates)
    ann.delete(written)
    assert len(api.updates) == made
    assert ann.message(written) is None


@pytest.mark.asyncio
async def test_reactions_are_told_only_to_who_asks_by_name(api: BotApi, bot: Bot, ann: Person) -> None:
    ann.react(ann.chat[0])
    await bot.get_updates(allowed_updates=["message", "message_reaction"])
    ann.react(ann.chat[0])
    assert [one.kind for one in api.updates] == ["message", "message_reaction"]
    assert Update.de_json(told(api), bot).message_reaction is not None


@pytest.mark.asyncio
async def test_blocking_is_told_and_shuts_the_bot_out(api: BotApi, bot: Bot, ann: Person) -> None:
    ann.block()
    member = Update.de_json(told(api), bot).my_chat_member
    assert member is not None
    assert member.new_chat_member.status == "kicked"
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(ann.user_id, "hello")
    ann.unblock()
    await bot.send_message(ann.user_id, "hello again")
    assert ann.lock_screen == ["hello again"]
    ann.deactivate()
    with pytest.raises(Forbidden, match="user is deactivated"):
        await bot.send_message(ann.user_id, "hello?")


@pytest.mark.asyncio
async def test_a_group_can_be_left_and_then_refuses(api: BotApi, bot: Bot, ann: Person) -> None:
    group = api.group(-77, "Shift")
    group.add_bot(ann)
    group.write(ann, "hello")
    group.write_as_anonymous_admin("I am nobody")
    updates = [update async for update in _updates(bot)]
    assert updates[-1].message is not None
    assert updates[-1].message.from_user is not None
    assert updates[-1].message.from_user.id == 1087968824
    await bot.leave_chat(-77)
    assert not group.bot_is_member
    with pytest.raises(Forbidden, match="not a member of the group chat"):
        await bot.send_message(-77, "hello")


@pytest.mark.asyncio
async def test_a_migrated_group_names_its_new_id(api: BotApi, bot: Bot, ann: Person) -> None:
    group = api.group(-78)
    grown = group.migrate_to(-1000000000078)
    linked = api.group(-1000000000079, "News", kind="channel")
    linked.post("news")
    grown.forward_from_linked(linked, "news")
    grown.write_as_channel(linked, "in a channel's name")
    updates = [update async for update in _updates(bot)]
    assert [update.effective_message.migrate_to_chat_id for update in updates if update.effective_message][1] == (
        -1000000000078
    )
    with pytest.raises(Exception, match="-1000000000078"):
        await bot.send_message(-78, "hello")


@pytest.mark.asyncio
async def test_the_log_keeps_every_word_but_the_token(api: BotApi, bot: Bot, ann: Person) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("café – canary", callback_data="x")]])
    await bot.send_message(ann.user_id, "hello", reply_markup=keyboard)
    assert [call.method for call in api.mentions("café – canary")] == ["sendMessage"]
    assert not api.mentions("TEST-TOKEN")
    assert not api.mentions("Ann"), "what came in is no call"
    call = api.calls("SendMessage", chat_id=ann.user_id)[0]
    assert (call.outcome, call.status, call.applied) == ("ok", 200, True)
    assert abs(call.at - api.now()) < 5


@pytest.mark.asyncio
async def test_commands_and_a_keyboard_of_the_persons_own_are_kept(api: BotApi, bot: Bot, ann: Person) -> None:
    await bot.set_my_commands([BotCommand("help", "What I can do")])
    assert api.commands == [{"command": "help", "description": "What I can do"}]
    await bot.send_message(ann.user_id, "hi", reply_markup=ReplyKeyboardMarkup([["Yes", "No"]]))
    assert ann.from_bot[-1].keyboard == ("Yes", "No")


@pytest.mark.asyncio
async def test_another_token_or_method_is_refused(api: BotApi, bot: Bot) -> None:
    async with httpx.AsyncClient() as client:
        stranger = await client.get(f"{api.base_url}123456:WRONG/getMe")
    assert stranger.json()["description"] == "Unauthorized"
    with pytest.raises(Exception, match="not found"):
        await bot.do_api_request("makeCoffee")
    assert [call.status for call in api.calls()[-2:]] == [401, 404]


def test_waiting_says_what_was_seen_instead(ann: Person) -> None:
    with pytest.raises(AssertionError, match="did not see 'never' within"):
        ann.wait_for("never", timeout=0.01)


async def _updates(bot: Bot) -> AsyncIterator[Update]:
    for update in await bot.get_updates():
        yield update
