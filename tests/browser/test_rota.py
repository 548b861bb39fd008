"""The Rota room and an IDVA's own shifts, in a real browser: nothing for axe to object to on any page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import complaints
from tests.rota_files import HEAD

pytestmark = pytest.mark.browser


DAY = (datetime.now(UTC) + timedelta(days=7)).date()
FIRST, LAST = DAY.isoformat(), (DAY + timedelta(days=3)).isoformat()


@pytest.mark.timeout(300)
def test_from_a_pattern_to_an_import_and_a_swap(practice: Practice, browser: Browser) -> None:
    window = browser.new_context()
    board = sign_in(window, practice.link("supervisor"))
    board.get_by_role("link", name="Rota").click()
    expect(board.get_by_role("heading", name="Rota", exact=True)).to_be_visible()
    board.get_by_role("link", name="Add shifts or leave").click()
    numbers = [str(one.get_attribute("value")) for one in board.locator("#shift-who option").all()]
    mine, other = [one for one in numbers if one.startswith("N-")][:2]
    found = by_a_pattern(board, mine)
    board.goto(f"http://127.0.0.1:{practice.port}/rota/supervisor?week={FIRST}")
    expect(board.get_by_role("link", name=re.compile("14:00 to 22:00")).first).to_be_visible()
    board.get_by_text("The same as a table").click()
    found += complaints(board, "rota")
    found += by_a_file(board, f"{mine},idva,{FIRST}T14:00,{FIRST}T21:00\n{other},idva,{LAST}T14:00,{LAST}T22:00\n")
    elsewhere = browser.new_context()
    found += swapped(practice, sign_in(window, practice.link("idva")), sign_in(elsewhere, practice.link("idva")))
    elsewhere.close()
    window.close()
    assert found == []


def by_a_pattern(board: Page, staff_id: str) -> list[str]:
    """Four shifts, looked at and put on the rota; gives what axe objects to."""
    found = complaints(board, "add")
    board.get_by_label("Who").first.select_option(staff_id)
    board.get_by_label("First day").first.fill(FIRST)
    board.get_by_label("Last day").first.fill(LAST)
    board.get_by_label("14:00 to 22:00").check()
    board.get_by_role("button", name="Look at it", exact=True).click()
    expect(board.get_by_text("4 added, 0 moved, 0 taken off")).to_be_visible()
    found += complaints(board, "look")
    board.get_by_role("button", name="Change the rota").click()
    expect(board.get_by_role("heading", name="Rota", exact=True)).to_be_visible()
    return found


def by_a_file(board: Page, rows: str) -> list[str]:
    """A file that moves one of them, takes the others off and adds one."""
    board.get_by_role("link", name="Import a rota").click()
    found = complaints(board, "import")
    file = FilePayload(name="rota.csv", mimeType="text/csv", buffer=(HEAD + rows).encode())
    board.get_by_label("File").set_input_files(file)
    board.get_by_role("button", name="Look at it").click()
    expect(board.get_by_text("1 added, 1 moved, 3 taken off")).to_be_visible()
    board.get_by_role("button", name="Change the rota").click()
    expect(board.get_by_role("heading", name="Rota", exact=True)).to_be_visible()
    return found


def swapped(practice: Practice, one: Page, other: Page) -> list[str]:
    """One IDVA asks the other, who agrees."""
    for desk in (one, other):
        desk.goto(f"http://127.0.0.1:{practice.port}/shifts")
        expect(desk.get_by_role("heading", name="My shifts")).to_be_visible()
    one.get_by_label("I take their shift").select_option(index=1)
    one.get_by_role("button", name="Ask", exact=True).click()
    expect(one.get_by_role("button", name="Take it back")).to_be_visible()
    found = complaints(one, "shifts")
    other.reload()
    other.get_by_role("button", name="Agree").click()
    expect(other.get_by_role("button", name="Agree")).to_have_count(0)
    return found
