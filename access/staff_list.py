"""Who is to be added: one person from a form, or a list as CSV. Pure.

Rules kept here:
- A list is taken whole or not at all; what is wrong is said with its line.
- Nothing in it can act when it is opened in a spreadsheet again, hide, or reorder what stands beside it.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

from access.people import NewPerson
from access.tables import Role
from knowledge.places import PLACES

COLUMNS = ("staff_id", "name", "service", "roles")
AND_AREA = (*COLUMNS, "area")  # it may be left out, as a column or in a row: the line's own area then
MOST_ROWS = 2_000
MOST_BYTES = 256 * 1024
LONGEST = {"staff id": 40, "name": 120, "service": 120}
FORMULA = ("=", "+", "-", "@")


class BadStaff(Exception):
    """What is wrong with somebody to be added, in a sentence for whoever adds them."""


def new_person(
    staff_id: str, name: str, service: str, roles: Iterable[str], area: str = "", *, practice: bool
) -> NewPerson:
    """Somebody to be added. Raises `BadStaff`."""
    held = frozenset(_role(role) for role in roles)
    if not held:
        raise BadStaff("Choose at least one role.")
    return NewPerson(
        _clean("staff id", staff_id),
        _clean("name", name),
        _clean("service", service),
        held,
        practice=practice,
        area=known_area(area),
    )


def known_area(text: str) -> str | None:
    """One of the catalogue's areas; None where nothing is said. Raises `BadStaff`."""
    area = text.strip()
    if area and area not in PLACES:
        raise BadStaff(f"an area is one of {', '.join(sorted(PLACES))}.")
    return area or None


def read_list(content: bytes, *, practice: bool) -> list[NewPerson]:
    """The people of a CSV file. Raises `BadStaff`, with the line."""
    if len(content) > MOST_BYTES:
        raise BadStaff("The file is larger than 256 KB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadStaff(f"Line {line}: this is not UTF-8. Save the file as CSV UTF-8.") from None
    rows = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), strict=True)
    people: list[NewPerson] = []
    seen: dict[str, int] = {}
    try:
        columns = tuple(next(rows, ()))
        if columns not in (COLUMNS, AND_AREA):
            raise BadStaff(f"the first line must be exactly: {','.join(COLUMNS)} (and ,area if you like)")
        for row in rows:
            if len(row) != len(columns):
                raise BadStaff(f"{len(row)} columns, not {len(columns)}.")
            _take(row, rows.line_num, people, seen, practice=practice)
    except (BadStaff, csv.Error) as error:
        raise BadStaff(f"Line {max(rows.line_num, 1)}: {error}") from None
    if not people:
        raise BadStaff("Line 1: there is nobody in this file.")
    return people


def _take(row: Sequence[str], line: int, people: list[NewPerson], seen: dict[str, int], *, practice: bool) -> None:
    if len(people) == MOST_ROWS:
        raise BadStaff(f"more than {MOST_ROWS:,} people. Split the file.")
    staff_id, name, service, roles, *area = row
    new = new_person(staff_id, name, service, roles.split(), *area, practice=practice)
    if new.staff_id in seen:
        raise BadStaff(f"the staff id of line {seen[new.staff_id]} again.")
    seen[new.staff_id] = line
    people.append(new)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise BadStaff(f"a role is one of {', '.join(role.value for role in Role)}, with spaces between.") from None


def _clean(what: str, text: str) -> str:
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for sign in text):
        raise BadStaff(f"the {what} holds signs that cannot be seen.")
    cleaned = unicodedata.normalize("NFC", " ".join(text.split()))
    if not cleaned:
        raise BadStaff(f"the {what} is missing.")
    if len(cleaned) > LONGEST[what]:
        raise BadStaff(f"the {what} is longer than {LONGEST[what]} letters.")
    if cleaned.startswith(FORMULA):
        raise BadStaff(f"the {what} begins like a formula ({cleaned[0]}).")
    return cleaned
