"""The catalogue's pages in a real browser: nothing for axe to object to, and a change that goes the whole way."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import complaints

pytestmark = pytest.mark.browser

WORDS = "Ring for an ambulance now. Film her neck. Tell your supervisor."
ENTRY = "entries/guidance-strangulation"


@pytest.mark.timeout(240)
def test_a_change_goes_from_the_idva_to_the_officer_on_pages_without_fault(
    practice: Practice, browser: Browser
) -> None:
    base = f"http://127.0.0.1:{practice.port}/catalogue"
    window = browser.new_context()
    officer, idva, curator = (sign_in(window, practice.link(role)) for role in ("officer", "idva", "curator"))
    found = complaints(curator, "list")
    for page, name, path in (
        (officer, "officer's list", "officer"),
        (officer, "officer's entry", f"officer/{ENTRY}"),
        (curator, "entry", f"curator/{ENTRY}"),
        (curator, "recall", "curator/recall?entry=guidance-strangulation"),
        (curator, "corrections", "curator/recalls"),
        (idva, "advice", "idva/advice"),
        (idva, "form", "idva/propose?entry=guidance-strangulation"),
    ):
        page.goto(f"{base}/{path}")
        found += complaints(page, name)
    idva.get_by_label("What officers read").fill(WORDS)
    idva.get_by_role("button", name="Propose").click()
    expect(idva.get_by_text("A second person has to approve this")).to_be_visible()
    found += complaints(idva, "version")
    curator.goto(f"{base}/curator/proposals")
    found += complaints(curator, "proposals")
    curator.get_by_role("link", name=re.compile("version 2")).click()
    curator.get_by_role("button", name="Approve").click()
    curator.goto(f"{base}/curator/publish")
    found += complaints(curator, "publish")
    curator.get_by_role("button", name="Publish 1 change").click()
    expect(curator.get_by_text("Release 2")).to_be_visible()
    officer.goto(f"{base}/officer/{ENTRY}")
    expect(officer.get_by_text(WORDS)).to_be_visible()
    window.close()
    assert found == []
