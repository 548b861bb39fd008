"""Reading a story: every line is a sentence with a known pattern; one that is not known is refused, with its place.

Rules kept here:
- A story says what people do and see and nothing about how the line is built: no ids, states or functions of ours.
- What cannot be understood is never skipped. The refusal names file and line and lists the sentences that are known.
- A story ends with how the question stands and `nothing is left waiting`; one that ends otherwise is refused.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOTHING_LEFT = "nothing is left waiting"
HEADINGS = ("Shows", "Doors", "Capacity", "Looks again after", "Red flag", "Signposting")
_HEADING = re.compile(r"([A-Z][a-z ]+): *(.+)")
_SLOT = re.compile(r"\{([a-z]+)\}")
_FORM = re.compile(r"\s+([A-Z][A-Za-z ]+): *(.*)")


class StoryError(Exception):
    """A story that cannot be read, or that did not happen as told. The message names file and line."""


@dataclass(frozen=True)
class Line:
    """One sentence of a story, and the lines that stand indented under it, if it is followed by a form."""

    place: str  # file:line
    text: str
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """One story as written."""

    name: str
    title: str
    headings: Mapping[str, str]
    lines: tuple[Line, ...]

    def listed(self, heading: str, otherwise: str = "") -> tuple[str, ...]:
        """The items under a heading, which are divided by commas."""
        return tuple(item.strip() for item in self.headings.get(heading, otherwise).split(",") if item.strip())


def read(path: Path, text: str | None = None) -> Story:
    """The story in this file. Raises StoryError for anything that is no story."""
    numbered = list(enumerate((path.read_text("utf-8") if text is None else text).splitlines(), start=1))
    if not numbered or not numbered[0][1].startswith("# "):
        raise StoryError(f"{path.name}:1: a story begins with its title: # What happens")
    headings: dict[str, str] = {}
    lines: list[Line] = []
    for number, raw in numbered[1:]:
        place, said = f"{path.name}:{number}", raw.rstrip()
        heading = _HEADING.fullmatch(said)
        if not said or said.startswith("#"):
            continue
        if said.startswith((" ", "\t")):
            _add_to_form(place, said, lines)
        elif heading and not lines and heading[1] in HEADINGS:
            headings[heading[1]] = heading[2]
        else:
            lines.append(Line(place, said))
    if not lines or lines[-1].text != NOTHING_LEFT:
        raise StoryError(f"{path.name}:{numbered[-1][0]}: a story ends with: {NOTHING_LEFT}")
    return Story(path.stem, numbered[0][1].removeprefix("# "), headings, tuple(lines))


def _add_to_form(place: str, said: str, lines: list[Line]) -> None:
    found = _FORM.fullmatch(said)
    if found is None or not lines:
        raise StoryError(f"{place}: an indented line is one of a form, such as:   Do now: ring an ambulance")
    above = lines[-1]
    lines[-1] = Line(above.place, above.text, {**above.form, found[1]: found[2]})


Act = Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Sentence:
    """One sentence that stories may use."""

    pattern: str
    match: re.Pattern[str]
    act: Act
    ends: bool  # says how things stand: what a story ends with


@dataclass(frozen=True)
class Understood:
    """A line with the sentence it is."""

    line: Line
    sentence: Sentence
    values: Mapping[str, str]
    only_at: str = ""  # "Telegram" or "the web": happens only where this person is there


class Book:
    """Every sentence that is known. `slots` says what may stand in each {slot}, as a regular expression."""

    def __init__(self, slots: Mapping[str, str], places: tuple[str, ...]) -> None:
        self._slots = slots
        self._only = re.compile(rf"On (?P<at>{'|'.join(places)}),? (?P<rest>.+)")
        self.sentences: list[Sentence] = []

    def sentence(self, pattern: str, *, ends: bool = False) -> Callable[[Act], Act]:
        """Teach a sentence. The slots of its pattern become the arguments of the function."""

        def keep(act: Act) -> Act:
            parts = _SLOT.split(pattern)
            fixed = [re.escape(part) for part in parts[::2]]
            slots = [f"(?P<{name}>{self._slots[name]})" for name in parts[1::2]]
            whole = "".join(text + slot for text, slot in zip(fixed, [*slots, ""], strict=True))
            self.sentences.append(Sentence(pattern, re.compile(whole), act, ends))
            return act

        return keep

    def understand(self, story: Story) -> list[Understood]:
        """Every line with its sentence. Raises StoryError."""
        understood = [self._find(line) for line in story.lines]
        if len(understood) < 2 or not understood[-2].sentence.ends:
            endings = "; ".join(one.pattern for one in self.sentences if one.ends)
            raise StoryError(f"{story.lines[-1].place}: before it, a story says how things stand: {endings}")
        return understood

    def _find(self, line: Line) -> Understood:
        only = self._only.fullmatch(line.text)
        text = only["rest"] if only else line.text
        found = [(one, match) for one in self.sentences if (match := one.match.fullmatch(text))]
        if len(found) != 1:
            why = "is not a sentence I know" if not found else "can be understood in two ways"
            listed = [one.pattern for one, _ in found] or sorted(one.pattern for one in self.sentences)
            raise StoryError("\n  ".join([f"{line.place}: {line.text!r} {why}. I know:", *listed]))
        sentence, match = found[0]
        return Understood(line, sentence, match.groupdict(), only["at"] if only else "")


def values_of(understood: Understood) -> dict[str, Any]:
    """The arguments for a sentence's function: its slots, and the form under it if there is one."""
    given: dict[str, Any] = dict(understood.values)
    if understood.line.form:
        given["form"] = understood.line.form
    return given
