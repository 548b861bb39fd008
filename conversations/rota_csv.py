"""A rota as CSV: read, and written. Pure.

Rules kept here:
- The first line is exactly `COLUMNS`. RFC 4180, UTF-8, with or without a mark at its beginning.
- At most 5,000 shifts and 1 kB a cell; a spreadsheet itself (XLSX, XLSM, ODS) is refused before anything reads it.
- What is written cannot act when a spreadsheet opens it: a cell that begins like a formula gets a `'` before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from conversations.planned import LOCAL, MOST_BYTES, MOST_SHIFTS, Asked, BadRota, Duty, RotaFile, moment, within

COLUMNS = ("staff_id", "duty", "starts", "ends")
LONGEST_CELL = 1_000
LONGEST_ID = 40
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how XLSX, XLSM and ODS begin, and XLS


def text_of(content: bytes) -> str:
    """The text of a file. Raises `BadRota`."""
    if content.startswith(_BOOKS):
        raise BadRota("This is a spreadsheet. Save it as CSV UTF-8, and look at that file.")
    if len(content) > MOST_BYTES:
        raise BadRota("The file is larger than 512 KB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadRota(f"Line {line}: this is not UTF-8. Save the file as CSV UTF-8.") from None
    if "\0" in text:
        raise BadRota(f"Line {text[: text.index(chr(0))].count(chr(10)) + 1}: this is no text.")
    return text


def read_csv(content: bytes, now: datetime) -> RotaFile:
    """The shifts of a CSV file. Raises `BadRota`."""
    asked: list[Asked] = []
    wrong: list[str] = []
    for line, cells in _rows(text_of(content)):
        if len(asked) + len(wrong) == MOST_SHIFTS:
            raise BadRota(f"Line {line}: more than {MOST_SHIFTS:,} shifts. Split the file.")
        try:
            asked.append(_asked(cells, f"Line {line}"))
        except BadRota as refused:
            wrong.append(f"Line {line}: {refused}")
    if wrong:
        raise BadRota(*wrong)
    if not asked:
        raise BadRota("Line 1: there is no shift in this file.")
    return within(asked, now)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), strict=True)
    try:
        head = tuple(next(rows, ()))
        if head != COLUMNS:
            why = " Separate columns by commas." if len(head) == 1 and ";" in head[0] else ""
            raise BadRota(f"Line 1: the first line must be exactly: {','.join(COLUMNS)}.{why}")
        line = rows.line_num + 1
        for row in rows:
            yield line, row
            line = rows.line_num + 1
    except csv.Error as error:
        raise BadRota(f"Line {max(rows.line_num, 1)}: {error}.") from None


def _asked(cells: Sequence[str], where: str) -> Asked:
    if len(cells) != len(COLUMNS):
        raise BadRota(f"{len(cells)} columns, not {len(COLUMNS)}.")
    if any(len(cell.encode("utf-8", "replace")) > LONGEST_CELL for cell in cells):
        raise BadRota("a cell is longer than 1 kB.")
    staff_id, duty, starts, ends = (cell.strip() for cell in cells)
    if not 0 < len(staff_id) <= LONGEST_ID:
        raise BadRota("the staff id is missing, or longer than 40 letters.")
    try:
        return Asked(" ".join(staff_id.split()), Duty(duty), moment(starts), moment(ends), where)
    except ValueError:
        raise BadRota("the duty is idva or lead.") from None


def write_csv(shifts: Iterable[tuple[str, str, datetime, datetime]]) -> str:
    """Staff id, duty, start and end of each, with offsets: what `read_csv` reads."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for staff_id, duty, starts, ends in shifts:
        rows.writerow([_safe(staff_id), duty, *(f"{at.astimezone(LOCAL).isoformat()}" for at in (starts, ends))])
    return written.getvalue()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
