"""Reading and writing an entry's file: front matter in YAML between `---` lines, then the words that a person wrote.

Rules kept here:
- Strict: UTF-8 only, every key known, every value of its own type, no aliases, no tags, nothing twice. A file that is
  wrong is refused with its line and the reason (`BadEntry`), and so is a folder with one wrong file in it.
- Values stay what was written: `no`, `08:00` and dates are text until the field's own reader takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from knowledge.entry import BadEntry, Confirmation, Entry, Kind, Phone, Source
from knowledge.flags import Flag
from knowledge.places import PLACES
from knowledge.topics import TOPICS

BIGGEST = 64 * 1024  # bytes of one entry's file
DEEPEST = 8  # levels of nesting
SHIPPED = Path(__file__).parent / "entries"
FENCE = "---"


@dataclass(frozen=True)
class _Value:
    """A value and the line it stands on."""

    value: Any  # str, list[_Value] or dict[str, _Value]
    line: int


def read_folder(folder: Path = SHIPPED) -> tuple[Entry, ...]:
    """All entries of a folder, in order of their ids. Raises `BadEntry`."""
    read = [(file.name, read_entry(file.read_bytes(), file.name)) for file in sorted(folder.glob("*.md"))]
    require_distinct(read)
    return tuple(sorted((entry for _, entry in read), key=lambda entry: entry.id))


def require_distinct(read: Sequence[tuple[str, Entry]]) -> None:
    """Refuse two entries of one id, and entries that supersede each other in a circle. Raises `BadEntry`."""
    ids: dict[str, Entry] = {}
    for file, entry in read:
        if entry.id in ids:
            raise BadEntry(file, 1, f"there is another entry with the id {entry.id}")
        ids[entry.id] = entry
    for file, entry in read:
        seen, next_ids = {entry.id}, list(entry.supersedes)
        while next_ids:
            one = next_ids.pop()
            if one in seen:
                raise BadEntry(file, 1, f"{entry.id} supersedes itself, by way of {one}")
            seen.add(one)
            next_ids += ids[one].supersedes if one in ids else ()


def read_entry(data: bytes | str, file: str) -> Entry:
    """One entry. Raises `BadEntry`."""
    text = _text(data, file)
    lines = text.split("\n")
    if lines[0].strip() != FENCE or FENCE not in [line.strip() for line in lines[1:]]:
        raise BadEntry(file, 1, f"an entry begins with a line {FENCE}, its facts, and another {FENCE}")
    end = next(at for at, line in enumerate(lines[1:], 1) if line.strip() == FENCE)
    front = _front_matter("\n".join(lines[1:end]), file)
    return _Reader(file, front).entry("\n".join(lines[end + 1 :]).strip())


def write_entry(entry: Entry) -> str:
    """The file of an entry: `read_entry` gives the same entry back."""
    front: dict[str, Any] = {"id": entry.id, "title": entry.title, "kind": entry.kind.value}
    front |= {
        "topics": list(entry.topics),
        "flags": list(entry.flags),
        "for": list(entry.audience),
        "area": list(entry.areas),
        "phone": [{"number": one.number} | ({"label": one.label} if one.label else {}) for one in entry.phones],
        "text": entry.text,
        "web": entry.web,
        "hours": entry.hours,
        "hours_confirmed": "yes" if entry.hours_confirmed else "",
        "cost": entry.cost,
        "languages": list(entry.languages),
        "says": list(entry.says),
        "source": [{"name": one.name, "date": one.date} for one in entry.sources],
        "confirmation": entry.confirmation.value,
        "conflicts": list(entry.conflicts),
        "owner": entry.owner,
        "checked": entry.checked.isoformat(),
        "review_by": entry.review_by.isoformat(),
        "supersedes": list(entry.supersedes),
        "public": "" if entry.public else "no",
        "extra": dict(entry.extra),
    }
    kept = {key: value for key, value in front.items() if value}
    written = yaml.dump(kept, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)
    return f"{FENCE}\n{written}{FENCE}\n{entry.body}\n"


def _text(data: bytes | str, file: str) -> str:
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if not data.strip():
        raise BadEntry(file, 1, "it is empty")
    if len(data) > BIGGEST:
        raise BadEntry(file, 1, f"it is longer than {BIGGEST // 1024} KB")
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadEntry(file, line, "it is not UTF-8: save it as UTF-8") from None


def _front_matter(text: str, file: str) -> dict[str, _Value]:
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader) if _plain(text, file) else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise BadEntry(file, line, f"not valid YAML: {getattr(error, 'problem', None) or 'unreadable'}") from None
    if not isinstance(node, yaml.MappingNode):
        raise BadEntry(file, 2, "the facts are lines of the form `name: value`")
    found = _open(node, file).value
    return dict(found)


def _plain(text: str, file: str) -> bool:
    """Refuse aliases, anchors, tags and deep nesting before anything is built from them."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 2 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise BadEntry(file, line, "anchors and aliases (& and *) are not allowed: write it out")
        if getattr(event, "tag", None):
            raise BadEntry(file, line, "tags (!) are not allowed")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise BadEntry(file, line, f"nested deeper than {DEEPEST} levels")
    return True


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 2


