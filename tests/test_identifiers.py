"""What may lead to somebody is taken out of advice before it becomes an entry; what helps stays."""

from __future__ import annotations

import pytest

from conversations.identifiers import REMOVED, Ordinary, remove_personal

ORDINARY = Ordinary.of(
    [
        "Let the IDVA ring now; tell your supervisor; record and film it; ask her alone; get her seen at A&E; log it.",
        "will you mark the form: grace, rose. Section 75A. MARAC. Women's helpline 0808 2000 247.",
    ]
)


def cleaned(text: str, *known: str) -> str:
    return remove_personal(text, known, ORDINARY)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Tell Precious that it is recorded.", "Precious"),
        ("Precious is safe now.", "Precious"),
        ("Ask Mark what he saw.", "Mark"),
        ("Mark saw it.", "Mark"),
        ("Ask Oluwaseun-Grace Adeyemi’s sister.", "Adeyemi"),
        ("Ask Łukasz.", "Łukasz"),
        ("Tell SHAZIA now.", "SHAZIA"),
        ("Tell mrs okafor now.", "okafor"),
        ("She lives at 12 Example Street.", "12"),
        ("She lives in fy9 9zz now.", "fy9"),
        ("She was born 03/04/1990.", "1990"),
        ("She was born on 3rd of April 1990.", "3rd"),
        ("Her 6 year old saw it.", "6 year"),
        ("She is aged 34.", "34"),
        ("Ring her on 07700 900123.", "900123"),
        ("Ring her on +44 7700 900123.", "7700"),
        ("NHS number 943 476 5919.", "476"),
        ("His car is PJ19 XKD.", "PJ19"),
        ("Log LC-20261120-0412.", "0412"),
        ("Write to jo.bloggs@example.org now.", "bloggs"),
    ],
)
def test_what_may_lead_to_somebody_is_removed(text: str, gone: str) -> None:
    assert gone not in cleaned(text)
    assert REMOVED in cleaned(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ring the IDVA now.",
        "Tell your supervisor by 21:30: MARAC.",
        "Ring 0808 2000 247, or 999.",
        "Record it under section 75A.\n\nFilm it.",
        "Ask her alone. Get her seen at A&E within 48 hours.",
    ],
)
def test_what_helps_anybody_stays(text: str) -> None:
    assert cleaned(text) == text


def test_the_people_of_the_consultation_are_removed_however_they_are_written() -> None:
    assert cleaned("ask jane example, or JANE. Log k7q2ad.", "Jane Example", "Jane", "K7Q2AD") == (
        f"ask {REMOVED}, or {REMOVED}. Log {REMOVED}."
    )


def test_several_in_a_row_become_one() -> None:
    assert cleaned("ask Anna, Bea, Cora now") == f"ask {REMOVED} now"
