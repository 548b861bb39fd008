"""A newcomer's first consultation: one command, three windows of one browser, from question to read-back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import Practice, free_port, sign_in, start_practice, stop_practice

pytestmark = pytest.mark.browser


def test_three_windows_hold_a_whole_consultation(practice: Practice, window: BrowserContext) -> None:
    officer = sign_in(window, practice.link("officer"))
    idva = sign_in(window, practice.link("idva"))
    board = sign_in(window, practice.link("supervisor"))

    officer.get_by_label("Write your question").fill("Hands round her neck, no marks. What now?")
    officer.get_by_role("button", name="Send").click()
    expect(officer.get_by_text("Received safely. Reference")).to_be_visible(timeout=2_000)
    ref = re.search(r"/chat/(\w{6})", officer.url)
    assert ref is not None
    expect(board.get_by_text(ref[1])).to_be_visible(timeout=8_000)

    try:
        expect(idva.get_by_text("Hands round her neck")).to_be_visible(timeout=5_000)
    except AssertionError:  # the other IDVA was asked first: she is not there
        idva = sign_in(window, practice.link("idva"))
    idva.get_by_role("button", name="Accept").click()
    expect(officer.get_by_text("has your question and will answer here")).to_be_visible(timeout=5_000)

    idva.get_by_label(re.compile("Write to PC 1234")).fill("Any change to her voice?")
    idva.get_by_role("button", name=re.compile(f"Send to {ref[1]}")).click()
    expect(officer.get_by_text("Any change to her voice?")).to_be_visible(timeout=5_000)
    expect(idva.get_by_text("delivered", exact=True).first).to_be_visible(timeout=5_000)

    officer.get_by_label(re.compile("Write on in")).fill("Yes, croaky.")
    officer.get_by_role("button", name="Send").click()
    expect(idva.get_by_text("Yes, croaky.")).to_be_visible(timeout=5_000)

    idva.get_by_text(f"Give advice in {ref[1]}").click()
    idva.get_by_label("Advice with concern").check()
    idva.get_by_label("What to do now").fill("Ambulance now; do not leave her alone.")
    idva.get_by_label("Who to tell, and by when").fill("The detective sergeant, at once.")
    idva.get_by_role("button", name="Send advice").click()
    officer.get_by_role("button", name="Understood").click()
    expect(officer.get_by_text("You confirmed the advice")).to_be_visible(timeout=5_000)
    expect(board.get_by_text("Open consultations (0)")).to_be_visible(timeout=8_000)


def test_the_second_start_is_ready_in_three_seconds(practice: Practice) -> None:
    stop_practice(practice)
    again = start_practice(practice.folder, free_port())
    stop_practice(again)
    assert again.seconds < 3.0, again.seconds
    print(f"second start: {again.seconds:.2f} s")
