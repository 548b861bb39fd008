"""Log lines hold no words, no names and no tokens, whoever writes them and whatever goes wrong."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import quiet, telegram_channel, telegram_polling
from bot.channel import Arrival
from bot.quiet import QuietRecord, keep_words_out_of_logs, story, strike_out
from bot.telegram_channel import TelegramChannel
from conversations.messages import Button, Outgoing
from tests.telegram_wire import HANG_UP, SILENT, TOKEN, Reply, Wire, a_wire, error, message, until

CANARY = "canary-words he is at 12 Elm Row"
NAME = "Canaryname"
SECRET = "canary-secret-0123456789"
LOUD = (
    "",
    "telegram",
    "telegram.Bot",
    "httpx",
    "httpcore",
    "httpcore.http11",
    "httpcore.connection",
    "asyncio",
    "bot",
)


class Listener(logging.Handler):
    """A handler of somebody else's: keeps all that a record could tell, with Python's own formatter."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record) + repr(vars(record)))


class Logs:
    def __init__(self) -> None:
        self.lines = io.StringIO()
        self.listener = Listener()

    def everything(self) -> str:
        return self.lines.getvalue() + "".join(self.listener.heard)

    def last(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.lines.getvalue().splitlines()[-1])
        return found


@pytest.fixture
def logs(logs_as_before: None) -> Logs:
    """Quiet, and then every logger made as loud as it can be."""
    found = Logs()
    keep_words_out_of_logs(logging.DEBUG, found.lines)
    strike_out(SECRET)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(found.listener)
    return found


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with a_wire() as made:
        yield made


def silent_about(logs: Logs) -> None:
    told = logs.everything()
    assert told
    for canary in ("canary", "Canary", "CANARY", TOKEN, TOKEN.split(":")[1], "Elm Row"):
        assert canary not in told, told[max(0, told.index(canary) - 300) :][:600]


async def test_sends_failures_and_polls_through_real_libraries_log_no_word_name_or_token(
    logs: Logs, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_polling, "_PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(telegram_channel, "_OVERALL", 0.3)
    channel = TelegramChannel(
        TOKEN,
        wire.base_url,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        help_line=lambda _: CANARY,
        poll_timeout=1,
    )
    replies = [
        Reply(200, f'{{"ok":true,"result":"{CANARY}"}}'.encode()),
        Reply(200, CANARY.encode()),
        Reply(502, f"<html>{CANARY} {TOKEN}</html>".encode()),
        error(400, f"Bad Request: can't parse entities: {CANARY}"),
        error(403, f"Forbidden: {CANARY}"),
        error(404, f"Not Found {TOKEN}"),
        error(429, f"{CANARY}", retry_after=1),
        error(500, f"{CANARY}"),
        HANG_UP,
        SILENT,
    ]
    wire.script("sendMessage", Reply(200, b'{"ok":true,"result":true}'), *replies)
    wire.script("editMessageText", *replies)
    words = Outgoing(text=CANARY, placeholder="K7Q2", buttons=((Button(CANARY, token="a"),),))
    for _ in replies:
        await channel.send("4001", CANARY)
        await channel.edit("4001", "4001:5", words)
    await channel.answer_tap("9", CANARY)
    await channel.open_thread("4001", CANARY)

    async def broken(arrival: Arrival) -> None:
        raise OSError(arrival.raw)

    wire.script("getUpdates", error(409, CANARY), Reply(500, f"{CANARY} {TOKEN}".encode()), HANG_UP)
    wire.arrive(message(41, text=CANARY, by={"id": 4001, "is_bot": False, "first_name": NAME}))
    listening = asyncio.create_task(channel.listen(broken))
    await until(lambda: len(wire.called("getUpdates")) >= 6)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await channel.close()
    told = logs.everything()
    for source in (
        "telegram.Bot",
        "httpx",
        "httpcore",
        "bot.telegram_channel",
        "bot.telegram_polling",
        "outcome=",
    ):
        assert source in told  # they did speak, and loudly: this test would mean nothing otherwise
    silent_about(logs)


def test_without_us_the_libraries_do_log_words_and_tokens(caplog: pytest.LogCaptureFixture) -> None:
    """What this file is for; should it ever fail, the rule may be loosened."""
    caplog.set_level(logging.DEBUG)

    async def send() -> None:
        async with a_wire() as wire:
            channel = TelegramChannel(
                TOKEN, wire.base_url, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC), help_line=lambda _: None
            )
            await channel.send("4001", CANARY)
            await channel.close()

    asyncio.run(send())
    assert CANARY in caplog.text
    assert TOKEN in caplog.text


