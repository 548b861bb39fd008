"""The slash commands of a chat: /log, /withdraw (and /start, which Telegram itself sends). What follows /new is a
question like any other and is taken in by `receive`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from access.tables import Role
from audit.events import Event
from conversations import store, wording
from conversations.case import Case
from conversations.consult import set_incident, withdraw
from conversations.dialogue import Action
from conversations.messages import Incoming
from conversations.post import make_button, note, note_with
from conversations.work import Work

LOG_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9/\- ]{0,29}")


NEW = "/new "


def obey(work: Work, person_id: str, incoming: Incoming) -> str | None:
    """Carry out a command. Gives a sentence for the writer, who also gets it at Telegram."""
    name, _, argument = incoming.text.partition(" ")
    argument = argument.strip()
    officer = work.has_role(person_id, Role.OFFICER)
    if name == "/start" and argument:
        work.record(Event.CODE_REFUSED, person_id, why="bound already")
        return _say(work, person_id, "code_refused")
    if name in ("/start", "/help"):
        return _say(work, person_id, _help(officer))
    if officer and name == "/log" and argument:
        return _log(work, person_id, argument)
    if officer and name == "/withdraw":
        return _withdraw(work, person_id)
    return _refuse(work, person_id, "unknown_command" if officer and name not in ("/new", "/log") else _help(officer))


def _help(officer: bool) -> str:
    return "help" if officer else "help_idva"


def _say(work: Work, person_id: str, name: str, **values: object) -> str:
    text = wording.say(name, **({"emergency": work.line.policy.emergency} | values))
    note(work, person_id, text)
    return text


def _refuse(work: Work, person_id: str, name: str) -> str:
    work.record(Event.INPUT_REFUSED, person_id, why="command")
    return _say(work, person_id, name)


def _log(work: Work, person_id: str, argument: str) -> str:
    number = unicodedata.normalize("NFKC", argument)
    live = store.live_of_officer(work.session, person_id)
    if not LOG_NUMBER.fullmatch(number):
        return _refuse(work, person_id, "help")
    if len(live) != 1:
        return _refuse(work, person_id, "log_which" if live else "log_none")
    case = Case.load(work, live[0].id)
    detail = set_incident(case, number)
    case.tell(person_id, "detail_set", detail=detail)
    return detail


def _withdraw(work: Work, person_id: str) -> str | None:
    live = store.live_of_officer(work.session, person_id)
    if len(live) == 1:
        withdraw(Case.load(work, live[0].id), person_id)
        return None
    if not live:
        return _refuse(work, person_id, "log_none")
    buttons = [replace(make_button(work, person_id, row, Action.WITHDRAW), label=row.ref) for row in live]
    note_with(work, person_id, wording.say("withdraw_which"), buttons)
    return None
