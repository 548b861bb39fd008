"""The Telegram channel against the Bot API stand-in: what a person sees, and what every fault means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from bot import telegram_polling
from bot.channel import Outcome
from bot.telegram_channel import SecondPoller, TelegramChannel, WebhookStillSet
from conversations.messages import Button, Ignored, Incoming, Kind, Outgoing
from tests.botapi import BotApi, Person
from tests.botapi.faults import Fault
from tests.telegram_wire import Inbox, until

ANN = "501"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_polling, "_PAUSES", (0.05, 0.1, 0.2))


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as opened:
        yield opened


@pytest.fixture
def ann(api: BotApi) -> Person:
    return api.person(int(ANN), "Ann")


def channel_to(api: BotApi, grace: float = 10.0) -> TelegramChannel:
    return TelegramChannel(
        api.token,
        api.base_url,
        clock=lambda: datetime.now(UTC),
        help_line=lambda _who: "Ring 999.",
        poll_timeout=2,
        conflict_grace=grace,
    )


@pytest.fixture
async def channel(api: BotApi) -> AsyncIterator[TelegramChannel]:
    made = channel_to(api)
    yield made
    await made.close()


@asynccontextmanager
async def listening(channel: TelegramChannel, inbox: Inbox) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(channel.listen(inbox.store))
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_button_opens_a_page_inside_the_app(ann: Person, channel: TelegramChannel) -> None:
    ann.start()
    sent = await channel.send(ANN, "K7Q2")
    button = Button("Open here", app="https://line.example/mini-app/K7Q2AA")
    await channel.edit(ANN, sent.remote or "", words("the words", button))
    assert [(one.label, one.web_app) for one in ann.buttons] == [(button.label, button.app)]


async def test_a_button_that_telegram_does_not_open_keeps_no_words_back(
    api: BotApi, ann: Person, channel: TelegramChannel
) -> None:
    ann.start()
    sent = await channel.send(ANN, "K7Q2")
    both = Button("Open here", app="http://line.example/"), Button("Yes", token="abc")
    said = Outgoing(text="the words", placeholder="K7Q2", buttons=tuple((one,) for one in both))
    edited = await channel.edit(ANN, sent.remote or "", said)
    assert edited.outcome is Outcome.SENT
    assert (ann.from_bot[-1].text, [one.label for one in ann.buttons]) == ("the words", ["Yes"])
    assert len(api.calls("editMessageText")) == 2


def words(text: str = "the words", *buttons: Button) -> Outgoing:
    return Outgoing(text=text, placeholder="K7Q2", buttons=(buttons,) if buttons else ())


async def test_what_people_do_is_stored_in_order_read_and_confirmed(
    api: BotApi, ann: Person, channel: TelegramChannel
) -> None:
    inbox = Inbox()
    async with listening(channel, inbox):
        ann.start("abc")
        first = ann.write("he is\noutside ")
        ann.edit(first, "he has gone")
        ann.album(3, caption="secret")
        ann.send("document")
        ann.block()
        ann.unblock()
        await until(lambda: not api.pending_updates)
    said = [channel.read(arrival.raw) for arrival in inbox.kept.values()]
    assert all(isinstance(one, Incoming) and one.sender == ANN for one in said)
    unsendable = [Kind.UNSENDABLE] * 4
    expected = [Kind.COMMAND, Kind.TEXT, Kind.EDIT, *unsendable, Kind.BLOCKED, Kind.UNBLOCKED]
    assert [one.kind for one in said if isinstance(one, Incoming)] == expected
    assert len({one.album for one in said if isinstance(one, Incoming) and one.album}) == 1


async def test_ids_that_jump_backwards_lose_nothing(api: BotApi, ann: Person, channel: TelegramChannel) -> None:
    inbox = Inbox()
    async with listening(channel, inbox):
        ann.write("before the quiet week")
        await until(lambda: not api.pending_updates)
        api.set_next_update_id(5)
        ann.write("after it")
        await until(lambda: len(inbox.kept) == 2 and not api.pending_updates)


async def test_a_placeholder_becomes_the_words_and_its_button_is_a_tap(
    api: BotApi, ann: Person, channel: TelegramChannel
) -> None:
    inbox = Inbox()
    async with listening(channel, inbox):
        ann.start()
        await until(lambda: inbox.kept)
        sent = await channel.send(ANN, "K7Q2")
        assert sent.remote is not None
        for _ in range(2):  # repeating is harmless
            edited = await channel.edit(ANN, sent.remote, words("<b>all</b> _of_ it", Button("Accept", token="t1")))
            assert edited.outcome is Outcome.SENT
        tap = ann.tap("Accept")
        await until(lambda: str(tap.update_id) in inbox.kept)
    read = channel.read(inbox.kept[str(tap.update_id)].raw)
    assert isinstance(read, Incoming)
    assert (read.kind, read.token, read.message) == (Kind.TAP, "t1", sent.remote)
    assert read.query is not None
    await channel.answer_tap(read.query, "Taken")
    assert tap.wait_for_answer()
    assert [message.text for message in ann.from_bot] == ["<b>all</b> _of_ it"]
    assert ann.lock_screen == ["K7Q2"]


async def test_a_topic_is_opened_written_to_and_known_again(api: BotApi, ann: Person, channel: TelegramChannel) -> None:
    api.topics_enabled = True
    ann.start()
    opened = await channel.open_thread(ANN, "K7Q2")
    assert opened.remote is not None
    assert (await channel.send(ANN, "K7Q2", thread=opened.remote)).outcome is Outcome.SENT
    inbox = Inbox()
    async with listening(channel, inbox):
        ann.write("inside it", thread=int(opened.remote))
        await until(lambda: not api.pending_updates)
    read = [channel.read(arrival.raw) for arrival in inbox.kept.values()]
    assert [one.thread for one in read if isinstance(one, Incoming) and one.text == "inside it"] == [opened.remote]
    gone = await channel.send(ANN, "K7Q2", thread="999")
    assert (gone.outcome, gone.why) == (Outcome.REJECTED, "thread gone")


async def test_a_bot_put_into_a_group_can_leave_it(api: BotApi, channel: TelegramChannel) -> None:
    group = api.group()
    inbox = Inbox()
    async with listening(channel, inbox):
        group.write(api.person(502), "hello all")
        await until(lambda: not api.pending_updates)
    said = [channel.read(arrival.raw) for arrival in inbox.kept.values()]
    assert all(isinstance(one, Ignored) and one.leave == "-1001" for one in said)
    await channel.leave("-1001")
    assert not group.bot_is_member
    assert not group.from_bot


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.NOT_APPLIED_5XX, Outcome.UNKNOWN),
        (Fault.APPLIED_5XX, Outcome.UNKNOWN),
        (Fault.NOT_APPLIED_DROPPED, Outcome.UNKNOWN),
        (Fault.APPLIED_DROPPED, Outcome.UNKNOWN),
        (Fault.RETRY_AFTER, Outcome.NOT_SENT),
        (Fault.FORBIDDEN, Outcome.REFUSED),
        (Fault.CANT_PARSE, Outcome.REJECTED),
        (Fault.SLOW_AFTER, Outcome.SENT),
    ],
)
async def test_every_fault_means_what_is_known_and_never_more(
    api: BotApi, ann: Person, channel: TelegramChannel, fault: Fault, outcome: Outcome
) -> None:
    ann.start()
    api.fail("sendMessage", fault, seconds=0.2)
    assert (await channel.send(ANN, "K7Q2")).outcome is outcome
    assert (await channel.send(ANN, "K7Q2")).outcome is Outcome.SENT


async def test_who_blocked_us_or_never_started_us_is_refused(
    api: BotApi, ann: Person, channel: TelegramChannel
) -> None:
    assert (await channel.send("777", "K7Q2")).outcome is Outcome.REFUSED
    ann.start()
    ann.block()
    refused = await channel.send(ANN, "K7Q2")
    assert (refused.outcome, refused.why) == (Outcome.REFUSED, "blocked")


async def test_a_partition_is_certainly_not_sent_and_listening_outlives_it(
    api: BotApi, ann: Person, channel: TelegramChannel
) -> None:
    inbox = Inbox()
    ann.start()
    async with listening(channel, inbox):
        await until(lambda: inbox.kept)
        api.partition()
        assert (await channel.send(ANN, "K7Q2")).outcome is Outcome.NOT_SENT
        api.heal()
        ann.write("still there?")
        await until(lambda: len(inbox.kept) == 2)


async def test_of_two_pollers_the_newcomer_gives_up_and_the_first_goes_on(api: BotApi, ann: Person) -> None:
    first, newcomer, inbox = channel_to(api, grace=1.0), channel_to(api, grace=1.0), Inbox()
    async with listening(first, inbox) as living:
        await asyncio.sleep(1.5)
        with pytest.raises(SecondPoller):
            await asyncio.wait_for(newcomer.listen(inbox.store), 10)
        ann.write("who is there?")
        await until(lambda: inbox.kept)
        assert not living.done()
    await asyncio.gather(first.close(), newcomer.close())


async def test_polling_beside_a_webhook_says_so(api: BotApi, channel: TelegramChannel) -> None:
    set_up = await channel.set_webhook("https://127.0.0.1:1/hook", "s" * 40)
    assert set_up.outcome is Outcome.SENT
    with pytest.raises(WebhookStillSet):
        await asyncio.wait_for(channel.listen(Inbox().store), 10)
    assert (await channel.delete_webhook()).outcome is Outcome.SENT
