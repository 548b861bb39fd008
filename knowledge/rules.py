"""The rules that every entry meets before anybody is shown it: shipped, proposed or imported.

Rules kept here:
- A rule says what is wrong and what to do about it; it never mends anything by itself.
- The content rules look for advice that could kill: they read sentence by sentence, and "never" or "do not" in the
  same sentence turns forbidden advice into the right one.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import date
from urllib.parse import urlsplit

import nh3
import phonenumbers

from knowledge.entry import Entry, Kind, Phone
from knowledge.hours import BadHours, require_hours

LONGEST = 120  # words
OLDEST_READER = 12  # years of age: Flesch-Kincaid grade 7
GRADE_OF_12 = 7.0
SHORT_NUMBERS = frozenset({"999", "101", "111", "112", "105", "119", "116 123", "116 000", "0800 1111"})
DRAMA = re.compile(r"^(?:07700900|01632960|0207946|08081570|01144960|01154960|01164960|01174960|01184960)")
PREMIUM = frozenset({phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST})
POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b")
STREET = re.compile(r"\b\d+[a-z]? [A-Z][a-z]+ (?:Street|Road|Avenue|Lane|Close|Drive|Way|Terrace|Court|Place)\b")

_NOT = re.compile(
    r"\b(?:never|not|no|don't|avoid|without|nor|neither|isn't|mustn't|cannot|can't|refuse)\b", re.IGNORECASE
)
_FORBIDDEN: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "promises what police will tell Immigration Enforcement: nobody can promise that",
        re.compile(
            r"\b(?:police|we|officers?|you|i|they|nobody)\b[^.]*\b(?:will|won't|would|do|does|don't|must|shall|can|cannot|"
            r"can't|is|are|never)\b[^.]*\b(?:tell|share|inform|pass|report|contact|disclos\w+|hand|give|check)\b[^.]*"
            r"\b(?:immigration|home office|enforcement|border|deport\w*|visa)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "promises secrecy from immigration: nobody can promise that",
        re.compile(
            r"\b(?:immigration|home office|visa)\b[^.]*\b(?:(?:not|never|won't) (?:be )?(?:told|informed|shared|passed|"
            r"find|know|hear)|(?:safe|secret|hidden|confidential|withheld))\b",
            re.IGNORECASE,
        ),
    ),
)
_ONLY_WITH_NOT: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "advises to mediate: mediation puts a victim in danger",
        re.compile(
            r"\b(?:mediat\w+|reconcil\w+|couples? (?:work|counselling|therapy)|make (?:the |a )?peace|go-betweens?|"
            r"family meeting|sort it out between|talk it (?:through|over) together)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "advises to use family to interpret: use a professional interpreter",
        re.compile(
            r"\b(?:family|relatives?|sons?|daughters?|child(?:ren)?|sisters?|brothers?|cousins?|aunts?|uncles?|mum|mother|"
            r"dad|father|husband|wife|partner|neighbours?)\b[^.]*\b(?:interpret\w*|translat\w*)\b"
            r"|\b(?:interpret\w*|translat\w*)\b[^.]*\b(?:by|from|through|using|use|with) (?:\w+ ){0,2}(?:family|"
            r"relatives?|sons?|daughters?|child(?:ren)?|sisters?|brothers?|cousins?|neighbours?|partner|husband|wife)\b",
            re.IGNORECASE,
        ),
    ),
)
_HONOUR = re.compile(r"honour|forced marriage|\bfgm\b", re.IGNORECASE)
_FAMILY_CONTACT = re.compile(
    r"\b(?:speak|talk|ring|call|contact|visit|write|ask|tell|inform|meet|involve)\b[^.]*\b(?:family|parents?|relatives?|"
    r"brothers?|father|mother|uncles?|elders?|in-laws|community)\b",
    re.IGNORECASE,
)


def faults(entry: Entry, today: date) -> tuple[str, ...]:
    """What is wrong with an entry; nothing, for one that may be shown."""
    found = [*_facts(entry, today), *_body(entry), *_content(entry)]
    return tuple(found)


def _facts(entry: Entry, today: date) -> list[str]:
    found = []
    if not entry.sources:
        found.append("no source: say where it was read, and when")
    if not entry.owner.strip():
        found.append("no owner: name the role that answers for it")
    if entry.review_by <= entry.checked:
        found.append("review_by is not after checked")
    if entry.checked > today:
        found.append("checked is in the future")
    if entry.kind is not Kind.SERVICE and entry.public:
        found.append("guidance and powers are not part of the public directory: public is no")
    if entry.kind is Kind.GUIDANCE and len(entry.topics) != 1:
        found.append("guidance is about exactly one topic")
    if entry.kind is Kind.SERVICE and not (entry.phones or entry.text or entry.web or entry.body):
        found.append("no way to reach it")
    found += [fault for phone in entry.phones for fault in phone_faults(phone)]
    found += web_faults(entry.web) if entry.web else []
    try:
        require_hours(entry.hours)
    except BadHours as error:
        found.append(str(error))
    return found


def phone_faults(phone: Phone) -> list[str]:
    """What is wrong with a number that somebody in Britain is asked to ring."""
    if phone.number in SHORT_NUMBERS or DRAMA.match(re.sub(r"\D", "", phone.number)):
        return []
    try:
        parsed = phonenumbers.parse(phone.number, "GB")
    except phonenumbers.NumberParseException:
        return [f"{phone.number} is no phone number"]
    if parsed.country_code != 44:
        return [f"{phone.number} is not a British number"]
    if not phonenumbers.is_valid_number_for_region(parsed, "GB"):
        return [f"{phone.number} is no valid British number: check the digits"]
    if phonenumbers.number_type(parsed) in PREMIUM:
        return [f"{phone.number} costs extra to ring: leave it out"]
    return []


def web_faults(address: str) -> list[str]:
    """What is wrong with a web address, as far as its text shows. No look-up is made here."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return [f"{address[:60]} is no web address"]
    if parts.scheme != "https" or not host or parts.username or parts.password or port not in (None, 443):
        return [f"{address[:60]} is not a plain https address"]
    try:
        ipaddress.ip_address(host)
        return [f"{address[:60]} is a bare network address: use the service's own name"]
    except ValueError:
        pass
    if "." not in host or host.endswith((".local", ".localhost", ".internal", ".test", ".invalid")):
        return [f"{address[:60]} is not a public address"]
    if not host.isascii() or "xn--" in host:
        return [f"{address[:60]} has letters that can be mistaken for others: a person has to look at it"]
    return []


