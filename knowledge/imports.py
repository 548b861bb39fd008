"""Files that others wrote, read with care: size, letters, archives, and JSON and CSV with the lines of their values.

Rules kept here:
- Nothing is unpacked or built before it has been measured; what is too big, too deep or too much is refused.
- A file is taken whole or refused whole, with its name, the line and the reason (`BadEntry`).
- UTF-8 only: another encoding is named, never guessed at.
"""

from __future__ import annotations

import csv
import io
import json
import re
import stat
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from knowledge.entry import BadEntry

LARGEST = 10 * 1024 * 1024  # bytes of one file
LARGEST_ARCHIVE = 50 * 1024 * 1024  # bytes of all that an archive holds, as declared and as counted
MOST_FILES = 2_000  # in an archive; services in a file
LONGEST_LINE = 512 * 1024  # characters of one line of CSV: a whole record of ours is far shorter
DEEPEST = 40  # levels of nesting: a whole service of Open Referral has about 12
COLUMNS = 200  # of a CSV
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a cell a formula to a spreadsheet

_ZIP = b"PK"
_LISTED = b"PK\x01\x02"  # stands before each file in an archive's list
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)


def read_file(path: Path) -> bytes:
    """A whole file, if it is not too large. Raises `BadEntry`."""
    try:
        if path.stat().st_size > LARGEST_ARCHIVE:
            raise BadEntry(path.name, 1, f"it is larger than {LARGEST_ARCHIVE >> 20} MB")
        if not path.is_file():
            raise BadEntry(path.name, 1, "it is no file")
        with path.open("rb") as file:
            return file.read(LARGEST_ARCHIVE + 1)
    except OSError as error:
        raise BadEntry(path.name, 1, f"it cannot be read: {error.strerror}") from None


