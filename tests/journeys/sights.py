"""The sentences that say what somebody sees and how things stand. None of them changes anything."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select

from conversations import store, view
from conversations.states import ENDED, TIMERS, State, Timer
from conversations.tables import Consultation, Held
from conversations.wording import DECLINE_REASONS, PLACEHOLDER, PLACEHOLDER_PLAIN
from tests.journeys.actors import CAST, DONE, Actor
from tests.journeys.at_the_web import AtWeb
from tests.journeys.book import BOOK, DELIVERIES, STATES, names
from tests.journeys.reading import NOTHING_LEFT
from tests.journeys.stage import PUBLIC_URL, Stage

MAY_RUN = {Timer.ROUTE, Timer.SEARCH_LIMIT}  # beside those that must
sentence = BOOK.sentence


# --- what somebody sees ----------------------------------------------------------------------------


@sentence("{who} sees: {words}")
async def sees(stage: Stage, who: str, words: str) -> None:
    stage.actors[who].sees(stage.fill(words), stage.actors[who].news())


@sentence("{who} sees within 1 second: {words}")
async def sees_at_once(stage: Stage, who: str, words: str) -> None:
    await sees(stage, who, words)
    assert stage.took < 1.0, f"it took {stage.took:.2f} s"


@sentence("{who} sees in one message: {words}")
async def sees_in_one(stage: Stage, who: str, words: str) -> None:
    new, parts = stage.actors[who].news(), stage.fill(words).split(" / ")
    for part in parts:
        stage.actors[who].sees(part, new)
    places = [[entry.text.find(part) for part in parts] for entry in new]
    assert any(-1 not in found and found == sorted(found) for found in places), "not in one message, in this order"


@sentence('{who} sees "{label}" once')
async def sees_once(stage: Stage, who: str, label: str) -> None:
    found = [entry.text for entry in stage.actors[who].entries() if label in entry.text]
    assert len(found) == 1, f"{who} sees {found}"


@sentence("{who} sees the buttons: {words}")
async def sees_buttons(stage: Stage, who: str, words: str) -> None:
    last = next((entry for entry in reversed(stage.actors[who].entries()) if entry.labels), None)
    assert last is not None, f"{who} sees no buttons"
    assert list(last.labels) == words.split(", "), f"{who} sees {list(last.labels)}"


@sentence("{who} sees nothing new")
async def sees_nothing(stage: Stage, who: str) -> None:
    new = [entry.text for entry in stage.actors[who].news()]
    assert not new, f"{who} sees {new}"


@sentence("{who} can still read: {words}")
async def can_still_read(stage: Stage, who: str, words: str) -> None:
    stage.actors[who].sees(stage.fill(words), stage.actors[who].entries())


@sentence("{who} never sees: {words}")
async def never_sees(stage: Stage, who: str, words: str) -> None:
    found = [entry.text for entry in stage.actors[who].entries() if stage.fill(words) in entry.text]
    assert not found, f"{who} sees {found}"


@sentence("{who} is told: {words}")
async def is_told(stage: Stage, who: str, words: str) -> None:
    actor, words = stage.actors[who], stage.fill(words)
    assert any(words in text for text in actor.told), f"{who} was told {actor.told}"
    actor.unsaid = [text for text in actor.unsaid if words not in text]


@sentence('{who}\'s message "{label}" is {delivery}')
async def message_is(stage: Stage, who: str, label: str, delivery: str) -> None:
    actor = stage.actors[who]
    if isinstance(actor, AtWeb):
        await actor.refresh()
    seen = actor.delivery_of(label)
    assert seen == DELIVERIES[delivery], f"{who} sees that it is {seen}"


@sentence("{who} has a topic for {it}")
async def has_topic(stage: Stage, who: str, it: str) -> None:
    topics = stage.phones[who].person.topics
    assert stage.question(it).ref in topics.values(), f"{who} has the topics {topics}"


# --- telephones: what Telegram carries ---------------------------------------------------------------


@sentence("{who}'s phone shows: {words}")
async def phone_shows(stage: Stage, who: str, words: str) -> None:
    phone = stage.phones[who]
    phone.sees(stage.fill(words), phone.news())


@sentence("{who}'s lock screen has shown nothing but references")
async def lock_screen(stage: Stage, who: str) -> None:
    bare = {PLACEHOLDER.format(ref=one.ref) for one in stage.questions} | {PLACEHOLDER_PLAIN}
    shown = set(stage.phones[who].person.lock_screen)
    assert shown, f"{who}'s lock screen has shown nothing"
    assert shown <= bare, f"it has shown {sorted(shown - bare)}"


@sentence("Telegram has carried nothing but references, links and public numbers")
async def only_a_doorbell(stage: Stage) -> None:
    assert stage.api is not None, "nobody has Telegram in this story"
    assert stage.api.calls("sendMessage"), "no telephone has rung at all"
    people = {part for _, new in CAST.values() for part in (new.name, new.name.split()[-1], new.staff_id)}
    for secret in people | stage.secrets:
        carried = [call for call in stage.api.mentions(secret) if call.method.lower() != "getupdates"]
        assert not carried, f"Telegram was given {secret!r}, in a {carried[0].method}"
    texts = {entry.text for phone in stage.phones.values() for entry in phone.entries()}
    links = {link for text in texts for link in re.findall(r"https?://\S+", text)}
    assert all(link.startswith(PUBLIC_URL) for link in links), links


# --- who is asked, who has it ------------------------------------------------------------------------


@sentence("{people} is offered {it}")
@sentence("{people} are offered {it}")
async def is_offered(stage: Stage, people: str, it: str) -> None:
    row = stage.row(it)
    with stage.house.line.database.reading() as session:
        asked = {offer.idva_id for offer in store.open_offers(session, row.id)}
    wanted = {stage.actors[who].id: who for who in names(people)}
    listed = [stage.house.name(one) for one in asked]
    assert asked == set(wanted), f"it is offered to {listed}"
    for who in wanted.values():
        assert await stage.actors[who].can_take(row.ref), f"{who} is offered it but does not see it"


@sentence("nobody is offered {it}")
async def nobody_offered(stage: Stage, it: str) -> None:
    with stage.house.line.database.reading() as session:
        asked = [offer.idva_id for offer in store.open_offers(session, stage.row(it).id)]
    assert not asked, f"it is offered to {asked}"


@sentence("{who}'s reason about {it} is on record: {reason}")
async def reason_on_record(stage: Stage, who: str, it: str, reason: str) -> None:
    with stage.house.line.database.reading() as session:
        offers = store.offers_of(session, stage.row(it))
    given = [DECLINE_REASONS.get(one.reason or "") for one in offers if one.idva_id == stage.actors[who].id]
    assert given == [reason], f"on record are {given}"


@sentence("{who} has {it}")
async def has_it(stage: Stage, who: str, it: str) -> None:
    owner = stage.row(it).idva_id
    assert owner == stage.actors[who].id, f"it is with {stage.house.name(owner)}"


@sentence("nobody has {it}")
async def nobody_has(stage: Stage, it: str) -> None:
    owner = stage.row(it).idva_id
    assert owner is None, f"it is with {stage.house.name(owner)}"


@sentence("exactly one of {who} and {other} has {it}, and the other is told by whom it was taken")
async def one_has_it(stage: Stage, who: str, other: str, it: str) -> None:
    pair = [stage.actors[who], stage.actors[other]]
    owners = [one for one in pair if one.id == stage.row(it).idva_id]
    assert len(owners) == 1, f"it is with {stage.row(it).idva_id}"
    winner, loser = owners[0], next(one for one in pair if one is not owners[0])
    assert set(winner.told) <= {DONE}, f"{winner.name} was told {winner.told}"
    await is_told(stage, loser.name, f"Taken by {CAST[winner.name][1].name}.")


@sentence("{who} is called about {it}")
async def is_called(stage: Stage, who: str, it: str) -> None:
    """At Telegram: rung up. At the web: the bell rang, and the board shows that somebody must act."""
    actor, ref = stage.actors[who], stage.question(it).ref
    if not isinstance(actor, AtWeb):
        actor.sees(f"{ref}: ", [one for one in actor.news() if "You are called as duty lead" in one.text])
        return
    waiting = {State.LEAD_CALLED.value, State.KEPT.value, State.ADVICE_RAISED.value, State.FALLBACK.value}
    assert any(actor.id in ring for ring in stage.house.bell.people), f"{who}'s board was not rung for"
    assert stage.row(it).state in waiting, f"the board does not show it as waiting, but {stage.row(it).state}"


@sentence("{who} is not called")
async def is_not_called(stage: Stage, who: str) -> None:
    actor = stage.actors[who]
    if isinstance(actor, AtWeb):
        assert not any(actor.id in ring for ring in stage.house.bell.people), f"{who}'s board was rung for"
    else:
        assert not any("You are called" in one.text for one in actor.entries()), f"{who} was called"


@sentence("{who}'s board shows {it}")
async def board_shows(stage: Stage, who: str, it: str, form: dict[str, str]) -> None:
    shown = {one.ref: one for one in _board_of(stage, who)}.get(stage.question(it).ref)
    assert shown is not None, "it is not on the board"
    states = {state.value: said for said, state in STATES.items()}
    waiting = [one.ref for one in stage.do(view.waiting)]
    facts: dict[str, Any] = {
        "It is": states[shown.state],
        "Urgent": "yes" if shown.urgent else "no",
        "Officer": shown.officer.title,
        "With": shown.idva.name if shown.idva else "nobody",
        "Waits as number": str(waiting.index(shown.ref) + 1) if shown.ref in waiting else "-",
    }
    for name, value in form.items():
        assert facts.get(name) == value, f"{name}: {facts.get(name)}"


@sentence("{who}'s board does not show {it}")
async def board_shows_not(stage: Stage, who: str, it: str) -> None:
    assert stage.question(it).ref not in [one.ref for one in _board_of(stage, who)], "it is on the board"


def _board_of(stage: Stage, who: str) -> list[view.Summary]:
    return stage.do(lambda work: view.everything_live(work, stage.actors[who].id))


# --- how things stand --------------------------------------------------------------------------------


@sentence("{it} is {state}", ends=True)
async def stands(stage: Stage, it: str, state: str) -> None:
    now = stage.row(it).state
    assert now == STATES[state].value, f"it is {now}"


@sentence("no question was asked", ends=True)
async def no_question(stage: Stage) -> None:
    assert not stage.questions, f"there is {stage.questions}"


@sentence(NOTHING_LEFT)
async def nothing_left(stage: Stage) -> None:
    """Each live consultation has its due times, each ended one none; nothing lies unhandled, unsent or held."""
    for actor in stage.actors.values():
        actor.begin_act()
    with stage.house.line.database.reading() as session:
        for row in session.scalars(select(Consultation)):
            running, wanted = set(store.timers_of(session, row.id)), TIMERS.get(State(row.state), frozenset())
            assert wanted <= running, f"{row.ref} is {row.state} and nothing is due: {running}"
            assert running <= wanted | MAY_RUN, f"{row.ref} is {row.state} and has {running}"
            if State(row.state) in ENDED:
                assert not store.open_offers(session, row.id), f"{row.ref} has ended and is still offered"
        assert not list(session.scalars(select(Held.id).where(Held.due_at.is_not(None)))), "a line is still held"
    moments = stage.works.moments()
    assert moments.intake is None, "something that arrived is not handled"
    assert moments.courier is None, "something is still to be sent"


def everybodys_screens(stage: Stage) -> str:
    """For the message of a story that failed."""
    lines = []
    for name, actor in stage.actors.items():
        lines += [f"  {name} ({actor.place}):", *_screen(actor)] if actor.entries() else []
    return "\n".join(lines)


def _screen(actor: Actor) -> list[str]:
    return [f"    | {entry.text!r} {list(entry.labels) or ''}" for entry in actor.entries()]
