"""Restricting a consultation and breaking the glass, in a real browser: nothing for axe to object to on any page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import ask, complaints, on_the_desk

pytestmark = pytest.mark.browser

WHY = "Her sister rang: he is on his way. Log 0123."


@pytest.mark.timeout(240)
def test_from_breaking_the_glass_to_its_review_and_a_restriction(practice: Practice, browser: Browser) -> None:
    base = f"http://127.0.0.1:{practice.port}"
    window, trust = browser.new_context(), browser.new_context()
    officer = sign_in(window, practice.link("officer"))
    ref = ask(officer, "He is one of ours. What now?")
    desk = on_the_desk(practice, window)
    desk.get_by_role("button", name="Accept").click()
    expect(desk.get_by_label(re.compile("Write to"))).to_be_visible(timeout=5_000)
    board = sign_in(window, practice.link("supervisor"))
    expect(board.get_by_text(ref).first).to_be_visible()
    board.get_by_role("link", name="Emergency access").click()
    found = complaints(board, "glass")
    board.get_by_label("Reference").fill(ref)
    board.get_by_label("Why this cannot wait").fill(WHY)
    board.get_by_role("button", name="Open it").click()
    expect(board.get_by_text("He is one of ours")).to_be_visible()
    found += complaints(board, "behind the glass")

    lead = sign_in(trust, practice.link("idva_lead"))
    lead.goto(f"{base}/glass/idva_lead")
    expect(lead.get_by_text(WHY)).to_be_visible()
    found += complaints(lead, "review")
    lead.get_by_role("button", name="It was justified").click()
    expect(lead.get_by_text(WHY)).to_have_count(0)

    officer.get_by_text("Grade, safety, log number").click()
    officer.get_by_role("link", name="The suspect is police").click()
    found += complaints(officer, "restrict")
    officer.get_by_label("the police").check()
    officer.get_by_role("button", name=f"Restrict {ref}").click()
    officer.get_by_label("Collar number").fill("N-300")
    officer.get_by_role("button", name="Name this person").click()
    expect(officer.get_by_text("Ruth Example")).to_be_visible()
    found += complaints(officer, "restricted")
    board.goto(f"{base}/board/supervisor")
    expect(board.get_by_role("heading", name="Board")).to_be_visible()
    expect(board.get_by_text(ref)).to_have_count(0)
    lead.goto(f"{base}/board")
    expect(lead.get_by_text(ref).first).to_be_visible()
    found += complaints(lead, "lead's board")
    window.close()
    trust.close()
    assert found == []