def _open(node: yaml.Node, file: str) -> _Value:
    line = _line(node)
    if isinstance(node, yaml.ScalarNode):
        return _Value(str(node.value), line)
    if isinstance(node, yaml.SequenceNode):
        return _Value([_open(one, file) for one in node.value], line)
    if not isinstance(node, yaml.MappingNode):
        raise BadEntry(file, line, "unreadable")
    found: dict[str, _Value] = {}
    for key, value in node.value:
        at = _line(key)
        if not isinstance(key, yaml.ScalarNode):
            raise BadEntry(file, at, "a name is one word")
        if key.value in found:
            raise BadEntry(file, at, f"{key.value} stands there twice")
        found[key.value] = _open(value, file)
    return _Value(found, line)


class _Reader:
    """Takes the fields of one file, one by one; what is left over is not known."""

    def __init__(self, file: str, front: dict[str, _Value]) -> None:
        self._file = file
        self._left = front

    def entry(self, body: str) -> Entry:
        entry = Entry(
            id=self._word("id", needed=True),
            title=self._text("title", needed=True),
            kind=self._one_of("kind", {kind.value: kind for kind in Kind}),
            topics=self._known("topics", TOPICS, "topic", needed=True),
            body=body,
            areas=self._known("area", PLACES, "area", needed=True),
            sources=self._pairs("source", "name", "date", Source, needed=True),
            confirmation=self._one_of("confirmation", {one.value: one for one in Confirmation}),
            owner=self._text("owner", needed=True),
            checked=self._date("checked"),
            review_by=self._date("review_by"),
            flags=self._known("flags", [flag.value for flag in Flag], "red flag"),
            audience=self._texts("for"),
            phones=self._pairs("phone", "number", "label", Phone),
            text=self._text("text"),
            web=self._text("web"),
            hours=self._text("hours"),
            hours_confirmed=self._yes("hours_confirmed", default=False),
            cost=self._text("cost"),
            languages=self._texts("languages"),
            says=self._texts("says"),
            conflicts=self._texts("conflicts"),
            supersedes=self._texts("supersedes"),
            public=self._yes("public", default=True),
            extra=self._anything("extra"),
        )
        for key, value in self._left.items():
            raise BadEntry(self._file, value.line, f"{key} is not known here: put it under extra")
        return entry

    def _take(self, name: str, *, needed: bool = False) -> _Value:
        if name not in self._left:
            if needed:
                raise BadEntry(self._file, 1, f"{name} is missing")
            return _Value("", 1)
        return self._left.pop(name)

    def _refuse(self, value: _Value, reason: str) -> BadEntry:
        return BadEntry(self._file, value.line, reason)

    def _text(self, name: str, *, needed: bool = False) -> str:
        value = self._take(name, needed=needed)
        if not isinstance(value.value, str):
            raise self._refuse(value, f"{name} is one piece of text")
        if needed and not value.value.strip():
            raise self._refuse(value, f"{name} is empty")
        return value.value.strip()

    def _word(self, name: str, *, needed: bool = False) -> str:
        line = self._left[name].line if name in self._left else 1
        text = self._text(name, needed=needed)
        if not (text.replace("-", "").isascii() and text.replace("-", "").isalnum() and text == text.lower()):
            raise BadEntry(self._file, line, f"{name} holds lower-case letters, digits and hyphens only")
        return text

    def _one_of(self, name: str, choices: Mapping[str, Any]) -> Any:
        line = self._left[name].line if name in self._left else 1
        text = self._text(name, needed=True)
        if text not in choices:
            raise BadEntry(self._file, line, f"{name} is one of {', '.join(choices)}; not {text!r}")
        return choices[text]

    def _list(self, name: str, *, needed: bool = False) -> list[_Value]:
        value = self._take(name, needed=needed)
        if value.value == "":
            return []
        if not isinstance(value.value, list):
            raise self._refuse(value, f"{name} is a list")
        return value.value

    def _texts(self, name: str) -> tuple[str, ...]:
        found = self._list(name)
        for one in found:
            if not isinstance(one.value, str) or not one.value.strip():
                raise self._refuse(one, f"{name} is a list of texts")
        return tuple(one.value.strip() for one in found)

    def _known(
        self, name: str, known: Mapping[str, object] | Sequence[str], what: str, *, needed: bool = False
    ) -> tuple[str, ...]:
        found = self._list(name, needed=needed)
        if needed and not found:
            raise BadEntry(self._file, 1, f"{name} is empty")
        for one in found:
            if not isinstance(one.value, str) or one.value not in known:
                raise self._refuse(one, f"no {what} is called {one.value!r}")
        return tuple(str(one.value) for one in found)

    def _pairs(
        self, name: str, first: str, second: str, make: Callable[[str, str], Any], *, needed: bool = False
    ) -> tuple[Any, ...]:
        found = self._list(name, needed=needed)
        pairs = []
        for one in found:
            if not isinstance(one.value, dict) or first not in one.value or not one.value.keys() <= {first, second}:
                raise self._refuse(one, f"{name} is a list of {first} and {second}")
            texts = [one.value[key].value if key in one.value else "" for key in (first, second)]
            if not all(isinstance(text, str) for text in texts) or not texts[0].strip():
                raise self._refuse(one, f"{first} and {second} are texts")
            pairs.append(make(texts[0].strip(), texts[1].strip()))
        if needed and not pairs:
            raise BadEntry(self._file, 1, f"{name} is empty")
        return tuple(pairs)

    def _date(self, name: str) -> date:
        line = self._left[name].line if name in self._left else 1
        text = self._text(name, needed=True)
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise BadEntry(self._file, line, f"{name} is a date such as 2026-11-23; not {text!r}") from None

    def _yes(self, name: str, *, default: bool) -> bool:
        value = self._take(name)
        if value.value == "":
            return default
        if value.value not in ("yes", "no"):
            raise self._refuse(value, f"{name} is yes or no")
        return bool(value.value == "yes")

    def _anything(self, name: str) -> dict[str, object]:
        value = self._take(name)
        if value.value == "":
            return {}
        if not isinstance(value.value, dict):
            raise self._refuse(value, f"{name} holds names and values")
        return {key: _bare(one) for key, one in value.value.items()}


def _bare(value: _Value) -> Any:
    if isinstance(value.value, list):
        return [_bare(one) for one in value.value]
    if isinstance(value.value, dict):
        return {key: _bare(one) for key, one in value.value.items()}
    return value.value
