"""A review in a real browser, from an urgent consultation's end to signing off: nothing for axe to object to."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import ask, complaints, on_the_desk

pytestmark = pytest.mark.browser


@pytest.mark.timeout(240)
def test_from_the_list_to_signing_off_with_a_question_to_the_idva(practice: Practice, browser: Browser) -> None:
    base = f"http://127.0.0.1:{practice.port}"
    window = browser.new_context()
    officer = sign_in(window, practice.link("officer"))
    ref = ask(officer, "He strangled her last night. What now?")
    desk = on_the_desk(practice, window)
    desk.get_by_role("button", name="Accept").click()
    expect(desk.get_by_label(re.compile("Write to"))).to_be_visible(timeout=5_000)
    officer.get_by_role("button", name=re.compile("Withdraw|No longer needed|not needed", re.IGNORECASE)).first.click()

    board = sign_in(window, practice.link("supervisor"))
    board.get_by_role("link", name="Review").click()
    expect(board.get_by_text("A red flag was raised in it")).to_be_visible()
    found = complaints(board, "list of reviews")
    board.get_by_role("button", name=f"Review {ref}").click()
    expect(board.get_by_text("He strangled her last night")).to_be_visible()
    for group in board.get_by_role("group").filter(has=board.get_by_label("Not applicable")).all():
        group.get_by_label("Yes").check()
    board.get_by_label("Comment").fill("Quick, and calm.")
    board.get_by_label("Question to the IDVA").fill("What would have helped?")
    board.get_by_role("button", name="Save and ask the IDVA").click()
    expect(board.get_by_text("Not answered yet")).to_be_visible()
    board.get_by_text("Proof:").click()
    expect(board.get_by_text("Leaves in the trail")).to_be_visible()
    found += complaints(board, "review")

    desk.goto(f"{base}/desk/reviews")
    found += complaints(desk, "questions")
    desk.get_by_label("Your answer").fill("An earlier word of the children.")
    desk.get_by_role("button", name="Answer").click()
    expect(desk.get_by_text("You: An earlier word")).to_be_visible()

    board.reload()
    expect(board.get_by_text("An earlier word of the children")).to_be_visible()
    board.get_by_role("button", name="Sign off").click()
    expect(board.get_by_role("heading", name="You, signed off")).to_be_visible()
    found += complaints(board, "signed off")
    board.goto(f"{base}/review/supervisor/grade")
    found += complaints(board, "later grade")
    window.close()
    assert found == []