def test_an_exception_is_its_class_names_and_places_and_never_its_words(logs: Logs) -> None:
    def parse() -> None:
        int(CANARY)

    try:
        try:
            parse()
        except ValueError as problem:
            raise httpx.ConnectError(f"{CANARY} https://x/bot{TOKEN}/getMe") from problem
    except httpx.ConnectError:
        logging.getLogger("bot").exception("it failed chat=%s", 4001, stack_info=True)
    line = logs.last()
    assert line["event"] == "it failed chat=4001"
    problem_told = str(line["problem"])
    assert "httpx.ConnectError test_quiet.py:test_an_exception" in problem_told
    assert "from builtins.ValueError" in problem_told
    assert ":parse:" in problem_told
    silent_about(logs)


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"https://api.telegram.org/bot{TOKEN}/getMe",
        f"https://api.telegram.org/bot{TOKEN.replace(':', '%3A')}/getMe",
        f"('GET', 'https://api.telegram.org/bot{TOKEN[:14]}')",
        f"/file/bot{TOKEN}",
        f"token={TOKEN.replace(':', '%3A')}",
        f"x{SECRET}y",
    ],
)
def test_a_token_is_struck_out_of_our_own_lines_too(logs: Logs, text: str) -> None:
    log = logging.getLogger("bot.something")
    log.error("at %s", text)
    log.error(text)
    log.error("at %(it)s", {"it": text})
    log.error("at %s", [text])
    assert logs.lines.getvalue().count("struck out") == 4
    for part in (TOKEN, TOKEN.split(":")[1][:5], SECRET):
        assert part not in logs.everything()


def test_an_error_given_as_an_argument_is_its_class_name(logs: Logs) -> None:
    logging.getLogger("conversations").error("not stored: %s", ValueError(CANARY))
    logging.getLogger("conversations").error(ValueError(CANARY))
    assert "not stored: ValueError" in logs.lines.getvalue()
    silent_about(logs)


def test_a_library_keeps_its_template_and_loses_what_it_put_in(logs: Logs) -> None:
    logging.getLogger("some.library").info("parameters %r", [CANARY])
    assert str(logs.last()["event"]).endswith("parameters %r")
    logging.getLogger("asyncio").error(f"Task exception was never retrieved: {CANARY}")  # noqa: G004 - as asyncio does
    assert str(logs.last()["event"]).startswith("test_quiet.test_a_library")
    silent_about(logs)


async def test_a_forgotten_task_that_failed_tells_no_words(logs: Logs) -> None:
    async def fail() -> None:
        raise ValueError(CANARY)

    loop = asyncio.get_running_loop()
    problem = (await asyncio.gather(fail(), return_exceptions=True))[0]
    loop.default_exception_handler({"message": f"never retrieved {problem!r}", "exception": problem})
    assert logs.last()["logger"] == "asyncio"
    silent_about(logs)


def test_what_nobody_caught_ends_as_a_quiet_line(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as problem:
        sys.excepthook(ValueError, problem, problem.__traceback__)
    assert "builtins.ValueError" in str(logs.last()["problem"])
    assert CANARY not in capsys.readouterr().err
    silent_about(logs)


def test_a_badly_formed_line_is_logged_without_its_arguments(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("bot").error("one %d", CANARY)
    logging.getLogger("bot").error("none", CANARY)  # noqa: PLE1205 - badly formed on purpose
    assert logs.last()["event"] == "badly formed log line"
    assert CANARY not in capsys.readouterr().err
    silent_about(logs)


def test_addresses_asked_for_are_not_logged(logs: Logs) -> None:
    logging.getLogger("uvicorn.access").critical('%s - "%s %s"', "127.0.0.1", "GET", "/signin/canary")
    logging.getLogger("bot").error("after")
    assert "uvicorn.access" not in logs.everything()


@given(st.text())
def test_every_event_is_one_line_of_ascii_json(text: str) -> None:
    record = QuietRecord("bot", logging.INFO, "a.py", 1, "%s", (text,), None)
    record.ids = {"update": 41, "lane": "4001:12", "words": "two words", "nothing": None}
    line = quiet.QuietFormatter().format(record)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    found = json.loads(line)
    assert (found["update"], found["lane"], found["nothing"]) == (41, "4001:12", None)
    assert found["words"] == "<struck out>"


def test_a_chain_of_causes_that_bites_its_tail_ends() -> None:
    one, other = ValueError("a"), KeyError("b")
    one.__cause__, other.__cause__ = other, one
    assert story(one).count("ValueError") <= 8
    assert "".join(traceback.format_exception_only(one))
