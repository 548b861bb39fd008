"""The stand-in as a test holds it: opened and closed, spoken to from any thread, every call of it synchronous."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, Self

from tests.botapi.calls import Call, JsonObject
from tests.botapi.chats import Chat, ChatKind
from tests.botapi.desk import Desk
from tests.botapi.faults import EFFECTIVE_METHODS, Fault, Faults, Order, Plan
from tests.botapi.groups import Group
from tests.botapi.limits import Limits
from tests.botapi.people import PATIENCE, Person
from tests.botapi.server import Door
from tests.botapi.updates import Queued
from tests.botapi.webhook import Webhook
from tests.botapi.world import PersonRecord, World


class BotApi:
    """A Bot API server on loopback, for one bot."""

    def __init__(self, token: str = "123456:TEST-TOKEN", *, rate_limits: bool = False) -> None:
        self.token = token
        self._faults = Faults()
        self._world = World(int(token.partition(":")[0]), self._ring)
        self._webhook = Webhook(self._world)
        self._desk = Desk(self._world, token, self._faults, self._webhook)
        self._door = Door(self._desk, self._webhook.run)
        self.rate_limits = rate_limits

    def open(self) -> Self:
        self._door.open()
        return self

    def close(self) -> None:
        self._door.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ring(self) -> None:
        """Something new waits: tell the loop, and whoever waits in a test."""
        self._door.call_soon(self._desk.polling.ring)
        self._door.call_soon(self._webhook.bell.set)
        self._world.lock.notify_all()

    # --- where, who, when -------------------------------------------------------------------------

    @property
    def port(self) -> int:
        return self._door.port

    @property
    def base_url(self) -> str:
        """For PTB: the token is put right behind it."""
        return f"http://127.0.0.1:{self.port}/bot"

    @property
    def base_file_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/file/bot"

    @property
    def bot_id(self) -> int:
        return self._world.bot.user_id

    @property
    def topics_enabled(self) -> bool:
        """getMe's has_topics_enabled: whether private chats may have topics."""
        return self._world.bot.topics_enabled

    @topics_enabled.setter
    def topics_enabled(self, on: bool) -> None:
        self._world.bot.topics_enabled = on

    @property
    def private_topics_close(self) -> bool:
        """Whether closeForumTopic is taken in private chats. Telegram takes it in supergroups only."""
        return self._world.private_topics_close

    @private_topics_close.setter
    def private_topics_close(self, on: bool) -> None:
        self._world.private_topics_close = on

    @property
    def rate_limits(self) -> bool:
        """Whether Telegram's limits on sending are enforced."""
        return self._world.limits is not None

    @rate_limits.setter
    def rate_limits(self, on: bool) -> None:
        self._world.limits = Limits() if on else None

    @property
    def callback_lifetime(self) -> float:
        """How many seconds a tap can be answered."""
        return self._world.callback_lifetime

    @callback_lifetime.setter
    def callback_lifetime(self, seconds: float) -> None:
        self._world.callback_lifetime = seconds

    @property
    def commands(self) -> list[JsonObject]:
        """What setMyCommands set last."""
        with self._world.lock:
            return list(self._world.bot.commands)

    def now(self) -> float:
        """The stand-in's time, in seconds since 1970."""
        return self._world.now()

    def advance(self, seconds: float) -> None:
        """Let time pass at once: updates expire, taps grow too old, limits relax."""
        with self._world.lock:
            self._world.skew += seconds
            self._world.lock.notify_all()

    def stop_clock(self) -> None:
        """Let the stand-in's time stand still from here on, but for `advance`."""
        with self._world.lock:
            self._world.stopped = time.time()

    # --- people and places ------------------------------------------------------------------------

    def person(
        self,
        user_id: int,
        first_name: str = "Person",
        *,
        last_name: str = "",
        username: str = "",
        language_code: str = "en",
    ) -> Person:
        """Give a person: the same one whenever asked for the same id."""
        with self._world.lock:
            new = PersonRecord(user_id, first_name, last_name, username, language_code)
            return Person(self._world, self._world.people.setdefault(user_id, new))

    def group(self, chat_id: int = -1001, title: str = "A group", kind: ChatKind = "group") -> Group:
        """Give a group, supergroup or channel. The bot is in it."""
        with self._world.lock:
            return Group(self._world, self._world.chats.setdefault(chat_id, Chat(chat_id, kind, title)))

    # --- updates ----------------------------------------------------------------------------------

    @property
    def updates(self) -> list[Queued]:
        """Every update ever made, with how often it was handed over and whether it was confirmed."""
        with self._world.lock:
            return [replace(one) for one in self._world.updates.all]

    @property
    def pending_updates(self) -> list[int]:
        """The ids of those that wait or were not confirmed yet."""
        with self._world.lock:
            self._world.updates.expire()
            return [one.update_id for one in self._world.updates.waiting]

    def push(self, raw: JsonObject | bytes, lane: int = 0) -> int:
        """Queue anything at all as an update, asked for or not. A dict without update_id gets the next one."""
        with self._world.lock:
            return self._world.updates.push(raw, lane)

    def resend(self, update_id: int) -> None:
        """Deliver an update once more, under the same id."""
        with self._world.lock:
            self._world.updates.resend(update_id)

    def set_next_update_id(self, update_id: int) -> None:
        """Number the updates from here on; a lower id is Telegram's random jump after an idle week."""
        with self._world.lock:
            self._world.updates.next_id = update_id

    def wait_until_drained(self, timeout: float = PATIENCE) -> None:
        """Wait until every update was confirmed."""
        if not self.wait_until(lambda: not self.pending_updates, timeout):
            raise AssertionError(f"still waiting after {timeout} s: {self.pending_updates}")

    @property
    def conflict_ends(self) -> Literal["old", "new"]:
        """Which of two getUpdates gets the 409. Telegram: the old one."""
        return self._desk.polling.ends

    @conflict_ends.setter
    def conflict_ends(self, which: Literal["old", "new"]) -> None:
        self._desk.polling.ends = which

    @property
    def webhook_url(self) -> str:
        return self._webhook.settings.url

    @property
    def webhook_backoff(self) -> tuple[float, float]:
        """First and longest delay between tries of a delivery, in seconds."""
        return self._webhook.backoff

    @webhook_backoff.setter
    def webhook_backoff(self, first_and_longest: tuple[float, float]) -> None:
        self._webhook.backoff = first_and_longest

    # --- the log ----------------------------------------------------------------------------------

    def calls(self, method: str | None = None, chat_id: int | None = None) -> list[Call]:
        """Every call, or those to one method or about one chat, in order of arrival."""
        with self._world.lock:
            return self._world.log.of(method, chat_id)

    def mentions(self, words: str) -> list[Call]:
        """Every call that holds these words anywhere."""
        return [call for call in self.calls() if call.mentions(words)]

    def wait_for_calls(
        self, method: str, count: int = 1, timeout: float = PATIENCE, *, chat_id: int | None = None
    ) -> list[Call]:
        """Wait until a method was called, and answered, so often."""

        def answered() -> list[Call]:
            return [call for call in self.calls(method, chat_id) if call.outcome != "open"]

        if not self.wait_until(lambda: len(answered()) >= count, timeout):
            raise AssertionError(f"{len(answered())} of {count} calls to {method} within {timeout} s")
        return answered()

    def wait_until(self, true: Callable[[], Any], timeout: float = PATIENCE) -> bool:
        """Wait until something about the stand-in is true; whether it came true."""
        return self._world.until(true, timeout)

    # --- faults -----------------------------------------------------------------------------------

    def fail(
        self,
        method: str,
        how: Fault | str,
        times: int | None = 1,
        chat_id: int | None = None,
        *,
        retry_after: int = 1,
        seconds: float = 1.0,
        status: int = 502,
    ) -> None:
        """Let the next calls to a method ("*": any) go wrong. `times` None: until clear_faults."""
        with self._world.lock:
            order = Order(Fault(how), method.lower(), times, chat_id, retry_after, seconds, status)
            self._faults.orders.append(order)

    def fault_plan(
        self,
        seed: int,
        rates: Mapping[Fault, float],
        methods: Collection[str] = EFFECTIVE_METHODS,
        *,
        retry_after: int = 1,
        seconds: float = 0.2,
    ) -> None:
        """Let calls go wrong by chance, the same way for the same seed."""
        with self._world.lock:
            names = frozenset(method.lower() for method in methods)
            self._faults.plan = Plan(seed, rates, names, retry_after, seconds)

    def clear_faults(self) -> None:
        """No more faults, neither ordered nor by chance."""
        with self._world.lock:
            self._faults.orders.clear()
            self._faults.plan = None

    @property
    def injected_faults(self) -> dict[Fault, int]:
        with self._world.lock:
            return dict(self._faults.injected)

    @property
    def unknown_by_method(self) -> dict[str, int]:
        """By method, in lower case: calls after which the caller cannot know whether they took effect."""
        with self._world.lock:
            return dict(self._faults.unknown)

    @property
    def unknown_outcomes(self) -> int:
        return sum(self.unknown_by_method.values())

    def partition(self) -> None:
        """Cut every connection and refuse new ones."""
        self._door.refuse()

    def heal(self) -> None:
        """Be reachable again."""
        self._door.accept()
