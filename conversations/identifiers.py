"""Personal details in free text, so that a warning can be given before they pass through Telegram. Pure.

Rules kept here: regular expressions with checksums only; over-warning is a nuisance, missing is a leak; nothing is
changed or blocked, the writer decides.
"""

from __future__ import annotations

import re

_PATTERNS = (
    re.compile(r"\b(?:\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)?\d{2})\b"),  # date of birth
    re.compile(r"\b(?:dob|born|date of birth)\b.{0,12}\d", re.IGNORECASE),
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b", re.IGNORECASE),  # postcode
    re.compile(r"(?<!\d)(?:\+44\s?|0)(?:\d[\s-]?){9,10}(?!\d)"),  # telephone
    re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"),  # e-mail
    re.compile(
        r"\b\d+[a-z]?\s+(?:[A-Z][a-z]+\s){1,3}(?:street|st|road|rd|avenue|ave|lane|close|drive|way|court)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:name(?:d|\s+is)?|called|victim is|ip is)\s*:?\s+[A-Z][a-z]+\s+[A-Z][a-z]+", re.MULTILINE),
)
_NHS = re.compile(r"(?<!\d)(\d{3})[ -]?(\d{3})[ -]?(\d{4})(?!\d)")


def looks_personal(text: str) -> bool:
    """Whether the text seems to hold a name, date of birth, address, number or e-mail of a person."""
    if any(pattern.search(text) for pattern in _PATTERNS):
        return True
    return any(_is_nhs_number("".join(found)) for found in _NHS.findall(text))


def _is_nhs_number(digits: str) -> bool:
    # Modulus 11 check digit of the NHS number (NHS Data Dictionary).
    total = sum(int(digit) * (10 - at) for at, digit in enumerate(digits[:9]))
    check = 11 - total % 11
    return (0 if check == 11 else check) == int(digits[9])
