"""What changed between two versions of an entry, line by line. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum

AROUND = 1  # unchanged lines shown on either side of a change


class Mark(Enum):
    """What became of a line."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    LEFT_OUT = "left out"  # unchanged lines that are not shown


@dataclass(frozen=True)
class Line:
    """One line of a comparison."""

    mark: Mark
    text: str = ""


def difference(old: str, new: str) -> tuple[Line, ...]:
    """The lines that changed, with a few around them; nothing for two equal texts."""
    before, after = old.splitlines(), new.splitlines()
    found: list[Line] = []
    reached = 0
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(AROUND):
        if group[0][1] > reached:
            found.append(Line(Mark.LEFT_OUT))
        for what, old_from, old_to, new_from, new_to in group:
            if what == "equal":
                found += [Line(Mark.SAME, text) for text in before[old_from:old_to]]
                continue
            found += [Line(Mark.REMOVED, text) for text in before[old_from:old_to]]
            found += [Line(Mark.ADDED, text) for text in after[new_from:new_to]]
        reached = group[-1][2]
    if found and reached < len(before):
        found.append(Line(Mark.LEFT_OUT))
    return tuple(found)
