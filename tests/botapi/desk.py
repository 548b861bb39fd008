"""One call from arrival to answer: log it, let it go wrong as ordered, apply it, answer it.

Rules kept here:
- A fault "not applied" keeps the method from running at all; a fault "applied" runs it whole and then loses the
  answer. There is nothing in between, because a method changes the world in one step, under the lock.
- A caller that went away before its answer cannot know what happened: that is counted like an injected fault.
- Method names are not case-sensitive, as with the real server; an unknown one is 404.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

from tests.botapi import methods, topics
from tests.botapi.calls import Answered, Arguments
from tests.botapi.faults import BROKEN_5XX, DROPPED, NOT_APPLIED, UNANSWERED, Fault, Faults, Order
from tests.botapi.methods import Method
from tests.botapi.polling import BY_WEBHOOK, Polling
from tests.botapi.rules import Refusal, bad_request, forbidden, too_many
from tests.botapi.webhook import Webhook
from tests.botapi.world import World

METHODS: dict[str, Method] = {
    "getme": methods.get_me,
    "sendmessage": methods.send_message,
    "editmessagetext": methods.edit_message_text,
    "editmessagereplymarkup": methods.edit_message_reply_markup,
    "deletemessage": methods.delete_message,
    "answercallbackquery": methods.answer_callback_query,
    "leavechat": methods.leave_chat,
    "getfile": methods.get_file,
    "setmycommands": methods.set_my_commands,
    "createforumtopic": topics.create_forum_topic,
    "closeforumtopic": topics.close_forum_topic,
    "deleteforumtopic": topics.delete_forum_topic,
}
UPDATE_METHODS = frozenset({"getupdates", "setwebhook", "deletewebhook", "getwebhookinfo"})


class Lost(Enum):
    """How an answer gets lost."""

    DROPPED = "dropped"
    UNANSWERED = "unanswered"


@dataclass(frozen=True)
class Reply:
    """An answer, as it goes over the wire."""

    status: int
    body: bytes
    outcome: str = "ok"
    retry_after: int = 0
    result: Any = None


Gone = Callable[[], Awaitable[None]]
"""Returns when the caller has gone away."""


def refused(why: Refusal) -> Reply:
    retry_after = why.parameters.get("retry_after", 0)
    return Reply(why.code, json.dumps(why.body()).encode(), why.description, retry_after)


def _broken(status: int) -> Reply:
    return refused(Refusal(status, HTTPStatus(status).phrase))


class Desk:
    """Takes calls. Lives on the server's own loop."""

    def __init__(self, world: World, token: str, faults: Faults, webhook: Webhook) -> None:
        self.polling = Polling(world, lambda: bool(webhook.settings.url))
        self.closing = asyncio.Event()
        self._world = world
        self._token = token
        self._faults = faults
        self._webhook = webhook

    async def take(self, token: str, method: str, arguments: Arguments, gone: Gone) -> Reply | Lost:
        """Answer one call."""
        with self._world.lock:
            number = self._world.log.begin(method, arguments)
        name = method.lower()
        if why := self._stranger(token, name):
            self._logged(number, refused(why), None, applied=False)
            return refused(why)
        with self._world.lock:
            order = self._faults.choose(name, arguments.chat)
        if order is not None and order.how is Fault.SLOW_BEFORE:
            await self._pause(order.seconds)
        reply: Reply | Lost | None
        if order is not None and order.how in NOT_APPLIED:
            reply, applied = _instead(order), False
        else:
            reply, applied = await self._applied(name, arguments, gone)
        answer = await self._return(name, order, reply, gone)
        self._logged(number, answer, order, applied=applied)
        return answer or Lost.DROPPED

    def log_download(self, arguments: Arguments) -> None:
        """Note that somebody fetched a file."""
        with self._world.lock:
            number = self._world.log.begin("download", arguments)
            self._world.log.end(number, status=200, outcome="ok", applied=True)
            self._world.lock.notify_all()

    def _stranger(self, token: str, name: str) -> Refusal | None:
        if ":" not in token:
            return Refusal(401, "Unauthorized: invalid token specified")
        if token != self._token:
            return Refusal(401, "Unauthorized")
        if name not in METHODS and name not in UPDATE_METHODS:
            return Refusal(404, "Not Found: method not found")
        return None

    async def _applied(self, name: str, arguments: Arguments, gone: Gone) -> tuple[Reply | None, bool]:
        """Let the call take effect; whether it did. No reply when the caller went away while polling."""
        try:
            if name == "getupdates":
                return await self._poll(arguments, gone), True
            with self._world.lock:
                answered = self._run(name, arguments)
        except Refusal as why:
            return refused(why), False
        said = {"ok": True, "result": answered.result}
        if answered.description:
            said["description"] = answered.description
        return Reply(200, json.dumps(said, ensure_ascii=True).encode(), result=answered.result), True

    def _run(self, name: str, arguments: Arguments) -> Answered:
        if name == "getwebhookinfo":
            return Answered(self._webhook.info())
        if name == "deletewebhook":
            return self._webhook.delete(arguments)
        if name == "setwebhook":
            answered = self._webhook.set(arguments)
            if self._webhook.settings.url:
                self.polling.end(BY_WEBHOOK)
            return answered
        result = METHODS[name](self._world, arguments)
        return Answered(result)

    async def _poll(self, arguments: Arguments, gone: Gone) -> Reply | None:
        """Poll until there is an answer, or nobody left to hear it."""
        polling = asyncio.create_task(self.polling.get_updates(arguments))
        leaving = asyncio.ensure_future(gone())
        await asyncio.wait({polling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not polling.done():
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
            return None
        return Reply(200, b'{"ok":true,"result":' + polling.result() + b"}")

    async def _return(
        self, name: str, order: Order | None, reply: Reply | Lost | None, gone: Gone
    ) -> Reply | Lost | None:
        """Turn the reply into what the caller gets; None when the caller is gone."""
        if order is None or reply is None or isinstance(reply, Lost):
            return reply
        if order.how is Fault.SLOW_AFTER:
            await self._pause(order.seconds)
        if order.how in {Fault.SLOW_AFTER, Fault.SLOW_BEFORE} and await _is_gone(gone):
            with self._world.lock:
                self._faults.count_unknown(name)
            return None
        return _lost(order) or reply

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the test."""
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            return

    def _logged(self, number: int, answer: Reply | Lost | None, order: Order | None, *, applied: bool) -> None:
        answered = answer if isinstance(answer, Reply) else None
        outcome = answered.outcome if answered else answer.value if isinstance(answer, Lost) else "caller gone"
        with self._world.lock:
            self._world.log.end(
                number,
                status=answered.status if answered else None,
                outcome=outcome,
                applied=applied,
                fault=order.how.value if order else None,
                result=answered.result if answered else None,
            )
            self._world.lock.notify_all()


async def _is_gone(gone: Gone) -> bool:
    try:
        async with asyncio.timeout(0.001):
            await gone()
    except TimeoutError:
        return False
    return True


def _lost(order: Order) -> Reply | Lost | None:
    if order.how in DROPPED:
        return Lost.DROPPED
    if order.how in UNANSWERED:
        return Lost.UNANSWERED
    return _broken(order.status) if order.how in BROKEN_5XX else None


def _instead(order: Order) -> Reply | Lost:
    """What the caller gets when the method never runs."""
    if order.how is Fault.RETRY_AFTER:
        return refused(too_many(order.retry_after))
    if order.how is Fault.FORBIDDEN:
        return refused(forbidden("bot was blocked by the user"))
    if order.how is Fault.CANT_PARSE:
        return refused(bad_request('Can\'t parse entities: Unsupported start tag "x" at byte offset 0'))
    return _lost(order) or _broken(order.status)
