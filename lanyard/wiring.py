"""The composition root: clock, keys, database, channels and pages, made here and handed in.

Rule kept here: whatever can be refused is refused before the first message is taken, with one line that says
what to do.
"""

from __future__ import annotations

import asyncio
import fcntl
import importlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import IO, Any, cast

from sqlalchemy import literal, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from access.people import enrolled_addresses, has_people
from audit.events import Event
from audit.second import SecondTrail
from bot.channel import Outcome
from bot.counting import keep_counting
from bot.courier import Courier
from bot.intake import Intake
from bot.quiet import strike_out
from bot.telegram_channel import TelegramChannel
from bot.telegram_polling import CannotListen
from bot.threads import Threads
from bot.watch import Watch
from bot.web_channel import WebDoor, arrival
from bot.webhook import webhook_route
from console.front import Front, Result
from console.web import create_app
from conversations import archive, catalogue, erasure, wording
from conversations.line import Line
from conversations.messages import ChannelName
from conversations.receive import Received
from conversations.work import BY_THE_LINE, Work, working
from knowledge.entry import Published
from knowledge.guide import Guide
from knowledge.guide_in_time import GuideInTime
from knowledge.library import live, live_number
from lanyard.bells import Bells
from lanyard.schema import require_current
from lanyard.settings import BadSettings, KeySource, Settings, TelegramMode, read_secret
from lanyard.signing import published
from lanyard.ways_in import make_providers, mini_app_key
from storage.database import Database, DatabaseUnavailable
from storage.key_file import read_key_file
from storage.keys import Keyring
from storage.providers import EnvironmentProvider, KeyProblem, KeyProvider

PATIENCE = 1.0  # seconds a page waits for what came of a message
ARCHIVE_TURNS = 3600.0  # seconds
GUIDE_LOOKS = 1.0  # seconds between two looks whether another release of the catalogue is live
PAGE_WAIT = 4.0  # seconds; a page that needs the database twice still answers within ten


class AlreadyRunning(Exception):
    """Another lanyard serves this SQLite database. Stop it first; several replicas need PostgreSQL."""

    def __str__(self) -> str:
        return self.__doc__ or ""


class PracticeMix(Exception):
    """This database holds real people: practice mode would put made-up people among them. Use another database."""

    def __str__(self) -> str:
        return self.__doc__ or ""


class MadeUpPeople(Exception):
    """This database holds made-up practice people. Start with an empty database, or in practice mode."""

    def __str__(self) -> str:
        return self.__doc__ or ""


@dataclass(frozen=True)
class House:
    """Everything that commands and the server need."""

    settings: Settings
    line: Line
    bells: Bells


def now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


def token() -> str:
    """128 random bits."""
    return secrets.token_hex(16)


def open_database(settings: Settings) -> Database:
    """The database, its folder made if need be. Raises `BadSettings`."""
    file = settings.database_file()
    try:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        second = SecondTrail(settings.second_trail) if settings.second_trail else None
        return Database(settings.database, second)
    except OSError as error:
        raise BadSettings(f"LANYARD_DATABASE: its folder cannot be made ({error.strerror}).") from None
    except (SQLAlchemyError, ValueError):  # the address may hold a password: none of it is shown
        raise BadSettings(
            "LANYARD_DATABASE is no address of a database: sqlite:///file or postgresql+psycopg://user@host/name"
        ) from None


def open_house(settings: Settings, database: Database) -> House:
    """Check that schema, keys and people fit, and put the line together, with the catalogue that comes with the
    program where none was ever live. Raises what refuses to start."""
    require_current(database)
    keyring = Keyring(key_provider(settings))
    bells = Bells()
    line = Line(
        database,
        keyring,
        settings.policy(),
        settings.doors(),
        bells,
        now,
        token,
        place=settings.area,
        retention=settings.kept(),
    )
    with working(line) as work:
        keyring.prove_fits(work.session, work.now)
        if has_people(work.session, practice=not settings.practice):
            raise PracticeMix if settings.practice else MadeUpPeople
        catalogue.seed(work)
    return House(settings, line, bells)


