"""docs/states.md, drawn from the state table so that it cannot differ from it."""

from __future__ import annotations

import inspect
import re

from conversations import states
from conversations.states import ENDED, MOVES, TIMERS, State, Trigger


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
        timers = (
            ", ".join(sorted(f"`{timer.value}`" for timer in TIMERS.get(state, ())))
            or "none: nothing is owed"
        )
        lines.append(
            f"| `{state.value}` | {meanings[state.name]} | {timers} | {'yes' if state in ENDED else ''} |"
        )
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
