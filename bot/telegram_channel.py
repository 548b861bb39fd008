"""Telegram as a door, through python-telegram-bot's Bot as API client. The only file that imports `telegram`.

Rules kept here:
- What a failure means is decided here, once, and `Sent` says it; no exception of a library leaves this file.
- Words go out as plain text, exactly, without previews, protected from forwarding; nothing anybody typed can
  become a link, a mention or formatting.
- `why` is one of our own short words. Telegram's texts may hold words, names or addresses, and are dropped.
- PTB's Updater, Application, persistence and job queue are not used: they acknowledge before we have stored.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

import httpx
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
    WebAppInfo,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import BaseRequest, HTTPXRequest

from bot.channel import Outcome, Sent, Store
from bot.telegram_polling import (
    CannotListen,
    Disturbed,
    NotAnswered,
    Polling,
    SecondPoller,
    TokenRefused,
    WebhookStillSet,
)
from bot.telegram_reading import WANTED, read
from conversations.messages import Button, ChannelName, Ignored, Incoming, Kind, Outgoing, Unreadable

__all__ = ["CannotListen", "SecondPoller", "TelegramChannel", "TokenRefused", "WebhookStillSet", "outcome_of"]

log = logging.getLogger(__name__)
T = TypeVar("T")

# PTB's own switch: `RetryAfter.retry_after` is a timedelta (fractions kept) and no deprecation is warned of.
os.environ.setdefault("PTB_TIMEDELTA", "true")

MAX_UNITS = 4096  # Bot API: a message's length after entities, in UTF-16 code units
_MAX_TITLE = 128  # Bot API createForumTopic
_MAX_TAP_ANSWER = 200  # Bot API answerCallbackQuery
_OVERALL = 6.0  # seconds for one call, whatever each of its steps may take
_PARALLEL = 32
_HELP_AGAIN = timedelta(seconds=60)

# Never written by httpx, so never received. PoolTimeout: no connection was free. ProxyError: no way through.
_BEFORE_WRITING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

# C0 but for tab and line ends, DEL, C1.
_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {0x09, 0x0A, 0x0D}, "\ufffd")

_FORBIDDEN = {
    "blocked by the user": "blocked",
    "deactivated": "deactivated",
    "initiate conversation": "never started",
    "kicked": "removed",
}

# Telegram's descriptions of a 400 (they are not documented, so parts of them are looked for), in this order.
_BAD_REQUESTS = {
    "message is not modified": Sent(Outcome.SENT),
    "chat not found": Sent(Outcome.REFUSED, why="chat not found"),
    "user not found": Sent(Outcome.REFUSED, why="chat not found"),
    "peer_id_invalid": Sent(Outcome.REFUSED, why="chat not found"),
    "deactivated": Sent(Outcome.REFUSED, why="deactivated"),
    "message thread not found": Sent(Outcome.REJECTED, why="thread gone"),
    "topic_deleted": Sent(Outcome.REJECTED, why="thread gone"),
    "topic_closed": Sent(Outcome.REJECTED, why="thread gone"),
    "topic_id_invalid": Sent(Outcome.REJECTED, why="thread gone"),
    "message to edit not found": Sent(Outcome.REJECTED, why="message gone"),
    "message can't be edited": Sent(Outcome.REJECTED, why="message gone"),
    "message_id_invalid": Sent(Outcome.REJECTED, why="message gone"),
    "too long": Sent(Outcome.REJECTED, why="too long"),
    "too_long": Sent(Outcome.REJECTED, why="too long"),
    "text is empty": Sent(Outcome.REJECTED, why="empty"),
    "must be non-empty": Sent(Outcome.REJECTED, why="empty"),
    "parse entities": Sent(Outcome.REJECTED, why="entities"),
    "button": Sent(Outcome.REJECTED, why="button refused"),
}


def outcome_of(problem: Exception) -> Sent:
    """What a failed call means."""
    said = str(problem).lower()
    match problem:
        case RetryAfter(retry_after=wait):
            seconds = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
            return Sent(Outcome.NOT_SENT, retry_after=seconds, why="flood")
        case ChatMigrated(new_chat_id=chat):
            return Sent(Outcome.REFUSED, why="chat moved", moved_to=str(chat))
        case Forbidden():
            found = (why for part, why in _FORBIDDEN.items() if part in said)
            return Sent(Outcome.REFUSED, why=next(found, "forbidden"))
        case InvalidToken():
            return Sent(Outcome.NOT_SENT, why="token refused")
        case Conflict():
            return Sent(Outcome.NOT_SENT, why="conflict")
        case BadRequest():
            meant = (sent for part, sent in _BAD_REQUESTS.items() if part in said)
            return next(meant, Sent(Outcome.REJECTED, why="bad request"))
        case NetworkError() if isinstance(problem.__cause__, _BEFORE_WRITING):
            return Sent(Outcome.NOT_SENT, why=type(problem.__cause__).__name__)
        case NetworkError() if said.startswith("too many requests"):  # a 429 that names no time
            return Sent(Outcome.NOT_SENT, why="flood")
    return Sent(Outcome.UNKNOWN, why=type(problem.__cause__ or problem).__name__)


class TelegramChannel:
    """One bot's private chats. Implements `bot.channel.Channel`."""

    name = ChannelName.TELEGRAM

    def __init__(
        self,
        token: str,
        base_url: str = "https://api.telegram.org/bot",
        *,
        clock: Callable[[], datetime],
        help_line: Callable[[str], str | None],
        request: BaseRequest | None = None,
        poll_timeout: int = 25,
        conflict_grace: float = 10.0,
    ) -> None:
        self._requests = request or HTTPXRequest(
            connection_pool_size=_PARALLEL, connect_timeout=2, read_timeout=4, write_timeout=4, pool_timeout=2
        )
        # Polls have connections of their own: no flood of sends can keep us from hearing.
        self._polls = HTTPXRequest(
            connection_pool_size=2, connect_timeout=5, read_timeout=poll_timeout + 10, pool_timeout=5
        )
        self._bot = Bot(token, base_url=base_url, request=self._requests, get_updates_request=self._polls)
        self._clock = clock
        self._help_line = help_line
        self._poll_timeout = poll_timeout
        self._conflict_grace = conflict_grace
        self._helped: dict[str, datetime] = {}
        self._identified = False
        self.username: str | None = None  # known once identified
        self.has_topics = False  # whether the bot has topics in private chats; known once identified

    async def identify(self) -> bool:
        """Learn who we are, once. False: Telegram could not be asked. Raises TokenRefused."""
        if self._identified:
            return True
        try:
            async with asyncio.timeout(_OVERALL):
                me = await self._bot.get_me()
        except InvalidToken as problem:
            _raise_if_refused(problem)
            return False
        except Exception as problem:  # noqa: BLE001 - an unreachable Telegram never stops the line
            log.warning("telegram call=getMe failed why=%s", outcome_of(problem).why)
            return False
        self.username, self.has_topics = me.username, bool(me.has_topics_enabled)
        self._identified = True
        return True

    # --- receiving ---------------------------------------------------------------------------------

    async def listen(self, store: Store) -> None:
        """Poll until cancelled. Raises only CannotListen: SecondPoller, WebhookStillSet or TokenRefused."""
        await Polling(self._fetch, store, self.help_instead, self._clock, self._conflict_grace).run()

    async def _fetch(self, offset: int | None, limit: int) -> bytes:
        """The bytes of one getUpdates. Errors keep no cause: it would hold the address, and so the token."""
        await self.identify()
        asked = {"timeout": self._poll_timeout, "limit": limit, "allowed_updates": json.dumps(WANTED)}
        if offset is not None:
            asked["offset"] = offset
        try:
            async with asyncio.timeout(self._poll_timeout + 15):
                return await self._polls.retrieve(f"{self._bot.base_url}/getUpdates?{urlencode(asked)}")
        except InvalidToken as problem:
            _raise_if_refused(problem)
            raise NotAnswered from None
        except Conflict as problem:
            raise (WebhookStillSet if "webhook" in str(problem).lower() else Disturbed) from None
        except Exception as problem:  # noqa: BLE001 - the polling goes on after anything else
            failure = outcome_of(problem)
            log.warning("telegram call=getUpdates failed why=%s", failure.why)
            raise NotAnswered(failure.retry_after) from None

    def read(self, raw: bytes) -> Incoming | Ignored:
        """What an arrival says. Raises Unreadable."""
        return read(raw, self.username)

    async def help_instead(self, raws: Sequence[bytes]) -> None:
        """Tell the writers of what could not be stored whom to ring: once a minute each. Never raises."""
        now = self._clock()
        self._helped = {who: when for who, when in self._helped.items() if now - when < _HELP_AGAIN}
        addresses = dict.fromkeys(who for raw in raws if (who := self._writer(raw)))
        due = [who for who in addresses if who not in self._helped]
        self._helped.update(dict.fromkeys(due, now))
        await asyncio.gather(*(self._help(who) for who in due))

    def _writer(self, raw: bytes) -> str | None:
        try:
            said = self.read(raw)
        except Unreadable:
            return None
        wrote = isinstance(said, Incoming) and said.kind not in {Kind.BLOCKED, Kind.UNBLOCKED}
        return said.sender if isinstance(said, Incoming) and wrote else None

    async def _help(self, who: str) -> None:
        try:
            text = self._help_line(who)
            sent = await self.send(who, text) if text else None
        except Exception as problem:  # noqa: BLE001 - one address's trouble must not keep help from the others
            log.error("no help line to=%s: %s", who, type(problem).__name__)
            return
        if sent is not None and sent.outcome is Outcome.NOT_SENT:
            self._helped.pop(who, None)  # it certainly did not arrive: the next round may try again

    async def set_webhook(self, url: str, secret: str) -> Sent:
        """Have Telegram call us. What waits there is kept: pending updates are never dropped."""
        asked = self._bot.set_webhook(url, secret_token=secret, allowed_updates=WANTED)
        return await self._done("setWebhook", asked)

    async def delete_webhook(self) -> Sent:
        """Go back to polling. What waits at Telegram is kept."""
        return await self._done("deleteWebhook", self._bot.delete_webhook())

    # --- sending -----------------------------------------------------------------------------------

    async def send(self, to: str, text: str, *, thread: str | None = None, reply_to: str | None = None) -> Sent:
        """Send a new text; `remote` is "chat:message"."""
        sent = await self._attempt(
            "sendMessage",
            self._bot.send_message(
                int(to),
                _fitting(text),
                protect_content=True,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                message_thread_id=None if thread is None else int(thread),
                reply_parameters=_reply(to, reply_to),
            ),
        )
        return Sent(Outcome.SENT, _remote(sent)) if isinstance(sent, Message) else sent

    async def edit(self, to: str, remote: str, message: Outgoing) -> Sent:
        """Replace text and buttons of a message of ours in this chat; unchanged is as good as changed."""
        chat, _, number = remote.partition(":")
        if chat != to:
            raise ValueError("a message of another chat")
        sent = await self._edit(int(to), int(number), message)
        plain = tuple(row for row in message.buttons if not any(button.app for button in row))
        if isinstance(sent, Sent) and sent.why == "button refused" and plain != message.buttons:
            sent = await self._edit(int(to), int(number), replace(message, buttons=plain))  # the link is in the words
        failed = isinstance(sent, Sent) and sent.outcome is not Outcome.SENT
        return sent if isinstance(sent, Sent) and failed else Sent(Outcome.SENT, remote)

    async def _edit(self, chat: int, number: int, message: Outgoing) -> object:
        return await self._attempt(
            "editMessageText",
            self._bot.edit_message_text(
                _fitting(message.text),
                chat,
                number,
                reply_markup=_keyboard(message.buttons),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            ),
        )

    async def open_thread(self, to: str, title: str) -> Sent:
        """Make a topic in this chat. NOT_SENT with why='no topics' where the bot or the chat has none."""
        if not (await self.identify() and self.has_topics):
            return Sent(Outcome.NOT_SENT, why="no topics")
        made = await self._attempt("createForumTopic", self._bot.create_forum_topic(int(to), title[:_MAX_TITLE]))
        if isinstance(made, Sent):
            refused = made.outcome is Outcome.REJECTED
            return Sent(Outcome.NOT_SENT, why="no topics") if refused else made
        return Sent(Outcome.SENT, str(made.message_thread_id))

    async def answer_tap(self, query: str, text: str) -> None:
        """Stop a button's spinner and show a short line."""
        shown = _whole(text)[:_MAX_TAP_ANSWER]
        await self._attempt("answerCallbackQuery", self._bot.answer_callback_query(query, shown or None))

    async def drop_buttons(self, to: str, remote: str) -> None:
        """Take the buttons off a message of ours in this chat."""
        chat, _, number = remote.partition(":")
        if chat == to:
            await self._attempt("editMessageReplyMarkup", self._bot.edit_message_reply_markup(int(to), int(number)))

    async def leave(self, chat: str) -> None:
        """Leave a group without a word."""
        if chat.lstrip("-").isdecimal():
            await self._attempt("leaveChat", self._bot.leave_chat(int(chat)))

    async def close(self) -> None:
        """Release connections."""
        await asyncio.gather(self._requests.shutdown(), self._polls.shutdown())

    async def _done(self, name: str, call: Awaitable[bool]) -> Sent:
        done = await self._attempt(name, call)
        return done if isinstance(done, Sent) else Sent(Outcome.SENT)

    async def _attempt(self, name: str, call: Awaitable[T]) -> T | Sent:
        """Make a call; its failure as an outcome."""
        try:
            async with asyncio.timeout(_OVERALL):
                return await call
        except TimeoutError:
            failure = Sent(Outcome.UNKNOWN, why="timeout")
        except Exception as problem:  # noqa: BLE001 - whatever a library raises, the courier needs an outcome
            failure = outcome_of(problem)
        if failure.outcome is not Outcome.SENT:
            log.warning("telegram call=%s outcome=%s why=%s", name, failure.outcome.value, failure.why)
        return failure


