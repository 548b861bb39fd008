"""The reports in a real browser, each with a question held: nothing for axe to object to, and a file to take."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from audit.reports.every import REPORTS
from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import ask, complaints, on_the_desk

pytestmark = pytest.mark.browser


def told(board: Page) -> None:
    """Wait until the question is counted: the line counts every 15 seconds."""
    for _ in range(30):
        if board.get_by_text("n = 1,").count():
            return
        board.wait_for_timeout(1_000)
        board.reload()
    raise AssertionError("not counted")


@pytest.mark.timeout(400)
def test_each_report_is_drawn_and_stands_in_a_table_and_can_be_taken(practice: Practice, browser: Browser) -> None:
    window = browser.new_context()
    officer = sign_in(window, practice.link("officer"))
    ask(officer, "He strangled her last night, and there is a dog. What now?")
    desk = on_the_desk(practice, window)
    desk.get_by_role("button", name="Accept").click()
    desk.get_by_label(re.compile("Write to")).fill("Is she breathing well?")
    desk.get_by_role("button", name="Send").first.click()
    board = sign_in(window, practice.link("supervisor"))
    board.get_by_role("link", name="Reports").click()
    told(board)
    found: list[str] = []
    for report in REPORTS.values():
        board.get_by_role("navigation", name="Reports").get_by_role("link", name=report.title, exact=True).click()
        expect(board.get_by_role("heading", level=1)).to_have_text(report.title)
        expect(board.get_by_role("heading", level=2).first).to_be_visible()
        found += complaints(board, report.slug)
    board.goto(f"http://127.0.0.1:{practice.port}/reports/supervisor/demand")
    expect(board.get_by_role("img", name=re.compile("Questions by hour and weekday"))).to_be_visible()
    board.get_by_label("For whom").fill("Example ICB")
    board.get_by_label("Why").fill("Quarterly meeting")
    for button, ending in (("CSV", ".csv"), ("PDF", ".pdf")):
        with board.expect_download() as taken:
            board.get_by_role("button", name=f"Take it as {button}").click()
        assert taken.value.suggested_filename.endswith(ending)
    window.close()
    assert found == []
