"""Personal details in free text: to warn of before they pass through Telegram, to take out of advice that becomes an
entry. Pure.

Rules kept here: regular expressions, checksums and lists of ordinary words only; too much is a nuisance, missing one
is a leak; the writer decides, and sees what was taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_DATE = re.compile(r"\b(?:\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)?\d{2})\b")
_BORN = re.compile(r"\b(?:dob|born|date of birth)\b.{0,12}\d", re.IGNORECASE)
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b", re.IGNORECASE)
_PHONE = re.compile(r"(?<!\d)(?:\+44\s?|0)(?:\d[\s-]?){9,10}(?!\d)")
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b")
_STREET = re.compile(
    r"\b\d+[a-z]?\s+(?:[A-Z][a-z]+\s){1,3}(?:street|st|road|rd|avenue|ave|lane|close|drive|way|court)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b(?:name(?:d|\s+is)?|called|victim is|ip is)\s*:?\s+[A-Z][a-z]+\s+[A-Z][a-z]+", re.MULTILINE)
_PATTERNS = (_DATE, _BORN, _POSTCODE, _PHONE, _EMAIL, _STREET, _NAME)
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


REMOVED = "[removed]"

_MONTHS = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
_MONTHS += "nov(?:ember)?|dec(?:ember)?"
_DAY = re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTHS})\b(?:,? (?:19|20)\d{{2}})?", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w])\+?[A-Za-z]{0,3}[-/]?\d[\dA-Za-z/-]*(?: \d[\dA-Za-z/-]*)*")
_DIGITS = 4  # a number with as many, and public to nobody, may lead to somebody
_TITLED = re.compile(r"\b(?:mr|mrs|ms|miss|mx|dr|pc|dc|ds|di|sgt|insp|wpc|pcso)\.? +[a-z][\w'’-]+", re.IGNORECASE)
_AGE = re.compile(r"\b(?:aged? )?\d{1,3}[ -](?:years?|yrs?|months?)[ -]old\b|\baged? \d{1,3}\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_SENTENCE_ENDS = re.compile(r"(?:^|[.!?:;\n•–—-])[\s\"'“‘(]*$")
_RUN = re.compile(r"\[removed\](?:(?:'s)?[\s,]*\[removed\])+")
# Given names that are words as well: at the beginning of a sentence nothing tells them apart.
_NAMES_THAT_ARE_WORDS = (
    "amber angel april art august bailey bill carter chase cliff crystal daisy dawn dean drew earl faith frank gene "
    "grace grant hazel heather holly hope hunter iris ivy jack jade jasmine joy june kit lily mark mason max may miles "
    "olive pat penny pearl poppy ray rob robin rose ruby sandy sky sue summer taylor violet wade will"
)
_NAMES = frozenset(_NAMES_THAT_ARE_WORDS.split())


@dataclass(frozen=True)
class Ordinary:
    """What stands in texts that are about nobody: to be left where it stands."""

    words: frozenset[str]  # written small somewhere
    capitals: frozenset[str]  # short forms: IDVA, MARAC
    numbers: frozenset[str]  # digits alone: of helplines, of sections of Acts

    @classmethod
    def of(cls, texts: Iterable[str]) -> Ordinary:
        """All that these texts hold."""
        whole = "\n".join(texts)
        words = _WORD.findall(whole)
        return cls(
            frozenset(word for word in words if word.islower()),
            frozenset(word for word in words if word.isupper()),
            frozenset(_digits(found.group()) for found in _NUMBER.finditer(whole)),
        )


def remove_personal(text: str, known: Iterable[str], ordinary: Ordinary) -> str:
    """The text with `[removed]` for what may lead to somebody.

    `known`: names and numbers of the people it is about, taken out wherever they stand. Names written small, and what
    somebody could be recognised by without a name, only a reader finds.
    """
    text = _EMAIL.sub(REMOVED, text)
    for one in sorted(known, key=len, reverse=True):
        if one:
            text = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", REMOVED, text, flags=re.IGNORECASE)
    text = _NUMBER.sub(lambda found: _unless_public(found.group(), ordinary), text)
    for pattern in (_POSTCODE, _DATE, _DAY, _STREET, _AGE, _TITLED):
        text = pattern.sub(REMOVED, text)
    text = _WORD.sub(lambda found: _unless_ordinary(found, ordinary), text)
    return _RUN.sub(REMOVED, text)


def _unless_public(number: str, ordinary: Ordinary) -> str:
    digits = _digits(number)
    return number if len(digits) < _DIGITS or digits in ordinary.numbers else REMOVED


def _unless_ordinary(found: re.Match[str], ordinary: Ordinary) -> str:
    word = found.group()
    if word[0].islower() or word == "removed" or len(word) == 1:
        return word
    if word.isupper():
        return word if word in ordinary.capitals else REMOVED
    small = word.lower()
    begins = _SENTENCE_ENDS.search(found.string, 0, found.start()) is not None
    return word if begins and small in ordinary.words and small not in _NAMES else REMOVED


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())
