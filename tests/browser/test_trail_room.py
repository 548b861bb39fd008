"""The trail's room in a real browser: nothing for axe to object to, and a search that finds."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import ask, complaints

pytestmark = pytest.mark.browser


@pytest.mark.timeout(120)
def test_an_auditor_finds_what_happened(practice: Practice, browser: Browser) -> None:
    window = browser.new_context()
    ref = ask(sign_in(window, practice.link("officer")), "SECRET WORDS. What now?")
    trail = sign_in(window, practice.link("auditor"))
    found = complaints(trail, "trail")
    trail.get_by_label("Reference").fill(ref)
    trail.get_by_role("button", name="Search").click()
    expect(trail.get_by_role("cell", name="message.received").first).to_be_visible()
    expect(trail.get_by_text("SECRET")).to_have_count(0)
    found += complaints(trail, "found")
    window.close()
    assert found == []
