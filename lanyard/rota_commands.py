"""What `lanyard rota …` does: one shift, or a rota from a file, shown before it is done."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from access.people import find_by_staff_id
from conversations import rota_import, store
from conversations.errors import RotaRefused
from conversations.planned import LOCAL, MOST_BYTES, BadRota, moment
from conversations.rota import add_shift
from conversations.rota_plan import Plan, Slot, kind_of, uncovers
from conversations.rota_second import publish
from conversations.rota_shown import in_plan
from conversations.work import BY_THE_LINE, Work, working
from lanyard.commands import at_home, say


def add(asked: Namespace) -> int:
    """Put somebody on the rota."""
    try:
        starts, ends = (moment(text).astimezone(LOCAL) for text in (asked.starts, asked.ends))
    except BadRota as refused:
        raise RotaRefused(str(refused)) from None
    with at_home() as house:
        with working(house.line) as work:
            person = find_by_staff_id(work.session, house.line.keyring, asked.staff_id)
            add_shift(work, person.id, store.LEAD_DUTY if asked.lead else store.IDVA_DUTY, starts, ends, BY_THE_LINE)
        say(f"{asked.staff_id} is on duty from {starts:%a %d %b %H:%M} to {ends:%a %d %b %H:%M} (Europe/London).")
        return 0


def import_(asked: Namespace) -> int:
    """Show what a file would change; with --shown, do exactly that."""
    with Path(asked.file).open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    with at_home() as house, working(house.line) as work:
        by = find_by_staff_id(work.session, house.line.keyring, asked.by).id
        if asked.shown is None:
            _show(work, rota_import.look(work, by, content), asked)
        elif publish(work, by, lambda work: rota_import.look(work, by, content), asked.shown):
            say("Done.")
        else:
            say("This leaves the next 24 hours uncovered: a second person has to decide, in the Rota room.")
    return 0


def _show(work: Work, plan: Plan, asked: Namespace) -> None:
    people = in_plan(work, plan)
    for one in plan.changes:
        before, after = (_when(slot) if slot else "not on duty" for slot in (one.before, one.after))
        say(f"{kind_of(one)}\t{people[one.slot.person_id].number}\t{one.slot.duty}\t{before}\t{after}")
    say(f"{_counts(plan)}; {plan.same} as they are; left out: {plan.begun} begun, {plan.later} beyond 90 days.")
    for begins, ends in uncovers(work, plan):
        say(f"No IDVA any more from {begins.astimezone(LOCAL):%a %d %b %H:%M} to {ends.astimezone(LOCAL):%a %H:%M}.")
    if plan.changes:
        say(
            f"Nothing has been changed. To do it: lanyard rota import {asked.file} --by {asked.by!r} "
            f"--shown {plan.fingerprint}"
        )


def _counts(plan: Plan) -> str:
    return f"{plan.count('added')} added, {plan.count('moved')} moved, {plan.count('removed')} taken off"


def _when(slot: Slot) -> str:
    return f"{slot.starts_at.astimezone(LOCAL):%a %d %b %H:%M} to {slot.ends_at.astimezone(LOCAL):%a %H:%M}"
