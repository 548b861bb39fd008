"""What leaves for Telegram, and what each way of failing to send means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from telegram.error import NetworkError, TimedOut
from telegram.request import HTTPXRequest

from bot import telegram_channel
from bot.channel import Channel, Outcome, Sent
from bot.telegram_channel import TelegramChannel, TokenRefused, outcome_of
from conversations.messages import Button, Outgoing
from tests.telegram_wire import HANG_UP, ME, SILENT, TOKEN, Reply, Wire, a_wire, error, result

SECRET = "s" * 40


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with a_wire() as made:
        yield made


def channel_to(base_url: str, **more: float) -> TelegramChannel:
    return TelegramChannel(
        TOKEN,
        base_url,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        help_line=lambda _who: None,
        request=HTTPXRequest(connection_pool_size=32, **more) if more else None,  # type: ignore[arg-type]
    )


@pytest.fixture
async def channel(wire: Wire) -> AsyncIterator[TelegramChannel]:
    made = channel_to(wire.base_url)
    yield made
    await made.close()


def outgoing(text: str = "words", *rows: tuple[Button, ...]) -> Outgoing:
    return Outgoing(text=text, placeholder="K7Q2", buttons=rows)


# --- what is sent ----------------------------------------------------------------------------------


def test_telegram_is_a_channel(channel: TelegramChannel) -> None:
    _: Channel = channel


@pytest.mark.parametrize(
    "text", ["<b>a</b> &lt;", "_*[x](tg://user?id=1)~`|", "@everyone https://example.org /close", "x" * 4096]
)
async def test_words_go_out_literally_without_preview_and_protected(
    wire: Wire, channel: TelegramChannel, text: str
) -> None:
    sent = await channel.send("4001", text)
    assert sent == Sent(Outcome.SENT, "4001:101")
    given = wire.called("sendMessage")[0]
    assert given.pop("link_preview_options") == '{"is_disabled": true}'
    assert given == {"chat_id": "4001", "text": text, "protect_content": "true"}


async def test_a_lone_surrogate_becomes_a_replacement_sign_and_real_pairs_stay(
    wire: Wire, channel: TelegramChannel
) -> None:
    await channel.send("4001", "a\ud83dX \U0001f600 \ud83d\ude00 \udc00")
    assert wire.called("sendMessage")[0]["text"] == "a\ufffdX \U0001f600 \U0001f600 \ufffd"


@pytest.mark.parametrize("text", ["x" * 4097, "\U0001f600" * 2049])
async def test_more_than_one_message_holds_is_the_callers_mistake(
    wire: Wire, channel: TelegramChannel, text: str
) -> None:
    with pytest.raises(ValueError, match="split"):
        await channel.send("4001", text)
    with pytest.raises(ValueError, match="split"):
        await channel.edit("4001", "4001:5", outgoing(text))
    assert not wire.calls


async def test_a_reply_names_its_message_and_does_not_need_it_to_exist(wire: Wire, channel: TelegramChannel) -> None:
    await channel.send("4001", "a", thread="9", reply_to="4001:12")
    given = wire.called("sendMessage")[0]
    assert json.loads(given["reply_parameters"]) == {"message_id": 12, "allow_sending_without_reply": True}
    assert given["message_thread_id"] == "9"


async def test_a_message_of_another_chat_is_never_quoted(wire: Wire, channel: TelegramChannel) -> None:
    await channel.send("4001", "a", reply_to="4002:12")
    assert "reply_parameters" not in wire.called("sendMessage")[0]


async def test_an_edit_replaces_text_and_buttons(wire: Wire, channel: TelegramChannel) -> None:
    rows = (
        (Button("Accept", token="t1"), Button("Decline", token="t2")),
        (Button("Open", url="https://line.example/"),),
    )
    assert await channel.edit("4001", "4001:5", outgoing("<i>", *rows)) == Sent(Outcome.SENT, "4001:5")
    given = wire.called("editMessageText")[0]
    assert (given["chat_id"], given["message_id"], given["text"]) == ("4001", "5", "<i>")
    assert json.loads(given["link_preview_options"]) == {"is_disabled": True}
    assert json.loads(given["reply_markup"]) == {
        "inline_keyboard": [
            [{"text": "Accept", "callback_data": "t1"}, {"text": "Decline", "callback_data": "t2"}],
            [{"text": "Open", "url": "https://line.example/"}],
        ]
    }
    assert "parse_mode" not in given


async def test_an_edit_without_buttons_takes_the_old_ones_away(wire: Wire, channel: TelegramChannel) -> None:
    await channel.edit("4001", "4001:5", outgoing())
    assert "reply_markup" not in wire.called("editMessageText")[0]


async def test_a_message_is_edited_in_its_own_chat_only(wire: Wire, channel: TelegramChannel) -> None:
    with pytest.raises(ValueError, match="another chat"):
        await channel.edit("4001", "4002:5", outgoing())
    assert not wire.calls


async def test_an_edit_that_changes_nothing_is_sent(wire: Wire, channel: TelegramChannel) -> None:
    wire.script("editMessageText", error(400, "Bad Request: message is not modified: specified new message content"))
    assert await channel.edit("4001", "4001:5", outgoing()) == Sent(Outcome.SENT, "4001:5")


async def test_thirty_two_sends_go_side_by_side(wire: Wire, channel: TelegramChannel) -> None:
    open_now = most = 0
    answer = wire.answer

    async def slow(name: str, given: dict[str, str]) -> Reply:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.2)
        open_now -= 1
        return await answer(name, given)

    wire.answer = slow  # type: ignore[method-assign]
    sent = await asyncio.gather(*(channel.send(str(4000 + n), "a") for n in range(32)))
    assert {one.outcome for one in sent} == {Outcome.SENT}
    assert most == 32


# --- what failures mean ----------------------------------------------------------------------------

CANARY = "CANARY words"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            error(429, "Too Many Requests: retry after 7", retry_after=7),
            Sent(Outcome.NOT_SENT, None, 7.0, "flood"),
        ),
        (error(429, "Too Many Requests"), Sent(Outcome.NOT_SENT, why="flood")),
        (error(403, "Forbidden: bot was blocked by the user"), Sent(Outcome.REFUSED, why="blocked")),
        (error(403, "Forbidden: user is deactivated"), Sent(Outcome.REFUSED, why="deactivated")),
        (
            error(403, "Forbidden: bot can't initiate conversation with a user"),
            Sent(Outcome.REFUSED, why="never started"),
        ),
        (error(403, f"Forbidden: {CANARY}"), Sent(Outcome.REFUSED, why="forbidden")),
        (error(400, "Bad Request: chat not found"), Sent(Outcome.REFUSED, why="chat not found")),
        (error(400, "Bad Request: user is deactivated"), Sent(Outcome.REFUSED, why="deactivated")),
        (
            error(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1005),
            Sent(Outcome.REFUSED, why="chat moved", moved_to="-1005"),
        ),
        (error(400, "Bad Request: message thread not found"), Sent(Outcome.REJECTED, why="thread gone")),
        (error(400, "Bad Request: message to edit not found"), Sent(Outcome.REJECTED, why="message gone")),
        (error(400, "Bad Request: message can't be edited"), Sent(Outcome.REJECTED, why="message gone")),
        (error(400, "Bad Request: message is too long"), Sent(Outcome.REJECTED, why="too long")),
        (error(400, "Bad Request: message text is empty"), Sent(Outcome.REJECTED, why="empty")),
        (error(400, "Bad Request: BUTTON_DATA_INVALID"), Sent(Outcome.REJECTED, why="button refused")),
        (error(400, f"Bad Request: can't parse entities: {CANARY}"), Sent(Outcome.REJECTED, why="entities")),
        (error(400, f"Bad Request: {CANARY}"), Sent(Outcome.REJECTED, why="bad request")),
        (error(401, "Unauthorized"), Sent(Outcome.NOT_SENT, why="token refused")),
        (error(404, "Not Found"), Sent(Outcome.NOT_SENT, why="token refused")),
        (error(409, "Conflict"), Sent(Outcome.NOT_SENT, why="conflict")),
        (error(500, f"Internal Server Error: {CANARY}"), Sent(Outcome.UNKNOWN, why="NetworkError")),
        (Reply(502, b"<html>CANARY</html>"), Sent(Outcome.UNKNOWN, why="TelegramError")),
        (Reply(500, b"[1]"), Sent(Outcome.UNKNOWN, why="AttributeError")),
        (Reply(500, b"[" * 5000), Sent(Outcome.UNKNOWN, why="RecursionError")),
        (Reply(200, b"CANARY"), Sent(Outcome.UNKNOWN, why="JSONDecodeError")),
        (Reply(200, b'{"ok":true}'), Sent(Outcome.UNKNOWN, why="KeyError")),
        (HANG_UP, Sent(Outcome.UNKNOWN, why="RemoteProtocolError")),
    ],
)
async def test_every_answer_means_one_outcome_and_none_of_telegrams_words(
    wire: Wire, channel: TelegramChannel, reply: Reply, expected: Sent
) -> None:
    wire.script("sendMessage", reply)
    wire.script("editMessageText", reply)
    assert await channel.send("4001", "a") == expected
    assert await channel.edit("4001", "4001:5", outgoing("a")) == expected


async def test_an_answer_that_does_not_come_may_have_been_a_delivery(wire: Wire) -> None:
    channel = channel_to(wire.base_url, read_timeout=0.05)
    wire.script("sendMessage", SILENT)
    assert await channel.send("4001", "a") == Sent(Outcome.UNKNOWN, why="ReadTimeout")
    await channel.close()


async def test_a_call_that_takes_too_long_as_a_whole_is_unknown(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_channel, "_OVERALL", 0.05)
    channel = channel_to(wire.base_url)
    wire.script("sendMessage", SILENT)
    assert await channel.send("4001", "a") == Sent(Outcome.UNKNOWN, why="timeout")
    await channel.close()


async def test_nobody_there_is_certainly_not_sent() -> None:
    async with a_wire() as gone:
        pass
    channel = channel_to(gone.base_url)
    assert await channel.send("4001", "a") == Sent(Outcome.NOT_SENT, why="ConnectError")
    await channel.close()


async def test_a_failed_handshake_is_certainly_not_sent() -> None:
    async def no_tls_here(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 X\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(no_tls_here, "127.0.0.1", 0)
    channel = channel_to(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/bot")
    assert await channel.send("4001", "a") == Sent(Outcome.NOT_SENT, why="ConnectError")
    await channel.close()
    server.close()


async def test_no_free_connection_is_certainly_not_sent(wire: Wire) -> None:
    request = HTTPXRequest(connection_pool_size=1, pool_timeout=0.05)
    channel = TelegramChannel(
        TOKEN,
        wire.base_url,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        help_line=lambda _: None,
        request=request,
    )
    wire.script("sendMessage", SILENT)
    first = asyncio.create_task(channel.send("4001", "a"))
    await asyncio.sleep(0.05)
    assert await channel.send("4002", "a") == Sent(Outcome.NOT_SENT, why="PoolTimeout")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await channel.close()


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (httpx.ConnectError, Outcome.NOT_SENT),
        (httpx.ConnectTimeout, Outcome.NOT_SENT),
        (httpx.PoolTimeout, Outcome.NOT_SENT),
        (httpx.ProxyError, Outcome.NOT_SENT),
        (httpx.ReadTimeout, Outcome.UNKNOWN),
        (httpx.WriteTimeout, Outcome.UNKNOWN),
        (httpx.ReadError, Outcome.UNKNOWN),
        (httpx.WriteError, Outcome.UNKNOWN),
        (httpx.CloseError, Outcome.UNKNOWN),
        (httpx.RemoteProtocolError, Outcome.UNKNOWN),
        (httpx.LocalProtocolError, Outcome.UNKNOWN),
    ],
)
@pytest.mark.parametrize("kind", [NetworkError, TimedOut])
def test_only_what_failed_before_writing_is_certainly_not_sent(
    kind: type[NetworkError], cause: type[httpx.TransportError], outcome: Outcome
) -> None:
    problem = kind("CANARY")
    problem.__cause__ = cause("CANARY")
    assert outcome_of(problem) == Sent(outcome, why=cause.__name__)


def test_an_error_nobody_thought_of_is_unknown() -> None:
    assert outcome_of(ZeroDivisionError("CANARY")) == Sent(Outcome.UNKNOWN, why="ZeroDivisionError")


# --- the rest of the contract ----------------------------------------------------------------------


async def test_a_topic_is_made_where_the_bot_has_topics(wire: Wire, channel: TelegramChannel) -> None:
    assert await channel.open_thread("4001", "K7Q2" * 50) == Sent(Outcome.SENT, "77")
    assert len(wire.called("createForumTopic")[0]["name"]) == 128


async def test_where_there_are_no_topics_none_is_asked_for(wire: Wire, channel: TelegramChannel) -> None:
    wire.script("getMe", result(ME | {"has_topics_enabled": False}))
    assert await channel.open_thread("4001", "K7Q2") == Sent(Outcome.NOT_SENT, why="no topics")
    assert not wire.called("createForumTopic")


async def test_a_chat_that_refuses_topics_has_none_and_one_that_blocked_us_is_refused(
    wire: Wire, channel: TelegramChannel
) -> None:
    wire.script("createForumTopic", error(400, "Bad Request: the chat is not a forum"))
    assert await channel.open_thread("4001", "K7Q2") == Sent(Outcome.NOT_SENT, why="no topics")
    wire.script("createForumTopic", error(403, "Forbidden: bot was blocked by the user"))
    assert (await channel.open_thread("4001", "K7Q2")).outcome is Outcome.REFUSED


async def test_we_ask_who_we_are_once(wire: Wire, channel: TelegramChannel) -> None:
    for _ in range(2):
        assert await channel.identify()
    assert (channel.username, channel.has_topics, len(wire.called("getMe"))) == ("LanyardBot", True, 1)


async def test_not_reaching_telegram_at_the_start_is_no_error_but_a_wrong_token_is(
    wire: Wire, channel: TelegramChannel
) -> None:
    wire.script("getMe", HANG_UP, Reply(404, b"<html>a proxy's own page</html>"), error(404, "Not Found"))
    assert not await channel.identify()
    assert not await channel.identify()
    with pytest.raises(TokenRefused):
        await channel.identify()


@pytest.mark.parametrize(
    "reply", [result(True), error(400, "Bad Request: query is too old"), HANG_UP, Reply(500, b"[")]
)
async def test_answering_a_tap_and_leaving_a_group_never_raise(
    wire: Wire, channel: TelegramChannel, reply: Reply
) -> None:
    wire.script("answerCallbackQuery", reply)
    wire.script("leaveChat", reply)
    await channel.answer_tap("991", "x" * 300)
    await channel.leave("-1005")
    await channel.leave("not a chat")
    assert wire.called("answerCallbackQuery") == [{"callback_query_id": "991", "text": "x" * 200}]
    assert wire.called("leaveChat") == [{"chat_id": "-1005"}]


async def test_a_webhook_is_set_with_its_secret_and_nothing_waiting_is_dropped(
    wire: Wire, channel: TelegramChannel
) -> None:
    assert await channel.set_webhook("https://line.example/hook", SECRET) == Sent(Outcome.SENT)
    assert await channel.delete_webhook() == Sent(Outcome.SENT)
    given = wire.called("setWebhook")[0]
    assert (given["url"], given["secret_token"]) == ("https://line.example/hook", SECRET)
    assert json.loads(given["allowed_updates"]) == [
        "message",
        "edited_message",
        "callback_query",
        "my_chat_member",
    ]
    assert "drop_pending_updates" not in given
    assert "drop_pending_updates" not in wire.called("deleteWebhook")[0]


async def test_closing_twice_is_harmless(channel: TelegramChannel) -> None:
    await channel.close()