def key_provider(settings: Settings) -> KeyProvider:
    """Whoever holds the keys, by the settings. Raises `KeyProblem`."""
    if settings.keys is KeySource.ENVIRONMENT and settings.key:
        return EnvironmentProvider(settings.key.get_secret_value(), practice=settings.practice)
    if settings.keys is KeySource.TRANSIT and settings.transit_url and settings.transit_token_file:
        try:
            # Not imported above: `hvac` is an optional extra, and most installations neither have nor need it.
            transit = importlib.import_module("storage.transit")
        except ModuleNotFoundError:
            raise KeyProblem(
                "LANYARD_KEYS=transit needs one more package. Run: pip install 'lanyard[transit]'"
            ) from None
        token_file = settings.transit_token_file
        where = transit.Transit(
            settings.transit_url, lambda: read_secret(token_file), time.monotonic, settings.transit_mount
        )
        return cast(KeyProvider, transit.TransitProvider(where))
    file = settings.database_file()
    return read_key_file(settings.key_file, file.parent if file else None)


def keep_alone(settings: Settings) -> IO[str] | None:
    """On SQLite, one server at a time: an advisory lock beside the file. Raises `AlreadyRunning`."""
    file = settings.database_file()
    if file is None:
        return None
    lock = open(file.with_suffix(file.suffix + ".serving"), "w")  # noqa: SIM115 - held until the process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise AlreadyRunning from None
    return lock


def make_telegram(settings: Settings, help_line: Callable[[str], str | None]) -> TelegramChannel | None:
    """The way to Telegram, where it is used. Raises `BadSettings`."""
    if settings.telegram is TelegramMode.OFF:
        return None
    bot_token = settings.telegram_token().get_secret_value()
    strike_out(bot_token)
    return TelegramChannel(bot_token, settings.telegram_api, clock=now, help_line=help_line)


async def bot_name(settings: Settings) -> str | None:
    """The bot's public name; None where there is no bot or it cannot be asked. Raises `TokenRefused`."""
    telegram = make_telegram(settings, lambda _address: None)
    if telegram is None:
        return None
    try:
        return telegram.username if await telegram.identify() else None
    finally:
        await telegram.close()