def _body(entry: Entry) -> list[str]:
    found = []
    words = entry.body.split()
    if not words:
        found.append("no words: say what to do, or what it is for")
    if len(words) > LONGEST:
        found.append(f"{len(words)} words: at most {LONGEST}")
    if nh3.is_html(entry.body) or re.search(r"(?i)javascript:|data:", entry.body):
        found.append("holds HTML or a script: plain text only")
    if entry.kind is not Kind.SERVICE and reading_grade(entry.body) > GRADE_OF_12:
        grade = reading_grade(entry.body)
        found.append(f"too hard to read (grade {grade:.1f}, at most {GRADE_OF_12:.0f}): shorter words and sentences")
    return found


def _content(entry: Entry) -> list[str]:
    found = []
    whole = f"{entry.title}. {entry.body}"
    honour = bool(_HONOUR.search(whole)) or "honour-forced-marriage" in entry.topics
    for sentence in re.split(r"(?<=[.!?:])\s+|\n", whole):
        found += [reason for reason, pattern in _FORBIDDEN if pattern.search(sentence)]
        if _NOT.search(sentence):
            continue
        found += [reason for reason, pattern in _ONLY_WITH_NOT if pattern.search(sentence)]
        if honour and entry.kind is not Kind.SERVICE and _FAMILY_CONTACT.search(sentence):
            found.append("advises to contact family in an honour-based case: that can kill")
    if "refuge" in whole.lower() and (POSTCODE.search(whole) or STREET.search(whole)):
        found.append("holds an address beside the word refuge: addresses of refuges are never written down")
    return list(dict.fromkeys(found))


def reading_grade(text: str) -> float:
    """Flesch-Kincaid grade: 7 is read by most twelve-year-olds. 0 for no words.

    Ours, because the usual library fetches a dictionary when it runs. Syllables are counted as groups of vowels, less
    a silent final e; names in capitals and numbers count as words of two syllables.
    """
    sentences = [one for one in re.split(r"[.!?:;]+\s|\n", text + " ") if re.search(r"\w", one)]
    words = re.findall(r"[\w'’-]+", text)
    if not words or not sentences:
        return 0.0
    syllables = sum(_syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def _syllables(word: str) -> int:
    if word.isupper() or any(letter.isdigit() for letter in word):
        return min(2, len(word))
    lower = re.sub(r"(?:[^laeiouy]e|ed|es)$", "", word.lower()) or word.lower()
    return max(1, len(re.findall(r"[aeiouy]+", lower)))
