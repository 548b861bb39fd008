"""Reads Telegram's HTML, with the real server's complaints. Pure.

Ported from TDLib `MessageEntity.cpp`, parse_html: the same tags, the same leniency (an unknown &entity; is
plain text) and the same sentences, with offsets in bytes of UTF-8.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.botapi.calls import JsonObject
from tests.botapi.links import checked_link
from tests.botapi.marks import CannotParse, Marked, utf16_length

_KINDS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "code": "code", "pre": "pre",
    "tg-spoiler": "spoiler", "span": "spoiler", "blockquote": "blockquote", "a": "text_link",
    "tg-emoji": "custom_emoji", "tg-time": "",
}  # fmt: skip
_SPACE = " \t\r\n\v\0"
_CHARACTER = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot)(?![a-zA-Z]));?")


@dataclass
class _Tag:
    name: str
    argument: str
    begin: int  # of the marked text, in UTF-16 code units
    place: int  # of the marked text, in characters


@dataclass
class _Reader:
    """One pass over the source; `at` is where we are. The source ends in NUL, as a C string does."""

    source: str
    at: int = 0
    text: list[str] = field(default_factory=list)
    width: int = 0
    open: list[_Tag] = field(default_factory=list)
    entities: list[JsonObject] = field(default_factory=list)

    def add(self, characters: str) -> None:
        self.text.append(characters)
        self.width += utf16_length(characters)

    def byte(self, place: int) -> int:
        return len(self.source[:place].encode("utf-8", "surrogatepass"))

    def run(self, stop: str) -> str:
        """Read on to one of these characters, or the end."""
        begin = self.at
        while self.at < len(self.source) and self.source[self.at] not in stop:
            self.at += 1
        return self.source[begin : self.at]

    def skip_space(self) -> None:
        while self.source[self.at] in _SPACE[:-1]:
            self.at += 1

    @property
    def here(self) -> str:
        return self.source[min(self.at, len(self.source) - 1)]


def parse_html(source: str) -> Marked:
    """Read the marks out of an HTML text."""
    reader = _Reader(source.replace("\0", "") + "\0")
    while reader.here != "\0":
        if reader.here == "<":
            _end_tag(reader) if reader.source[reader.at + 1] == "/" else _start_tag(reader)
        else:
            _plain(reader)
    if reader.open:
        raise CannotParse(f'Can\'t find end tag corresponding to start tag "{reader.open[-1].name}"')
    return Marked("".join(reader.text), tuple(reader.entities))


def _plain(reader: _Reader) -> None:
    match = _CHARACTER.match(reader.source, reader.at) if reader.here == "&" else None
    reader.add(html.unescape(match.group(0).rstrip(";") + ";") if match else reader.here)
    reader.at = match.end() if match else reader.at + 1


def _start_tag(reader: _Reader) -> None:
    begin = reader.at
    reader.at += 1
    name = reader.run(_SPACE + ">").lower()
    where = f"at byte offset {reader.byte(begin)}"
    if reader.here == "\0":
        raise CannotParse(f"Unclosed start tag {where}")
    if name not in _KINDS:
        raise CannotParse(f'Unsupported start tag "{name}" {where}')
    attributes = _attributes(reader, name, where)
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise CannotParse(f'Tag "span" must have class "tg-spoiler" {where}')
    wanted = {"a": "href", "tg-emoji": "emoji-id"}.get(name, "")
    reader.open.append(_Tag(name, attributes.get(wanted, ""), reader.width, len(reader.text)))


def _attributes(reader: _Reader, name: str, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    reader.skip_space()
    while reader.here != ">":
        attribute = reader.run(_SPACE + "=>/\"'")
        if not attribute:
            raise CannotParse(f'Empty attribute name in the tag "{name}" {where}')
        reader.skip_space()
        if reader.here == "=":
            reader.at += 1
            reader.skip_space()
            found[attribute] = _value(reader, name, where)
        elif reader.here == "\0":
            raise CannotParse(f'Unclosed start tag "{name}" {where}')
        reader.skip_space()
    reader.at += 1
    return found


def _value(reader: _Reader, name: str, where: str) -> str:
    if reader.here == "\0":
        raise CannotParse(f'Unclosed start tag "{name}" {where}')
    if reader.here in "\"'":
        quote = reader.here
        reader.at += 1
        value = html.unescape(reader.run(quote + "\0"))
        reader.at += reader.here == quote
    else:
        token = reader.at
        while reader.here.isascii() and (reader.here.isalnum() or reader.here in ".-"):
            reader.at += 1
        value = reader.source[token : reader.at].lower()
        if reader.here not in _SPACE + ">":
            raise CannotParse(f"Unexpected end of name token at byte offset {reader.byte(token)}")
    if reader.here == "\0":
        raise CannotParse(f"Unclosed start tag {where}")
    return value


def _end_tag(reader: _Reader) -> None:
    begin = reader.at
    where = f"at byte offset {reader.byte(begin)}"
    if not reader.open:
        raise CannotParse(f"Unexpected end tag {where}")
    reader.at += 2
    name = reader.run(_SPACE + ">").lower()
    reader.skip_space()
    if reader.here != ">":
        raise CannotParse(f"Unclosed end tag {where}")
    reader.at += 1
    tag = reader.open[-1]
    if name and name != tag.name:
        raise CannotParse(f'Unmatched end tag {where}, expected "</{tag.name}>", found "</{name}>"')
    reader.open.pop()
    entity = mark(_KINDS[tag.name], tag.argument or "".join(reader.text[tag.place :]))
    if entity is not None and reader.width > tag.begin:
        reader.entities.append({"offset": tag.begin, "length": reader.width - tag.begin} | entity)


def mark(kind: str, argument: str) -> JsonObject | None:
    """Give an entity without its place; None where the real server quietly drops it."""
    if not kind:
        return None
    if kind == "custom_emoji":
        if not argument.isdigit():
            raise CannotParse("Invalid custom emoji identifier specified")
        return {"type": kind, "custom_emoji_id": argument}
    if kind != "text_link":
        return {"type": kind}
    parts = urlsplit(argument)
    if parts.scheme == "tg" and parts.netloc == "user":
        user = int(parse_qs(parts.query).get("id", ["0"])[0])
        return {"type": "text_mention", "user": {"id": user, "is_bot": False, "first_name": ""}}
    link = checked_link(argument)
    return {"type": kind, "url": link} if link else None
