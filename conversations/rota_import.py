"""A rota that somebody brings as a file, iCalendar or CSV: what it would change."""

from __future__ import annotations

from access.permissions import Action
from conversations.errors import RotaRefused
from conversations.ical import read_ical
from conversations.planned import BadRota
from conversations.rota_csv import read_csv
from conversations.rota_plan import Plan, from_file
from conversations.standing import require
from conversations.work import Work

_MARK = b"\xef\xbb\xbf"  # how some programs begin UTF-8


def look(work: Work, by: str, content: bytes) -> Plan:
    """What this file would change. Raises `RoleMissing`, or `RotaRefused` with all that is wrong."""
    require(work, by, Action.MANAGE_ROTA)
    begins = content[:100].removeprefix(_MARK).lstrip().upper()
    try:
        file = (read_ical if begins.startswith(b"BEGIN") else read_csv)(content, work.now)
    except BadRota as refused:
        raise RotaRefused(str(refused)) from None
    return from_file(work, by, file)
