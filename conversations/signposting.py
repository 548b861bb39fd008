"""Entries of the catalogue in a consultation: put forward at once, read with a tap, sent by the IDVA with a tap.

Rules kept here:
- Every word shown was written and approved by a person; the trail names the version that was shown, and to whom.
- The officer gets them by themselves only while no IDVA has the question; from then on the IDVA chooses.
- What a short form means is asked, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit.events import Event
from conversations import wording
from conversations.case import Case
from conversations.dialogue import Action
from conversations.errors import EntryGone
from conversations.messages import Button
from conversations.post import make_button, write_message
from conversations.relay import relay
from conversations.signs import suggestions_of
from conversations.states import UNOWNED
from conversations.tables import Audience, MessageKind, Side, Suggestion
from conversations.work import BY_THE_LINE, Work, scope_of
from knowledge.entry import Published
from knowledge.guide import Chosen, Seen, Unclear
from knowledge.showing import card, title_line
from knowledge.shown import How, note_shown

SHOWN_AT_ONCE = 3  # the first in full, the others by name, to be opened with a tap


def put_forward(case: Case, seen: Seen) -> None:
    """Put forward what answers a message: to the officer who waits for an IDVA, and beside the IDVA's thread."""
    known = {(one.entry_id, one.version) for one in suggestions_of(case.work.session, case.row.id)}
    new = [one for one in seen.chosen if (one.published.entry.id, one.published.version) not in known]
    for place, chosen in enumerate(new):
        _note(case, chosen, len(known) + place)
    if case.state in UNOWNED and new:
        _show_first(case, new[:SHOWN_AT_ONCE])
    elif case.row.idva_id is not None:
        offer_to_send(case, [one.published for one in new])
    for unclear in seen.unclear:
        _ask_what_it_means(case, unclear)


def offer_to_send(case: Case, entries: Sequence[Published] | None = None) -> None:
    """Lay entries before whoever has it, each with a button that sends it. Default: all that was put forward."""
    work, idva_id = case.work, case.row.idva_id
    found = [one for _, one in live_suggestions(case)] if entries is None else entries
    if idva_id is None or not found or not work.line.doors.relay:
        return  # without Telegram's relay the desk shows them beside the thread
    chosen = found[:SHOWN_AT_ONCE]
    rows = tuple(_button_row(work, case, idva_id, Action.SEND_ENTRY, one) for one in chosen)
    lines = "\n".join(title_line(one.entry, work.now) for one in chosen)
    case.put(idva_id, wording.say("entries_to_send", ref=case.row.ref, entries=lines), MessageKind.ENTRY, rows)


def show_entry(case: Case, argument: str) -> None:
    """The officer opens an entry that was put forward. Raises `EntryGone`."""
    published = published_as(case, argument)
    case.put(case.row.officer_id, card(published.entry, case.work.now), MessageKind.ENTRY)
    note_as_shown(case, published, BY_THE_LINE, How.SUGGESTED)


def _note(case: Case, chosen: Chosen, rank: int) -> None:
    work, entry = case.work, chosen.published.entry
    place = f"{case.row.id}.{entry.id}.{chosen.published.version}"
    work.session.add(
        Suggestion(
            consultation_id=case.row.id,
            entry_id=entry.id,
            version=chosen.published.version,
            rank=rank,
            why=work.seal("suggestion", "why", place, scope_of(case.row.id), "; ".join(chosen.why)),
            at=work.now,
        )
    )
    work.session.flush()


def _show_first(case: Case, chosen: Sequence[Chosen]) -> None:
    work, officer = case.work, case.row.officer_id
    first, *others = [one.published for one in chosen]
    text = wording.say("entries", ref=case.row.ref, entry=card(first.entry, work.now))
    if others:
        text += "\n\n" + wording.say("entries_more")
    rows = tuple(_button_row(work, case, officer, Action.SHOW_ENTRY, one) for one in others)
    case.put(officer, text, MessageKind.ENTRY, rows)
    note_as_shown(case, first, BY_THE_LINE, How.SUGGESTED)


def note_as_shown(case: Case, published: Published, by: str, how: How) -> None:
    """Keep who was shown which version: in the trail, and for a correction if it turns out wrong."""
    work, entry = case.work, published.entry
    note_shown(work.session, case.row.officer_id, case.row.id, published, how, work.now)
    topic = next(iter(entry.topics), None)
    work.record(
        Event.ENTRY_SHOWN, by, case.row.id, entry=entry.id, version=published.version, how=how.value, topic=topic
    )


def published_as(case: Case, argument: str) -> Published:
    """The live entry that a button names: `id.version`. Raises `EntryGone`."""
    entry_id, _, version = argument.rpartition(".")
    found = case.work.line.guide.entry(entry_id, int(version)) if version.isdigit() else None
    if found is None:
        raise EntryGone
    return found


def live_suggestions(case: Case) -> list[tuple[Suggestion, Published]]:
    """What was put forward and is still live."""
    guide = case.work.line.guide
    rows = suggestions_of(case.work.session, case.row.id)
    found = [(row, guide.entry(row.entry_id, row.version)) for row in rows]
    return [(row, published) for row, published in found if published is not None]


def _button_row(work: Work, case: Case, to: str, action: Action, one: Published) -> tuple[Button, ...]:
    label = f"{wording.label(action.value)}: {one.entry.title}"
    return (make_button(work, to, case.row, action, f"{one.entry.id}.{one.version}", label),)


def _ask_what_it_means(case: Case, unclear: Unclear) -> None:
    work, officer = case.work, case.row.officer_id
    name = "unclear" if unclear.meanings else "unknown_short"
    text = wording.say(name, ref=case.row.ref, short=unclear.short)
    rows = tuple(
        (make_button(work, officer, case.row, Action.MEANS, f"{unclear.short}={meaning}"[:80], meaning),)
        for meaning in unclear.meanings
    )
    case.put(officer, text, MessageKind.NOTICE, rows)
    work.record(Event.MEANING_ASKED, BY_THE_LINE, case.row.id)


def say_meaning(case: Case, argument: str) -> None:
    """The officer says what a short form means: a line of theirs in the thread, for whoever answers."""
    short, _, meaning = argument.partition("=")
    text = wording.say("means", short=short, meaning=meaning)
    officer = case.row.officer_id
    message = write_message(
        case.work, case.row, text, side=Side.OFFICER, kind=MessageKind.WORDS, audience=Audience.BOTH, author_id=officer
    )
    relay(case, message, text)
    case.work.wake(officer, case.row.idva_id)
