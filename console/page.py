"""Rendering: templates, and how words and times are shown.

Rules kept here:
- Words are shown literally; control characters that would hide or reorder text are shown as what they are.
- Times are Europe/London with the offset in the machine-readable attribute.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from access.tables import Role
from console.front import Front

LOCAL = ZoneInfo("Europe/London")
HOME = {
    Role.OFFICER: "/chat",
    Role.IDVA: "/desk",
    Role.IDVA_LEAD: "/board/idva_lead",
    Role.SUPERVISOR: "/board/supervisor",
    Role.SERGEANT: "/board/sergeant",
    Role.CURATOR: "/catalogue/curator",
    Role.ADMIN: "/people/admin",
    Role.AUDITOR: "/trail/auditor",
}
"""Where each role begins."""
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def plain(words: str) -> str:
    """Words as they may stand on a page: nothing hidden, nothing reordered, always encodable."""
    visible = _BIDI.sub(lambda found: f"\\u{ord(found.group()):04x}", words)
    return _CONTROLS.sub("\ufffd", visible)


def clock(moment: datetime) -> str:
    """Hours and minutes where people are."""
    return f"{moment.astimezone(LOCAL):%H:%M}"


def day(moment: datetime) -> str:
    """Day and time where people are."""
    return f"{moment.astimezone(LOCAL):%a %d %b, %H:%M}"


def local(moment: datetime) -> str:
    """For machines: where people are, with its offset."""
    return moment.astimezone(LOCAL).isoformat()


def exact(moment: datetime) -> str:
    """To the second, where people are and in UTC."""
    return f"{moment.astimezone(LOCAL):%d %b %Y, %H:%M:%S} ({moment.astimezone(UTC):%H:%M:%S} UTC)"


_REACH = re.compile(
    r"(?P<web>https://[^\s<>()]+[^\s<>().,;])"
    r"|(?<![\w./-])(?P<phone>(?:0\d[\d ]{7,12}\d|999|101|111|116 ?\d{3})(?!\d))"
)


def reach(words: str) -> Markup:
    """Words of the line or the catalogue with what can be tapped: numbers to ring, pages to open."""

    def link(found: re.Match[str]) -> Markup:
        if found["web"]:
            return Markup('<a class="govuk-link" href="{0}" rel="noreferrer noopener" target="_blank">{0}</a>').format(
                found["web"]
            )
        number = found["phone"]
        return Markup('<a class="govuk-link lanyard-number" href="tel:{}">{}</a>').format(
            number.replace(" ", ""), number
        )

    text, pieces, at = plain(words), [], 0
    for found in _REACH.finditer(text):
        pieces += [escape(text[at : found.start()]), link(found)]
        at = found.end()
    return Markup("").join([*pieces, escape(text[at:])])


def called(role: str) -> str:
    """A role as people say it."""
    return role.replace("_", " ").replace("idva", "IDVA")


class Pages:
    """The templates, with what every page needs."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "plain": plain,
            "reach": reach,
            "clock": clock,
            "day": day,
            "exact": exact,
            "local": local,
            "called": called,
        }
        self._hashes = self._read_hashes()

    def show(self, request: Request, template: str, values: dict[str, Any], status: int = 200) -> Response:
        """One page (or fragment)."""
        policy = self._front.line.policy
        text = self._templates.get_template(template).render(
            nonce=request.state.nonce,
            emergency=policy.emergency,
            lead_name=policy.lead_name,
            lead_phone=policy.lead_phone,
            practice=self._front.practice,
            providers=self._front.providers,
            asset=self._asset,
            Role=Role,
            home=HOME,
            now=self._front.line.now(),
            **values,
        )
        return HTMLResponse(text, status)

    def _asset(self, name: str) -> str:
        return f"/assets/{name}?v={self._hashes.get(name, 'dev')}"

    def _read_hashes(self) -> dict[str, str]:
        file = self._front.assets / "manifest.json"
        if not file.exists():
            return {}
        found: dict[str, str] = json.loads(file.read_text())
        return found
