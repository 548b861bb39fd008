"""A sound and a notice when something new waits at the desk: once for each, when switched on, without its words."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import ask, complaints, on_the_desk

pytestmark = pytest.mark.browser

COUNTING = """
window.alerted = 0
window.noticed = []
document.addEventListener('lanyard:alerted', () => { window.alerted += 1 })
window.Notification = class {
  static permission = 'granted'
  constructor (title, rest) { window.noticed.push([title, rest.body]) }
}
Object.defineProperty(document, 'hidden', { get: () => true })
"""


def alerts(page: Page, wanted: int) -> None:
    """So many came, and no more within a second."""
    for _ in range(50):
        if page.evaluate("window.alerted") >= wanted:
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(1_000)
    assert page.evaluate("window.alerted") == wanted


@pytest.mark.timeout(120)
def test_each_new_thing_at_the_desk_alerts_once_and_says_nothing_of_it(
    practice: Practice, window: BrowserContext
) -> None:
    window.add_init_script(COUNTING)
    officer = sign_in(window, practice.link("officer"))
    ask(officer, "RED SECRET. He pressed on her neck. What now?")
    desk = on_the_desk(practice, window)
    button = desk.get_by_role("button", name="Sound and notice")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert desk.evaluate("window.alerted") == 0, "it is not switched on yet"
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    desk.get_by_role("button", name="Accept").click()
    expect(desk.get_by_label("Write to", exact=False)).to_be_visible(timeout=5_000)
    desk.wait_for_timeout(1_000)
    before = desk.evaluate("window.alerted")
    officer.get_by_label("Write on in", exact=False).fill("GREEN SECRET. She is hoarse.")
    officer.get_by_role("button", name="Send").click()
    alerts(desk, before + 1)
    noticed = desk.evaluate("window.noticed")
    assert noticed
    assert all(one == ["Lanyard", "Something waits for you."] for one in noticed)
    assert complaints(desk, "desk with alerts") == []