class Server:
    """The running line: pages, lanes, courier and watch."""

    def __init__(self, house: House) -> None:
        self._guide: Guide = GuideInTime()
        self._live: tuple[Published, ...] | None = None  # what is public is in memory: no stranger asks the database
        self._release: int | None = None
        self._house = house = replace(house, line=replace(house.line, guide=self._guide))
        self._threads = Threads()
        self._known: set[str] = set()
        self.telegram = make_telegram(house.settings, self.help_line)
        doors = {ChannelName.WEB: WebDoor()} | ({ChannelName.TELEGRAM: self.telegram} if self.telegram else {})
        self._intake = Intake(house.line, doors, self._threads)
        self._courier = Courier(house.line, self.telegram, self._threads) if self.telegram else None
        self._watch = Watch(house.line, self._threads)
        self.failed: BaseException | None = None
        self.app = self._app()

    def help_line(self, address: str) -> str | None:
        """What to say when the database cannot be written. Needs none."""
        policy = self._house.line.policy
        if address not in self._known:
            return wording.say("help_stranger")
        return wording.say(
            "trouble", lead_name=policy.lead_name, lead_phone=policy.lead_phone, emergency=policy.emergency
        )

    def _app(self) -> Starlette:
        settings = self._house.settings
        front = Front(
            line=self._house.line,
            run=self._run,
            say=self._say,
            live=self._house.bells.live,
            assets=settings.assets,
            practice=settings.practice,
            ready=self._ready,
            bot=lambda: self.telegram.username if self.telegram else None,
            checkpoint=lambda epoch: published(settings, epoch),
            directory=lambda: self._live,
            providers=make_providers(settings),
            mini_app_key=mini_app_key(settings),
        )
        # Telegram's calls stay outside the pages' guard, which refuses what no browser of ours sent.
        routes: list[BaseRoute] = [Mount("", create_app(front))]
        secret = settings.webhook_secret()
        if self.telegram and settings.telegram_webhook_path and secret:
            path = settings.telegram_webhook_path
            strike_out(path, secret.get_secret_value())
            routes.insert(0, webhook_route(self.telegram, path, secret.get_secret_value(), self._intake.store))
        return Starlette(routes=routes, lifespan=self._lifespan)

    async def _run(self, act: Callable[[Work], Result]) -> Result:
        def whole() -> Result:
            with working(self._house.line) as work:
                return act(work)

        return await _in_time(self._threads.run(whole))

    async def _say(self, person_id: str, ref: str | None, text: str, client_id: str) -> Received | None:
        return await _in_time(self._intake.settle(arrival(person_id, ref, text, client_id), PATIENCE))

    async def _ready(self) -> bool:
        def ask() -> bool:
            with self._house.line.database.reading() as session:
                return bool(session.scalar(select(literal(1))))

        try:
            return await self._threads.run(ask)
        except (SQLAlchemyError, OSError):
            return False

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        # Not the lanes: only `store` gives them work, and it wakes them itself.
        wakers = [self._watch.wake] + ([self._courier.wake] if self._courier else [])
        self._house.bells.attach(loop, *wakers)
        await self._threads.run(self._begin)
        async with AsyncExitStack() as stack:
            for name, run in self._runners():
                task = asyncio.create_task(run, name=name)
                task.add_done_callback(self._stopped)
                stack.push_async_callback(_end, task)
            yield
        if self.telegram:
            await self.telegram.close()
        self._threads.close()

    def _runners(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        runners: list[tuple[str, Coroutine[Any, Any, None]]] = [
            ("lanes", self._intake.work_lanes()),
            ("watch", self._watch.keep()),
            ("archive", self._keep_archive()),
            ("guide", self._keep_guide()),
            ("reports", keep_counting(self._house.line, self._threads)),
        ]
        if self.telegram and self._courier:
            runners.append(("courier", self._courier.carry()))
            if self._house.settings.telegram_webhook_path is None:
                runners.append(("telegram", self.telegram.listen(self._intake.store)))
            else:
                runners.append(("webhook", self._announce_webhook()))
            runners.append(("addresses", self._learn_addresses()))
        return runners

    def _begin(self) -> None:
        """Before anything is taken in: void old claims, own up to an outage, note how words travel."""
        if self._courier and self._house.line.database.is_sqlite:
            self._courier.start_afresh()
        self._watch.own_up_to_outage()
        erasure.finish(self._house.line)  # an erasure may have died, or met a reader, before the files let go
        if self._house.settings.telegram is TelegramMode.RELAY:
            with working(self._house.line) as work:
                reference = self._house.settings.impact_assessment
                work.record(Event.RELAY_CHOSEN, BY_THE_LINE, impact_assessment=reference)

    async def _keep_guide(self) -> None:
        """Take up another release of the catalogue within a second or two of its publishing."""
        while True:
            with suppress(SQLAlchemyError, OSError):
                await self._threads.run(self._renew_guide)
            await asyncio.sleep(GUIDE_LOOKS)

    async def _keep_archive(self) -> None:
        """Put what has ended for good under the key of its month; a full turn is followed by another at once."""
        while True:
            moved = archive.MOST
            while moved == archive.MOST:
                moved = await self._threads.run(self._archive)
            await asyncio.sleep(ARCHIVE_TURNS)

    def _archive(self) -> int:
        with suppress(SQLAlchemyError, OSError):
            return archive.settle(self._house.line)
        return 0

    def _renew_guide(self) -> None:
        with self._house.line.database.reading() as session:
            number = live_number(session)
            if number != self._release:
                self._live, self._release = live(session), number
            self._guide.renew(session)

    async def _announce_webhook(self) -> None:
        """Tell Telegram where to deliver, until it has taken note. Raises `TokenRefused`."""
        settings, secret = self._house.settings, self._house.settings.webhook_secret()
        url = settings.public_url.rstrip("/") + (settings.telegram_webhook_path or "")
        while self.telegram and secret:
            if await self.telegram.identify():
                sent = await self.telegram.set_webhook(url, secret.get_secret_value())
                if sent.outcome is Outcome.SENT:
                    return
            await asyncio.sleep(5)

    async def _learn_addresses(self) -> None:
        """Know in memory who is enrolled, for the help line that needs no database."""
        while True:
            with suppress(SQLAlchemyError, OSError):
                self._known = await self._threads.run(self._addresses)
            await asyncio.sleep(10)

    def _addresses(self) -> set[str]:
        with self._house.line.database.reading() as session:
            return enrolled_addresses(session, self._house.line.keyring)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        self.failed = task.exception()
        self.stop()

    def stop(self) -> None:
        """Set by whoever runs the server: ends it when a part of the line cannot go on."""


async def _in_time(work: Awaitable[Result]) -> Result:
    """A page does not wait for a database that does not answer: it shows whom to ring. What was under way may still
    take effect; a line that is sent again under its own id does so once."""
    try:
        async with asyncio.timeout(PAGE_WAIT):
            return await work
    except TimeoutError:
        raise DatabaseUnavailable from None


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, CannotListen, Exception):
        await task


__all__ = ["AlreadyRunning", "BadSettings", "House", "MadeUpPeople", "PracticeMix", "Server"]
