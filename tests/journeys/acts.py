"""The sentences in which somebody does something, or time passes. After each the line comes to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any

from access.enrolment import issue_code
from access.tables import CodePurpose, TelegramBinding
from conversations import rota, search, store, wording
from conversations.transfer import offer_transfer
from conversations.work import BY_THE_LINE, Work
from tests.journeys.actors import ADVICE_FORM, Actor
from tests.journeys.at_telegram import AtTelegram
from tests.journeys.at_the_web import AtWeb
from tests.journeys.book import BOOK, duration, names
from tests.journeys.reading import Act
from tests.journeys.stage import Stage

SHIFT = timedelta(hours=8)
KINDS = {"voice note": "voice", "file": "document"}


def sentence(pattern: str) -> Callable[[Act], Act]:
    """Teach a sentence that is an act."""

    def keep(act: Act) -> Act:
        @wraps(act)
        async def whole(stage: Stage, **given: Any) -> None:
            async with stage.act():
                await act(stage, **given)

        BOOK.sentence(pattern)(whole)
        return act

    return keep


def _ref(stage: Stage, it: str) -> str:
    return stage.question(it).ref


def _phone(stage: Stage, who: str) -> AtTelegram:
    actor = stage.phones.get(who) or stage.actors[who]
    assert isinstance(actor, AtTelegram), f"{who} has no Telegram in this story"
    return actor


# --- duty ------------------------------------------------------------------------------------------


@sentence("{people} is on duty")
@sentence("{people} are on duty")
async def on_duty(stage: Stage, people: str) -> None:
    for who in names(people):
        await on_duty_for(stage, who, "8 hours")


@sentence("{who} is on duty for {time}")
async def on_duty_for(stage: Stage, who: str, time: str) -> None:
    until = stage.house.clock() + duration(time)
    stage.do(lambda work: rota.go_on_duty(work, stage.actors[who].id, store.IDVA_DUTY, until))


@sentence("{who} is duty lead")
async def duty_lead(stage: Stage, who: str) -> None:
    until = stage.house.clock() + SHIFT
    stage.do(lambda work: rota.go_on_duty(work, stage.actors[who].id, store.LEAD_DUTY, until))


@sentence("{who}'s shift begins in {time}")
async def shift_begins_in(stage: Stage, who: str, time: str) -> None:
    start = stage.house.clock() + duration(time)
    stage.do(lambda work: rota.add_shift(work, stage.actors[who].id, store.IDVA_DUTY, start, start + SHIFT))


@sentence("{who} goes off duty")
async def off_duty(stage: Stage, who: str) -> None:
    actor = stage.actors[who]
    await stage.at_page(actor, lambda work: rota.go_off_duty(work, actor.id, store.IDVA_DUTY))


@sentence("{who} loses access")
async def loses_access(stage: Stage, who: str) -> None:
    stage.do(lambda work: rota.suspend(work, stage.actors[who].id, BY_THE_LINE))


# --- writing ---------------------------------------------------------------------------------------


async def _write(actor: Actor, words: str, ref: str | None, *, anew: bool = False) -> None:
    actor.stage.secrets.add(words)
    await actor.write(words, ref, anew=anew)


@sentence("{who} writes: {words}")
async def writes(stage: Stage, who: str, words: str) -> None:
    await _write(stage.actors[who], words, None)


@sentence("{who} writes about {it}: {words}")
async def writes_about(stage: Stage, who: str, it: str, words: str) -> None:
    await _write(stage.actors[who], words, _ref(stage, it))


@sentence("{who} asks something new: {words}")
async def asks_anew(stage: Stage, who: str, words: str) -> None:
    await _write(stage.actors[who], words, None, anew=True)


@sentence('{who} changes "{old}" to: {words}')
async def changes(stage: Stage, who: str, old: str, words: str) -> None:
    stage.secrets.add(words)
    await stage.actors[who].change(old, words)


@sentence("{who} writes on the phone: {words}")
async def writes_on_phone(stage: Stage, who: str, words: str) -> None:
    await _phone(stage, who).write(stage.fill(words), None)


@sentence("{who} sends a {thing}")
@sentence("{who} sends an {thing}")
async def sends(stage: Stage, who: str, thing: str) -> None:
    person = _phone(stage, who).person
    if thing == "album":
        person.album(3)
    else:
        person.send(KINDS.get(thing, thing))


# --- tapping ---------------------------------------------------------------------------------------


@sentence('{who} taps "{label}"')
async def taps(stage: Stage, who: str, label: str) -> None:
    await stage.actors[who].tap(stage.fill(label), None)


@sentence('{who} taps "{label}" about {it}')
async def taps_about(stage: Stage, who: str, label: str, it: str) -> None:
    await stage.actors[who].tap(label, _ref(stage, it))


@sentence('{who} taps "{label}" twice')
async def taps_twice(stage: Stage, who: str, label: str) -> None:
    await stage.actors[who].tap(stage.fill(label), None, 2)


@sentence("{who} holds on to what they see")
async def holds_on(stage: Stage, who: str) -> None:
    stage.actors[who].hold_on()


@sentence('{who} taps "{label}" on what they held on to')
async def taps_held(stage: Stage, who: str, label: str) -> None:
    await stage.actors[who].tap_held(label)


@sentence('{who} taps "{label}" on the phone')
async def taps_on_phone(stage: Stage, who: str, label: str) -> None:
    await _phone(stage, who).tap(label, None)


# --- taking, declining, dealing with ---------------------------------------------------------------


@sentence("{who} accepts {it}")
async def accepts(stage: Stage, who: str, it: str) -> None:
    await stage.actors[who].accept(_ref(stage, it))


@sentence("{who} accepts {it} twice")
async def accepts_twice(stage: Stage, who: str, it: str) -> None:
    actor = stage.actors[who]
    if isinstance(actor, AtTelegram):
        await actor.tap(wording.label("accept"), _ref(stage, it), 2)
    else:
        await actor.accept(_ref(stage, it))
        await actor.accept(_ref(stage, it))


@sentence("{who} declines {it}: {reason}")
async def declines(stage: Stage, who: str, it: str, reason: str) -> None:
    short = next(short for short, long in wording.DECLINE_REASONS.items() if long == reason)
    await stage.actors[who].decline(_ref(stage, it), short)


@sentence("{who} and {other} accept {it} at the same moment")
async def both_accept(stage: Stage, who: str, other: str, it: str) -> None:
    """Two transactions that truly run at once: two pages, or two lanes of the inbox."""
    ref = _ref(stage, it)
    both = [stage.actors[who], stage.actors[other]]
    if all(isinstance(one, AtTelegram) for one in both):
        for one in both:
            await one.accept(ref)
        await stage.works.hear()
        handled = await asyncio.gather(*(stage.works.threads.run(stage.works.intake.handle_next) for _ in both))
        for one_done in handled:
            assert one_done is not None
            await stage.works.follow_up(one_done)
        return

    async def at_page(actor: Actor) -> None:
        def act() -> None:
            asyncio.run(stage.at_page(actor, lambda work: search.accept(stage.case(work, ref), actor.id)))

        await stage.works.threads.run(act)

    await asyncio.gather(*(at_page(one) for one in both))


@sentence("{who} deals with {it} in person")
async def deals_with(stage: Stage, who: str, it: str) -> None:
    await stage.actors[who].deal_with(_ref(stage, it))


@sentence("{who} withdraws {it}")
async def withdraws(stage: Stage, who: str, it: str) -> None:
    await stage.actors[who].withdraw(_ref(stage, it))


@sentence("{who} sets the log number of {it} to {number}")
async def sets_log(stage: Stage, who: str, it: str, number: str) -> None:
    stage.secrets.add(number)
    await stage.actors[who].set_log(number, _ref(stage, it))


@sentence("{who} ends {it} with this advice")
async def advises(stage: Stage, who: str, it: str, form: Mapping[str, str]) -> None:
    actor, ref = stage.actors[who], _ref(stage, it)
    unknown = set(form) - set(ADVICE_FORM)
    assert not unknown, f"the form has {list(ADVICE_FORM)}, not {sorted(unknown)}"
    stage.secrets.update(value for name, value in form.items() if value and name != "Status")
    await actor.advise(ref, form)


@sentence("{who} sends this advice, not saying whose")
async def advises_somebody(stage: Stage, who: str, form: Mapping[str, str]) -> None:
    stage.secrets.update(value for name, value in form.items() if name != "Status")
    await _phone(stage, who).advise(None, form)


@sentence("{who} asks {other} to take over {it}, with the note: {words}")
async def passes_on(stage: Stage, who: str, other: str, it: str, words: str) -> None:
    actor, ref = stage.actors[who], _ref(stage, it)
    actor.open_form(ref)
    stage.secrets.add(words)

    def act(work: Work) -> None:
        offer_transfer(stage.case(work, ref), actor.id, stage.actors[other].id, words)

    await stage.at_page(actor, act)


# --- Telegram itself -------------------------------------------------------------------------------


@sentence("{who} blocks the bot")
async def blocks(stage: Stage, who: str) -> None:
    _phone(stage, who).person.block()


@sentence("{who}'s Telegram account is deleted")
async def deleted(stage: Stage, who: str) -> None:
    _phone(stage, who).person.deactivate()


@sentence("{who} opens the bot again")
async def unblocks(stage: Stage, who: str) -> None:
    _phone(stage, who).person.unblock()


@sentence("{who} has not connected Telegram yet")
async def not_connected(stage: Stage, who: str) -> None:
    key = stage.actors[who].id
    stage.do(lambda work: work.session.delete(work.session.get_one(TelegramBinding, key)))


@sentence("{who} is given a one-time link to Telegram")
async def given_link(stage: Stage, who: str) -> None:
    stage.code = f"{len(stage.code) + 10:032x}"
    key = stage.actors[who].id
    stage.do(lambda work: issue_code(work.session, stage.code, CodePurpose.TELEGRAM, key, work.now))


@sentence("{who} opens the link")
async def opens_link(stage: Stage, who: str) -> None:
    actor = stage.actors[who]
    assert isinstance(actor, AtTelegram)
    actor.person.start(stage.code)


# --- pages, time, the line -------------------------------------------------------------------------


@sentence("{who} looks away")
async def looks_away(stage: Stage, who: str) -> None:
    actor = stage.actors[who]
    if isinstance(actor, AtWeb):
        actor.looking = False


@sentence("{who} looks at the page again")
async def looks_again(stage: Stage, who: str) -> None:
    actor = stage.actors[who]
    if isinstance(actor, AtWeb):
        actor.looking = True
        await actor.refresh()


@sentence("{time} passes")
@sentence("{time} pass")
async def passes(stage: Stage, time: str) -> None:
    await stage.pass_time(duration(time))


@sentence("the line is down")
async def line_down(stage: Stage) -> None:
    await stage.works.stop()


@sentence("the line is up again")
async def line_up(stage: Stage) -> None:
    await stage.works.start()
