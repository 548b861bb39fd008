"""The desk with five consultations at once: every line goes where it was meant to."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import ask, complaints

pytestmark = pytest.mark.browser


def goes_on(officer: Page, port: int, ref: str, words: str) -> None:
    """The officer writes on in one of theirs."""
    officer.goto(f"http://127.0.0.1:{port}/chat/{ref}")
    officer.get_by_label(re.compile("Write on in")).fill(words)
    officer.get_by_role("button", name="Send").click()
    expect(officer.locator(".lanyard-words").filter(has_text=words)).to_be_visible(timeout=5_000)


def own_wording(desk: Page, port: int, ref: str) -> None:
    """A sentence of one's own goes into the box of one pane by a tap, to be changed, and into no other."""
    desk.goto(f"http://127.0.0.1:{port}/wording")
    desk.get_by_label("New wording").fill("Is she somewhere he cannot hear her?")
    desk.get_by_role("button", name="Add").click()
    expect(desk.get_by_label("Wording 1", exact=True)).to_have_value("Is she somewhere he cannot hear her?")
    assert complaints(desk, "own wording") == []
    desk.goto(f"http://127.0.0.1:{port}/desk")
    box = desk.get_by_label(re.compile(f"Write to .* in {ref}"))
    box.fill("PC,")
    desk.get_by_text(f"Own wording for {ref}").click()
    desk.locator(f"[data-pane='{ref}']").get_by_role("button", name="Is she somewhere").click()
    expect(box).to_have_value("PC, Is she somewhere he cannot hear her?")
    expect(box).to_be_focused()
    filled = [one.input_value() for one in desk.get_by_label(re.compile("Write to .* in ")).all()]
    assert sum(bool(one) for one in filled) == 1
    if os.environ.get("LANYARD_SHOTS"):
        desk.locator(f"[data-pane='{ref}']").screenshot(path=str(Path(os.environ["LANYARD_SHOTS"]) / "own.png"))


@pytest.mark.timeout(240)
def test_five_at_once_each_line_goes_to_its_own_consultation(practice: Practice, browser: Browser) -> None:
    window, others = browser.new_context(), browser.new_context(viewport={"width": 1920, "height": 1080})
    off_duty = sign_in(browser.new_context(), practice.link("idva"))
    off_duty.get_by_role("button", name="Go off duty").click()
    officer, desk = sign_in(window, practice.link("officer")), sign_in(others, practice.link("idva"))
    refs = []
    for number in range(5):
        officer.goto(f"http://127.0.0.1:{practice.port}/chat")
        refs.append(ask(officer, f"Question {number} of five"))
        desk.reload()
        desk.get_by_role("button", name=re.compile(f"^(Accept|Take) {refs[-1]}")).click()
        expect(desk.locator(f"[data-pane='{refs[-1]}']")).to_be_visible(timeout=5_000)
    for ref in refs:
        expect(desk.locator(f"#pane-{ref} .lanyard-letters")).to_have_text(ref[-2:])
    for number, ref in enumerate(refs):
        desk.get_by_label(re.compile(f"Write to .* in {ref}")).fill(f"Answer {number} to {ref}")
    for number, ref in enumerate(refs):  # all five get new words, and are refreshed, while hers stand half typed
        goes_on(officer, practice.port, ref, f"News {number} from the scene")
        expect(desk.locator(f"[data-pane='{ref}']").get_by_text(f"News {number} from")).to_be_visible(timeout=5_000)
    if os.environ.get("LANYARD_SHOTS"):
        desk.screenshot(path=str(Path(os.environ["LANYARD_SHOTS"]) / "five.png"))
    for number, ref in reversed(list(enumerate(refs))):
        expect(desk.get_by_label(re.compile(f"Write to .* in {ref}"))).to_have_value(f"Answer {number} to {ref}")
        desk.get_by_role("button", name=re.compile(f"Send to {ref}")).click()
        sent = desk.locator(f"[data-pane='{ref}'] div.lanyard-words").filter(has_text=f"Answer {number} to {ref}")
        expect(sent).to_be_visible(timeout=5_000)
    for number, ref in enumerate(refs):
        officer.goto(f"http://127.0.0.1:{practice.port}/chat/{ref}")
        answers = officer.locator("div.lanyard-words").filter(has_text="Answer")
        expect(answers).to_have_text([f"Answer {number} to {ref}"])
    assert complaints(desk, "five panes") == []

    own_wording(desk, practice.port, refs[0])

    lead = sign_in(browser.new_context(viewport={"width": 1920, "height": 1080}), practice.link("supervisor"))
    expect(lead.get_by_role("heading", name="Channels")).to_be_visible()
    if os.environ.get("LANYARD_SHOTS"):
        lead.screenshot(path=str(Path(os.environ["LANYARD_SHOTS"]) / "board.png"))
    assert complaints(lead, "board") == []
