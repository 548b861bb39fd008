"""The rules an entry must meet: facts that can be dialled, words that can be read, advice that cannot kill."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from knowledge.entry import Entry, Kind, Phone
from knowledge.reading import read_entry
from knowledge.rules import faults, phone_faults, reading_grade, web_faults
from tests.knowledge.test_reading import GOOD

TODAY = date(2026, 11, 23)
SERVICE = read_entry(GOOD, "good.md")
GUIDANCE = replace(SERVICE, kind=Kind.GUIDANCE, public=False, phones=())


def wrong(entry: Entry) -> str:
    return "; ".join(faults(entry, TODAY))


@pytest.mark.parametrize(
    "number", ["999", "101", "116 123", "0800 1111", "0808 2000 247", "01253 477592", "07700 900123"]
)
def test_numbers_that_can_be_rung(number: str) -> None:
    assert phone_faults(Phone(number)) == []


@pytest.mark.parametrize(
    "number", ["0300 323 085", "12345", "+1 212 555 0100", "0909 879 0000", "ring me", "0871 222 3333", ""]
)
def test_numbers_that_are_wrong_foreign_or_dear(number: str) -> None:
    assert phone_faults(Phone(number))


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org", "https://169.254.169.254/latest", "file:///etc/passwd", "https://localhost/x",
        "https://user:pw@example.org", "javascript:alert(1)", "https://[::1]/", "https://intranet", "https://a.internal",
        "https://example.org:8443/", "https://\u0435xample.org", "https://xn--e1awd7f.com",
    ],
)  # fmt: skip
def test_addresses_that_are_not_plain_and_public_are_refused(address: str) -> None:
    assert web_faults(address)


def test_a_public_address_is_taken() -> None:
    assert web_faults("https://www.example.org/help") == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Police will not tell Immigration Enforcement.",
        "We never share this with the Home Office.",
        "Nobody will pass her details to immigration.",
        "Her visa status is safe with us.",
        "She can speak freely: immigration will not be told.",
        "Officers do not report visa overstayers to the Home Office.",
    ],
)
def test_no_entry_promises_silence_towards_immigration_enforcement(sentence: str) -> None:
    assert "promise" in wrong(replace(GUIDANCE, body=sentence))


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Ask the couple to mediate.", "mediate"),
        ("Suggest a family meeting to make peace.", "mediate"),
        ("Offer couples counselling.", "mediate"),
        ("Her sister may interpret for her.", "interpret"),
        ("Let the son translate if it is late.", "interpret"),
        ("Use an interpreter from the family.", "interpret"),
        ("In honour-based cases ring her parents first.", "honour-based"),
        ("Forced marriage: speak with the elders of the community.", "honour-based"),
        ("The refuge is at 12 Example Road.", "refuge"),
        ("The refuge has the postcode FY1 1AA.", "refuge"),
    ],
)
def test_advice_that_could_kill_is_refused(sentence: str, reason: str) -> None:
    assert reason in wrong(replace(GUIDANCE, body=sentence))


@pytest.mark.parametrize(
    "sentence",
    [
        "Never ask the couple to mediate.",
        "Do not use family to interpret.",
        "Do not let her sister translate.",
        "In honour-based cases never ring her parents.",
        "Do not promise what other bodies will do about her status.",
        "Do not write down where a refuge is.",
    ],
)
def test_the_same_advice_turned_round_is_right(sentence: str) -> None:
    assert faults(replace(GUIDANCE, body=sentence), TODAY) == ()


def test_length_reading_age_html_and_review_are_looked_at() -> None:
    assert "words: at most 120" in wrong(replace(GUIDANCE, body="Stay. " * 121))
    hard = "Notwithstanding jurisdictional considerations, practitioners should operationalise procedures."
    assert "too hard to read" in wrong(replace(GUIDANCE, body=hard))
    assert "HTML" in wrong(replace(SERVICE, body="Hello <script>alert(1)</script>"))
    assert "review_by is not after checked" in wrong(replace(SERVICE, review_by=SERVICE.checked))
    assert "in the future" in wrong(replace(SERVICE, checked=TODAY + timedelta(days=1), review_by=date(2027, 5, 1)))
    assert "no source" in wrong(replace(SERVICE, sources=()))
    assert "no owner" in wrong(replace(SERVICE, owner=" "))
    assert "no opening hours" in wrong(replace(SERVICE, hours="sometimes"))


def test_reading_grade_grows_with_words_and_sentences() -> None:
    easy = reading_grade("See the child. Ask her name. Stay with her.")
    assert easy < 3 < reading_grade("The practitioner subsequently communicates comprehensive recommendations.")
    assert reading_grade("") == 0