def text_of(data: bytes, file: str) -> str:
    """The text of a file. Raises `BadEntry` for one that is empty, too large, an archive, or not UTF-8."""
    if not data.strip():
        raise BadEntry(file, 1, "it is empty")
    if len(data) > LARGEST:
        raise BadEntry(file, 1, f"it is larger than {LARGEST >> 20} MB")
    if data.startswith(_ZIP):
        raise BadEntry(file, 1, "it is an archive, whatever its name says: name it .zip")
    if data[:2] in _MARKS:
        raise BadEntry(file, 1, f"it is {_MARKS[data[:2]]}: save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadEntry(file, line, "it is not UTF-8 (Windows-1252, perhaps): save it as UTF-8") from None
    if "\0" in text:
        raise BadEntry(file, text[: text.index("\0")].count("\n") + 1, "it holds a zero byte: it is no text")
    return text


def unpacked(data: bytes, file: str) -> dict[str, bytes]:
    """The files of an archive by their names. Raises `BadEntry` before anything is unpacked that is not as it should
    be; what unpacks to more than it declared is refused when it does."""
    if data.count(_LISTED) > MOST_FILES:  # before a list of them is built
        raise BadEntry(file, 1, f"it holds more than {MOST_FILES} files")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise BadEntry(file, 1, "it is no archive that can be read") from None
    with archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > LARGEST_ARCHIVE:
            raise BadEntry(file, 1, f"it unpacks to more than {LARGEST_ARCHIVE >> 20} MB")
        for member in members:
            _require_plain(member, file)
        found: dict[str, bytes] = {}
        left = LARGEST_ARCHIVE
        for member in (one for one in members if not one.is_dir()):
            if member.filename in found:
                raise BadEntry(file, 1, f"it holds {member.filename[:80]!r} twice")
            found[member.filename] = _counted(archive, member, file, left)
            left -= len(found[member.filename])
    if not found:
        raise BadEntry(file, 1, "it is empty")
    return found


def _require_plain(member: zipfile.ZipInfo, file: str) -> None:
    """Refuse what is not a plain file in a plain folder."""
    name, path = member.filename[:80], PurePosixPath(member.filename)
    if member.flag_bits & 0x1:
        raise BadEntry(file, 1, f"{name!r} is encrypted")
    if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in member.filename:
        raise BadEntry(file, 1, f"{name!r} would lie outside the archive")
    if not member.filename.isprintable() or not path.name:
        raise BadEntry(file, 1, f"{name!r} is no name of a file")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadEntry(file, 1, f"{name!r} is a link or a device, not a file")
    if path.suffix.lower() in (".zip", ".gz", ".xz", ".bz2", ".7z", ".tar", ".tgz", ".rar"):
        raise BadEntry(file, 1, f"{name!r} is an archive in an archive")


def _counted(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: str, left: int) -> bytes:
    """One member, read no further than it may be long."""
    try:
        with archive.open(member) as opened:
            data = opened.read(min(left, LARGEST) + 1)
    except Exception as error:  # noqa: BLE001 - each method of packing has an error of its own
        raise BadEntry(file, 1, f"{member.filename[:80]!r} cannot be unpacked ({type(error).__name__})") from None
    if len(data) > min(left, LARGEST):
        raise BadEntry(file, 1, f"it unpacks to more than {min(left, LARGEST) >> 20} MB")
    if data.startswith(_ZIP):
        raise BadEntry(file, 1, f"{member.filename[:80]!r} is an archive in an archive")
    return data


class _Twice(ValueError):
    """A name stands twice in one object."""


@dataclass(frozen=True)
class Json:
    """A JSON document, and where in its file each value stands."""

    file: str
    text: str
    value: Any

    def line_of(self, path: tuple[str | int, ...]) -> int:
        """The line of the value at a path; of the nearest thing around it where there is no such value."""
        while path and path not in self._offsets:
            path = path[:-1]
        return bisect_right(self._line_starts, self._offsets.get(path, 0))

    def refuse(self, path: tuple[str | int, ...], reason: str) -> BadEntry:
        """The refusal of what stands at a path."""
        return BadEntry(self.file, self.line_of(path), reason)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    @cached_property
    def _offsets(self) -> dict[tuple[str | int, ...], int]:
        return {path: offset for path, offset, _ in _walk(self.text)}


def json_of(text: str, file: str) -> Json:
    """A JSON document. Raises `BadEntry`, also for a name that stands twice and for numbers that are none."""
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise BadEntry(file, error.lineno, f"not valid JSON: {error.msg}") from None
    except _Twice:
        _require_shallow(text, file)
        offset, name = next((offset, path[-1]) for path, offset, again in _walk(text) if again)
        raise BadEntry(file, text.count("\n", 0, offset) + 1, f"{name!s:.80} stands there twice") from None
    except RecursionError:
        value = None  # far too deep: the next line finds where
    except ValueError as error:
        raise BadEntry(file, 1, f"not valid JSON: {str(error)[:80]}") from None
    _require_shallow(text, file)
    return Json(file, text, value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _require_shallow(text: str, file: str) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth > DEEPEST:
            line = text.count("\n", 0, token.start()) + 1
            raise BadEntry(file, line, f"nested deeper than {DEEPEST} levels")


def _walk(text: str) -> Iterator[tuple[tuple[str | int, ...], int, bool]]:
    """Every value of valid JSON: its path, its offset, and whether its name stood there before."""
    tokens = _TOKEN.finditer(text)
    yield from _values(next(tokens), tokens, (), again=False)


def _values(
    first: re.Match[str], tokens: Iterator[re.Match[str]], path: tuple[str | int, ...], *, again: bool
) -> Iterator[tuple[tuple[str | int, ...], int, bool]]:
    yield path, first.start(), again
    if first[0] not in ("[", "{"):
        return
    names: set[str] = set()
    for token in tokens:
        if token[0] in ("]", "}"):
            return
        if token[0] == ",":
            continue
        if first[0] == "[":
            yield from _values(token, tokens, (*path, len(names)), again=False)
            names.add(str(len(names)))
        else:
            name = json.loads(token[0], strict=False)
            next(tokens)  # the colon
            yield from _values(next(tokens), tokens, (*path, name), again=name in names)
            names.add(name)


@dataclass(frozen=True)
class Row:
    """A line of CSV under its columns' names, and the line of the file on which it begins."""

    line: int
    cells: Mapping[str, str]


def rows_of(text: str, file: str, columns: Iterable[str]) -> list[Row]:
    """The rows of a CSV that has at least these columns; rows without anything are left out. Raises `BadEntry`."""
    _require_short(text, file)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            if not header:
                header = [without_guard(cell).strip() for cell in cells]
                _require_header(header, columns, file)
            elif len(cells) > len(header):
                raise BadEntry(file, line, f"it has {len(cells)} cells under {len(header)} columns")
            elif any(cell.strip() for cell in cells):
                rows.append(Row(line, dict(zip(header, map(without_guard, cells), strict=False))))
            if len(rows) > MOST_FILES:
                raise BadEntry(file, line, f"it has more than {MOST_FILES} rows")
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadEntry(file, line, f"not valid CSV: {error}") from None
    if not rows:
        raise BadEntry(file, 1, "it has no rows")
    return rows


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip("'")[:1] in FORMULA and cell else cell


def without_guard(cell: str) -> str:
    """A cell as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'")[:1] in FORMULA else cell


def _require_short(text: str, file: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST_LINE:
            raise BadEntry(file, number, f"the line is longer than {LONGEST_LINE >> 10} KB")


def _require_header(header: list[str], columns: Iterable[str], file: str) -> None:
    if len(header) > COLUMNS or not all(header):
        raise BadEntry(file, 1, f"a CSV begins with the names of its columns, at most {COLUMNS}")
    twice = [name for name in header if header.count(name) > 1]
    missing = [name for name in columns if name not in header]
    if twice:
        raise BadEntry(file, 1, f"the column {twice[0][:80]} stands there twice")
    if missing:
        raise BadEntry(file, 1, f"it has no column {missing[0]}")
