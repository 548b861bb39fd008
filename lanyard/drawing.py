"""Pages drawn from the code so that they cannot differ from it: states, settings, events."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable
from enum import Enum

from access import permissions, tables
from audit import events
from conversations import states
from conversations.states import ENDED, MOVES, TIMERS, State, Trigger
from lanyard.settings import Settings, periods, waits


def draw() -> str:
    """The page: what each state means, the moves, and the timers that keep each state from waiting for ever."""
    meanings = _meanings()
    lines = [
        "# States of a consultation",
        "",
        "Drawn by `make states` from `conversations/states.py`; a test fails when it differs. Do not edit.",
        "",
        "| state | meaning | timers always running | ends |",
        "|---|---|---|---|",
    ]
    for state in State:
        timers = ", ".join(sorted(f"`{timer.value}`" for timer in TIMERS.get(state, ()))) or "none: nothing is owed"
        lines.append(f"| `{state.value}` | {meanings[state.name]} | {timers} | {'yes' if state in ENDED else ''} |")
    lines += ["", "```mermaid", "stateDiagram-v2", f"    [*] --> {State.SEEKING.value}"]
    for trigger, sources, target in MOVES:
        lines += [f"    {source.value} --> {target.value}: {trigger.value}" for source in sources]
    lines += ["```", "", "| trigger | from | to | meaning |", "|---|---|---|---|"]
    for trigger, sources, target in MOVES:
        names = ", ".join(f"`{source.value}`" for source in sources)
        lines.append(f"| `{trigger.value}` | {names} | `{target.value}` | {meanings.get(trigger.name, '')} |")
    return "\n".join(lines) + "\n"


def _meanings() -> dict[str, str]:
    # The meaning stands beside each member in the source: one place for it, read from there.
    source = inspect.getsource(states)
    found = dict(re.findall(r"^    ([A-Z_]+) = \"[a-z_]+\"  # (.+)$", source, re.MULTILINE))
    return {member.name: found.get(member.name, "") for kind in (State, Trigger) for member in kind}


def draw_settings() -> str:
    """docs/settings.md: every setting, its default and what it is for."""
    lines = [
        "# Settings",
        "",
        "Drawn by `make states` from `lanyard/settings.py`; a test fails when it differs. Do not edit.",
        "",
        "Each is an environment variable, or a line `NAME=value` in the file named by `LANYARD_SETTINGS_FILE`.",
        "The line refuses to start on a wrong one, with one sentence that says what to do.",
        "",
        "| setting | default | what it is |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "built with the program" if name == "assets" else _plain(default)
        lines.append(f"| `LANYARD_{name.upper()}` | {shown} | {field.description} |")
    lines += ["", "Names for `LANYARD_WAITS`, with their defaults in seconds:", ""]
    lines += [f"- `{name}`: {value.total_seconds():g}" for name, value in waits().items()]
    lines += ["", "Classes for `LANYARD_RETENTION`, with their defaults in days after the end:", ""]
    lines += [f"- `{name}`: {value.days}" for name, value in periods().items()]
    return "\n".join(lines) + "\n"


def draw_events() -> str:
    """docs/events.md: every kind of event the trail can hold."""
    lines = [
        "# Events of the trail",
        "",
        "Drawn by `make states` from `audit/events.py`; a test fails when it differs. Do not edit.",
        "",
        "A leaf holds ids and facts, never words. The category is the operation of the Data Protection Act 2018 s.62,",
        "or `system` for what is no operation on personal data.",
        "",
        "| event | category | meaning |",
        "|---|---|---|",
    ]
    source = inspect.getsource(events)
    meanings = dict(re.findall(r"^    ([A-Z_]+) = \(.+?\)  # (.+)$", source, re.MULTILINE))
    lines += [f"| `{one.label}` | {one.category.value} | {meanings.get(one.name, '')} |" for one in events.Event]
    return "\n".join(lines) + "\n"


def draw_permissions() -> str:
    """docs/permissions.md: who may do what, being what to the consultation."""
    lines = [
        "# Who may do what",
        "",
        "Drawn by `make states` from `access/permissions.py`; a test fails when it differs. Do not edit.",
        "",
        "What stands in no row nobody may, and what one may not see does not exist (404). A row holds at every stage",
        "unless it names one. A use case may refuse more (it is not one's turn, there is no room) and says why.",
        "",
    ]
    for title, kind in (("Roles", tables.Role), ("What somebody is to a consultation", permissions.Relation)):
        lines += [f"{title}:", "", *(f"- `{one.value}`: {text}" for one, text in _beside(kind).items()), ""]
    lines += ["| action | roles | being to the consultation | stages | meaning |", "|---|---|---|---|---|"]
    meanings = _beside(permissions.Action)
    for grant in permissions.GRANTS:
        stages = "" if grant.stages == frozenset(permissions.Stage) else _names(grant.stages)
        cells = (f"`{grant.action.value}`", _names(grant.roles), _names(grant.relations), stages)
        lines.append(f"| {' | '.join(cells)} | {meanings[grant.action]} |")
    return "\n".join(lines) + "\n"


def _beside(kind: type[Enum]) -> dict[Enum, str]:
    """What the comment beside each member says."""
    found = dict(re.findall(r"^    ([A-Z_]+) = \"[a-z_]+\"(?:  # (.+))?$", inspect.getsource(kind), re.MULTILINE))
    return {member: found.get(member.name, "") for member in kind}


def _names(members: Iterable[Enum]) -> str:
    return ", ".join(sorted(f"`{one.value}`" for one in members))


def _plain(value: object) -> str:
    value = value.value if isinstance(value, Enum) else value
    if isinstance(value, (tuple, list)):
        value = json.dumps(list(value))
    return "none" if value is None else f"`{value}`"