def _raise_if_refused(problem: TelegramError) -> None:
    """PTB calls every 401 and 404 an invalid token; only one that Telegram itself wrote (JSON) is."""
    if problem.__cause__ is None:
        raise TokenRefused from None


def _whole(text: str) -> str:
    """The text with U+FFFD for what UTF-8 cannot carry (lone surrogates) and for control signs, which Telegram would
    take away unseen."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").translate(_CONTROLS)


def _fitting(text: str) -> str:
    whole = _whole(text)
    if len(whole.encode("utf-16-le")) // 2 > MAX_UNITS:
        raise ValueError("longer than one message: split it first")
    return whole


def _remote(message: Message) -> str:
    return f"{message.chat_id}:{message.message_id}"


def _reply(to: str, reply_to: str | None) -> ReplyParameters | None:
    """Answer a message of this same chat, if it still exists; a message of another chat is never quoted."""
    chat, _, number = (reply_to or "").partition(":")
    return ReplyParameters(int(number), allow_sending_without_reply=True) if chat == to else None


def _keyboard(rows: tuple[tuple[Button, ...], ...]) -> InlineKeyboardMarkup | None:
    """The buttons; none at all takes away those that were there."""
    keys = [[_key(button) for button in row] for row in rows]
    return InlineKeyboardMarkup(keys) if keys else None


def _key(button: Button) -> InlineKeyboardButton:
    if button.app:
        return InlineKeyboardButton(button.label, web_app=WebAppInfo(button.app))  # private chats only, as ours all are
    if button.url:
        return InlineKeyboardButton(button.label, url=button.url)
    return InlineKeyboardButton(button.label, callback_data=button.token)
