"""The disclosure bundle on paper: a paginated, tagged PDF (PDF/UA-1) that a court can read.

Rules kept here:
- Every wording of every message, every reading, every time in UTC and as the clock on the wall showed it.
- People's words are data, never markup; signs that cannot be seen, or that turn the direction of writing, are shown
  by their code point.
- The PDF is for reading; what proves it is the bundle beside it (docs/trail.md).
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import typst

LOCAL = ZoneInfo("Europe/London")
TEMPLATE = Path(__file__).with_name("disclosure.typ")
_PLAIN = frozenset(map(chr, range(128)))
_UNSHOWN = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
MARKING = "OFFICIAL-SENSITIVE"


@dataclass(frozen=True)
class Wording:
    """One wording of a message."""

    number: int
    at: datetime
    words: str


@dataclass(frozen=True)
class Said:
    """One message of a thread."""

    number: int
    author: str
    wordings: tuple[Wording, ...]


@dataclass(frozen=True)
class Happened:
    """One leaf of the trail."""

    index: int
    at: datetime
    who: str
    what: str


@dataclass(frozen=True)
class Told:
    """One consultation, whole."""

    ref: str
    facts: tuple[tuple[str, str], ...]
    said: tuple[Said, ...]
    happened: tuple[Happened, ...]


@dataclass(frozen=True)
class Dossier:
    """What is disclosed, for whom, and under which checkpoint."""

    prepared_at: datetime
    by: str
    recipient: str
    purpose: str
    origin: str
    size: int
    root: bytes
    consultations: tuple[Told, ...]


def to_pdf(dossier: Dossier) -> bytes:
    """The dossier as PDF/UA-1."""
    return typeset(TEMPLATE, _data(dossier), dossier.prepared_at)


def typeset(template: Path, told: dict[str, object], made_at: datetime) -> bytes:
    """A template filled in, as PDF/UA-1. What no font at hand can show stands there by its code point, never as an
    empty box."""
    data, lacking = json.dumps(told, ensure_ascii=False), frozenset[str]()
    while True:
        shown = "".join(_code_point(sign) if _kind(sign) in lacking else sign for sign in data)
        try:
            return _compile(template, shown, int(made_at.timestamp()))
        except typst.TypstError as error:
            found = _UNSHOWN.search(str(error))
            if found is None:
                raise
            lacking |= _grown(lacking, found[1])


def _compile(template: Path, data: str, made_at: int) -> bytes:
    text, given = template.read_bytes(), {"told": data}
    return typst.compile(text, format="pdf", sys_inputs=given, pdf_standards="ua-1", timestamp=made_at)


def _grown(lacking: frozenset[str], text: str) -> frozenset[str]:
    """With the kinds of these signs too. Raises ValueError when that is nothing new, so that there is an end."""
    kinds = {_kind(sign) for sign in text if sign not in _PLAIN}
    if kinds <= lacking:
        raise ValueError("a sign cannot be shown, not even by its code point")
    return lacking | kinds


def _kind(sign: str) -> str:
    """Letters by their script, as Unicode names them ("ARABIC", "CJK"); any other sign for itself."""
    if sign in _PLAIN:
        return ""
    return unicodedata.name(sign, sign).split()[0] if unicodedata.category(sign)[0] in "LM" else sign


def _code_point(sign: str) -> str:
    return f"[U+{ord(sign):04X}]"


def both_times(at: datetime) -> str:
    """A moment in UTC and on the wall."""
    local = at.astimezone(LOCAL)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC ({local:%H:%M:%S} {local.tzname()})"


def visible(text: str) -> str:
    """Nothing hidden: control signs, format signs and lone surrogates by their code point."""
    return "".join(_code_point(sign) if _hidden(sign) else sign for sign in text)


def _hidden(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and sign not in "\n\t"


def _data(dossier: Dossier) -> dict[str, object]:
    refs = ", ".join(one.ref for one in dossier.consultations)
    return {
        "title": f"Consultation record {refs}",
        "marking": MARKING,
        "prepared": f"Prepared {both_times(dossier.prepared_at)}",
        "facts": [
            ["Consultations", refs],
            ["Prepared", both_times(dossier.prepared_at)],
            ["Prepared by", visible(dossier.by)],
            ["For", visible(dossier.recipient)],
            ["Purpose", visible(dossier.purpose)],
            ["Trail", dossier.origin],
            ["Leaves signed for", str(dossier.size)],
            ["Root of the trail", dossier.root.hex()],
        ],
        "check": [
            "The file beside this document holds the same with proofs: lanyard audit check FILE --key KEY.",
            "That needs the public key of this trail and nothing else of ours, on any machine, without a network.",
            "Numbers of leaves below are places in the trail whose root stands above; it is signed, and it only grows.",
        ],
        "consultations": [_told(one) for one in dossier.consultations],
    }


def _told(one: Told) -> dict[str, object]:
    return {
        "ref": one.ref,
        "facts": [[name, visible(value)] for name, value in one.facts],
        "said": [
            {
                "number": str(said.number),
                "author": visible(said.author),
                "wordings": [
                    {"number": str(it.number), "at": both_times(it.at), "lines": visible(it.words).split("\n")}
                    for it in said.wordings
                ],
            }
            for said in one.said
        ],
        "happened": [
            {"index": str(it.index), "at": both_times(it.at), "who": visible(it.who), "what": visible(it.what)}
            for it in one.happened
        ],
    }
