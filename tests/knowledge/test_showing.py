"""How an entry is read on a phone: what to ring, whether it is open, how far to trust it."""

from __future__ import annotations

from datetime import UTC, datetime

from console.page import reach
from knowledge.entry import Kind
from knowledge.reading import read_folder
from knowledge.showing import card, title_line

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ENTRIES = {entry.id: entry for entry in read_folder()}


def test_a_service_says_first_whom_to_ring_and_whether_it_is_open() -> None:
    lines = card(ENTRIES["blackpool-adult-social-care"], NOW).split("\n")
    assert lines[2] == "Ring 01253 477592 (office hours)"
    assert "Hours: open now until 17:00" in lines
    assert "number seen at two publishers, not rung" in lines


def test_every_unconfirmed_number_hour_and_conflict_says_so() -> None:
    for entry in ENTRIES.values():
        text = card(entry, NOW)
        if entry.phones and entry.confirmation.value in ("x1", "x2r", "none"):
            assert "NOT CONFIRMED" in text, entry.id
        if entry.kind is Kind.SERVICE and entry.hours and not entry.hours_confirmed:
            assert "hours not confirmed" in text, entry.id
        for conflict in entry.conflicts:
            assert conflict in text, entry.id
        assert f"Checked {entry.checked:%d %b %Y}" in text


def test_a_line_names_number_and_state() -> None:
    assert title_line(ENTRIES["samaritans"], NOW) == "• Samaritans (116 123, open 24 hours)"


def test_numbers_and_addresses_can_be_tapped_and_nothing_else_is_trusted() -> None:
    html = str(reach("Ring 0808 2000 247 or 999, see https://example.org/a?b=1. <b>no</b> 2026-11-23, log 1234"))
    assert '<a class="govuk-link lanyard-number" href="tel:08082000247">0808 2000 247</a>' in html
    assert 'href="tel:999"' in html
    assert 'href="https://example.org/a?b=1"' in html
    assert "&lt;b&gt;no&lt;/b&gt;" in html
    assert html.count("<a ") == 3
