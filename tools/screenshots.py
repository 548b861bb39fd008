"""Pictures of each room for the README (`make screenshots`): a made-up consultation held in a real browser.

Rule kept here: a picture is looked at by a person before it is kept.
"""

from __future__ import annotations

import re
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.browser.conftest import Practice, free_port, sign_in, start_practice, stop_practice
from tests.browser.test_pages import ask, on_the_desk

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "screenshots"
PHONE, SCREEN, WALL = (390, 844), (1280, 900), (1920, 1080)
QUESTION = "He pressed on her neck. She says she is fine and will not come with us. What do I do now?"


def main() -> int:
    """Hold a consultation in practice and take a picture of each room."""
    FOLDER.mkdir(exist_ok=True)
    practice = start_practice(Path(tempfile.mkdtemp()), free_port())
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            consultation(practice, browser.new_context())
            rooms(practice, browser.new_context())
            rota(sign_in(browser.new_context(), practice.link("idva_lead")))
            browser.close()
    finally:
        stop_practice(practice)
    return 0


def consultation(practice: Practice, window: BrowserContext) -> None:
    """The officer's chat, the desk and the board while it goes on; then its review."""
    officer = sign_in(window, practice.link("officer"))
    officer.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    ref = ask(officer, QUESTION)
    desk = on_the_desk(practice, window)
    board = sign_in(window, practice.link("supervisor"))
    take(board, "board", WALL)
    desk.get_by_role("button", name="Accept").click()
    writing = desk.get_by_label(re.compile("Write to"))
    expect(writing).to_be_visible(timeout=5_000)
    writing.fill("Ambulance first, please. Is her voice hoarse, or did she black out?")
    desk.get_by_role("button", name=f"Send to {ref}").click()
    expect(officer.get_by_text("Ambulance first")).to_be_visible(timeout=5_000)
    take(officer, "chat", PHONE)
    take(desk, "desk", SCREEN)
    officer.get_by_role("button", name="No longer needed").last.click()
    expect(officer.get_by_role("button", name=f"Ask more in {ref}")).to_be_visible(timeout=5_000)
    board.get_by_role("link", name="Review").click()
    board.get_by_role("button", name="Review").first.click()
    take(board, "review", SCREEN)
    board.get_by_role("link", name="Catalogue").click()
    take(board, "catalogue", SCREEN)
    board.get_by_role("link", name="Lanyard").click()
    board.get_by_role("link", name="Reports").click()
    take(board, "reports", SCREEN)


def rooms(practice: Practice, window: BrowserContext) -> None:
    """The trail and the people."""
    trail = sign_in(window, practice.link("auditor"))
    trail.get_by_role("button", name="Search").click()
    expect(trail.get_by_role("cell", name="message.received").first).to_be_visible()
    take(trail, "trail", SCREEN)
    take(sign_in(window, practice.link("admin")), "people", SCREEN)


def rota(lead: Page) -> None:
    """A fortnight of the rota, with what it leaves uncovered."""
    for person, hours in enumerate(("07:00 to 15:00", "14:00 to 22:00")):
        lead.get_by_role("link", name="Lanyard").click()
        lead.get_by_role("link", name="Rota").click()
        lead.get_by_role("link", name="Add shifts or leave").click()
        staff_id = lead.locator("#shift-who option", has_text="(N-").nth(person).get_attribute("value")
        lead.get_by_label("Who").first.select_option(staff_id)
        today = date.fromisoformat(lead.get_by_label("First day").first.input_value())
        lead.get_by_label("First day").first.fill((today + timedelta(days=1)).isoformat())
        lead.get_by_label("Last day").first.fill((today + timedelta(days=14)).isoformat())
        lead.get_by_label(hours).check()
        lead.get_by_role("button", name="Look at it", exact=True).click()
        lead.get_by_role("button", name="Change the rota").click()
    lead.get_by_role("link", name="Week after").click()
    take(lead, "rota", SCREEN)


def take(page: Page, name: str, size: tuple[int, int]) -> None:
    """One picture, as somebody with such a screen sees it."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(400)
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
