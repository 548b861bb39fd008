"""Reads Telegram's MarkdownV2, with the real server's complaints. Pure.

Ported from TDLib `MessageEntity.cpp`, parse_markdown_v2, but for block quotes: a line's leading `>` is taken
as the begin of one and marks nothing. The legacy "Markdown" mode is not offered at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.botapi.calls import JsonObject
from tests.botapi.html_marks import mark
from tests.botapi.marks import CannotParse, Marked, utf16_length

_RESERVED = "_*[]()~`>#+-=|{}.!"
# By how it begins: the real server's name for it, the Bot API's, and how it ends.
_KINDS = {
    "__": ("Underline", "underline", "__"), "||": ("Spoiler", "spoiler", "||"), "```": ("Pre", "pre", "```"),
    "![": ("CustomEmoji", "custom_emoji", "]"), "*": ("Bold", "bold", "*"), "_": ("Italic", "italic", "_"),
    "~": ("Strikethrough", "strikethrough", "~"), "[": ("TextUrl", "text_link", "]"),
    "`": ("Code", "code", "`"),
}  # fmt: skip


@dataclass
class _Open:
    name: str
    kind: str
    end: str
    begin: int
    byte: int
    place: int


@dataclass
class _Reader:
    source: str
    at: int = 0
    text: list[str] = field(default_factory=list)
    width: int = 0
    open: list[_Open] = field(default_factory=list)
    entities: list[JsonObject] = field(default_factory=list)

    def add(self, character: str) -> None:
        self.text.append(character)
        self.width += utf16_length(character)
        self.at += 1

    @property
    def byte(self) -> int:
        return len(self.source[: self.at].encode("utf-8", "surrogatepass"))

    def starts(self, *marks: str) -> str:
        return next((mark for mark in marks if self.source.startswith(mark, self.at)), "")


def parse_markdown(source: str) -> Marked:
    """Read the marks out of a MarkdownV2 text."""
    reader = _Reader(source)
    while reader.at < len(source):
        _step(reader, source[reader.at])
    if reader.open:
        raise CannotParse(f"Can't find end of {reader.open[-1].name} entity at byte offset {reader.open[-1].byte}")
    return Marked("".join(reader.text), tuple(reader.entities))


def _step(reader: _Reader, character: str) -> None:
    inside = reader.open[-1] if reader.open else None
    in_code = inside is not None and inside.kind in {"code", "pre"}
    following = reader.source[reader.at + 1 : reader.at + 2]
    if character == "\\" and "\0" < following <= "~":
        reader.at += 1
        reader.add(following)
    elif character not in (_RESERVED if not in_code else "`"):
        reader.add(character)
    elif inside is not None and _ends(reader, inside):
        _close(reader, reader.open.pop())
    elif begin := reader.starts(*_KINDS):
        _begin(reader, begin)
    elif character == ">" and "".join(reader.text[-1:]) in {"", "\n"}:
        reader.at += 1
    else:
        raise CannotParse(f"Character '{character}' is reserved and must be escaped with the preceding '\\'")


def _ends(reader: _Reader, inside: _Open) -> bool:
    if inside.kind == "italic":
        return not reader.starts("__")
    return bool(reader.starts(inside.end))


def _begin(reader: _Reader, begin: str) -> None:
    name, kind, end = _KINDS[begin]
    reader.open.append(_Open(name, kind, end, reader.width, reader.byte, len(reader.text)))
    reader.at += len(begin)


def _close(reader: _Reader, closed: _Open) -> None:
    reader.at += len(closed.end)
    argument = "".join(reader.text[closed.place :])
    if closed.kind in {"text_link", "custom_emoji"}:
        if reader.starts("("):
            argument = _url(reader)
        elif closed.kind == "custom_emoji":
            raise CannotParse("The entity must contain a tg://emoji or tg://time URL")
    if closed.kind == "custom_emoji":
        argument = argument.rpartition("id=")[2]
    entity = mark(closed.kind, argument)
    if entity is not None and reader.width > closed.begin:
        reader.entities.append({"offset": closed.begin, "length": reader.width - closed.begin} | entity)


def _url(reader: _Reader) -> str:
    """Read the address in brackets after a link's text."""
    reader.at += 1
    begin, url = reader.byte, ""
    while reader.at < len(reader.source) and reader.source[reader.at] != ")":
        reader.at += reader.source[reader.at] == "\\"
        url += reader.source[reader.at : reader.at + 1]
        reader.at += 1
    if reader.at >= len(reader.source):
        raise CannotParse(f"Can't find end of a URL at byte offset {begin}")
    reader.at += 1
    return url
