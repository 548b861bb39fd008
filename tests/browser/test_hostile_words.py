"""Thirty scripts as words, in a real browser: each is shown as it was written, none runs, none asks anybody."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from console.page import plain
from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import ask, on_the_desk
from tests.hostile.payloads import PAYLOADS

pytestmark = pytest.mark.browser

ALL = "\n".join(PAYLOADS)


def shown(page: Page, view: str) -> None:
    """Every payload stands on this page as words, and no element came of one."""
    text = page.locator("body").inner_text()
    missing = [one for one in PAYLOADS if " ".join(plain(one).split()) not in " ".join(text.split())]
    assert missing == [], view
    assert page.locator("iframe, object, embed, base, [onerror], [onload], [href^=javascript]").count() == 0


@pytest.mark.timeout(240)
def test_hostile_words_are_words_in_every_room_that_shows_them(practice: Practice, browser: Browser) -> None:
    base = f"http://127.0.0.1:{practice.port}"
    window = browser.new_context()
    officer = sign_in(window, practice.link("officer"))
    ref = ask(officer, ALL)
    shown(officer, "chat")
    desk = on_the_desk(practice, window)
    desk.get_by_role("button", name="Accept").click()
    expect(desk.get_by_text("<svg onload=alert(5)>").first).to_be_visible(timeout=5_000)
    shown(desk, "desk")
    for path in (f"/desk/{ref}", f"/desk/{ref}/messages", f"/chat/{ref}/messages"):
        desk.goto(base + path)
        shown(desk, path)
    board = sign_in(window, practice.link("supervisor"))
    board.goto(f"{base}/glass/supervisor")
    board.get_by_label("Reference").fill(ref)
    board.get_by_label("Why this cannot wait").fill(PAYLOADS[0])
    board.get_by_role("button", name="Open it").click()
    expect(board.get_by_text("<svg onload=alert(5)>").first).to_be_visible(timeout=5_000)
    shown(board, "glass")
