"""The People room, as people see it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Practice, sign_in
from tests.browser.test_pages import complaints

pytestmark = pytest.mark.browser

FILE = b"staff_id,name,service,roles\nPC 9,PC 9 New,Example Constabulary,officer\n"


@pytest.mark.timeout(240)
def test_an_administrator_adds_people_and_no_page_has_anything_to_object_to(
    practice: Practice, browser: Browser
) -> None:
    window = browser.new_context()
    found: list[str] = []
    window.on("console", lambda said: found.append(f"console: {said.text}") if said.type == "error" else None)
    page = sign_in(window, practice.link("admin"))
    expect(page.get_by_role("heading", name="People", exact=True)).to_be_visible()
    found += complaints(page, "people")
    page.get_by_role("link", name="Add a person").click()
    found += complaints(page, "new")
    page.get_by_label("Staff id").fill("N-900")
    page.get_by_label("Name", exact=True).fill("Nora Example")
    page.get_by_label("Service").fill("Example Hospitals NHS Trust")
    page.get_by_label("IDVA", exact=True).check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Nora Example")).to_be_visible()
    page.get_by_role("button", name="Link to sign in as IDVA").click()
    expect(page.get_by_text("/sign-in/")).to_be_visible()
    found += complaints(page, "person")
    page.goto(page.url.partition("/people/")[0] + "/people/admin/import")
    found += complaints(page, "import")
    page.get_by_label("File").set_input_files({"name": "staff.csv", "mimeType": "text/csv", "buffer": FILE})
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="1 person would be added")).to_be_visible()
    found += complaints(page, "look")
    page.get_by_role("button", name="Add 1").click()
    expect(page.get_by_role("heading", name="1 person added")).to_be_visible()
    found += complaints(page, "added")
    window.close()
    assert found == []


@pytest.mark.timeout(120)
def test_nobodys_own_account_page_has_anything_to_object_to(practice: Practice, browser: Browser) -> None:
    window = browser.new_context()
    found: list[str] = []
    for role in ("officer", "idva", "supervisor", "curator", "admin"):
        page = sign_in(window, practice.link(role))
        page.get_by_role("link", name="Account").click()
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        found += complaints(page, f"account of {role}")
    window.close()
    assert found == []
