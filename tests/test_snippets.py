"""Own wording: an IDVA's alone, put into the answer box to be read and changed, never sent by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from access.tables import Role
from conversations import search
from conversations.case import Case
from conversations.errors import NoSuchSnippet, WrongSnippet
from conversations.snippets import LONGEST, MOST, add_snippet, change_snippet, remove_snippet, snippets
from conversations.tables import Message
from conversations.tables_desk import Snippet
from tests.house import House
from tests.test_console import Pages

ASK = "Is she somewhere he cannot hear her?"


def mine(house: House, name: str) -> list[str]:
    return [one.words for one in house.do(lambda work: snippets(work, house.id(name)))]


def test_each_idva_has_their_own_and_may_change_and_remove_them(make_house: Callable[..., House]) -> None:
    house = make_house()
    jane, amira = house.id("jane"), house.id("amira")
    house.do(lambda work: add_snippet(work, jane, f"  {ASK}  "))
    assert (mine(house, "jane"), mine(house, "amira")) == ([ASK], [])
    [kept] = house.do(lambda work: snippets(work, jane))
    for act in (
        lambda work: change_snippet(work, amira, kept.id, "x"),
        lambda work: remove_snippet(work, amira, kept.id),
        lambda work: remove_snippet(work, jane, "0" * 32),
    ):
        with pytest.raises(NoSuchSnippet):
            house.do(act)
    house.do(lambda work: change_snippet(work, jane, kept.id, "Is she safe to talk?"))
    assert mine(house, "jane") == ["Is she safe to talk?"]
    house.do(lambda work: remove_snippet(work, jane, kept.id))
    assert mine(house, "jane") == []


@pytest.mark.parametrize("words", ["", "  \n", "x" * (LONGEST + 1)])
def test_an_empty_or_endless_one_is_refused_and_nothing_changes(make_house: Callable[..., House], words: str) -> None:
    house = make_house()
    house.do(lambda work: add_snippet(work, house.id("jane"), ASK))
    [kept] = house.do(lambda work: snippets(work, house.id("jane")))
    with pytest.raises(WrongSnippet):
        house.do(lambda work: add_snippet(work, house.id("jane"), words))
    with pytest.raises(WrongSnippet):
        house.do(lambda work: change_snippet(work, house.id("jane"), kept.id, words))
    assert mine(house, "jane") == [ASK]


def test_there_are_no_more_than_fit(make_house: Callable[..., House]) -> None:
    house = make_house()
    for _ in range(MOST):
        house.do(lambda work: add_snippet(work, house.id("jane"), "a wording"))
    with pytest.raises(WrongSnippet):
        house.do(lambda work: add_snippet(work, house.id("jane"), ASK))
    assert len(mine(house, "jane")) == MOST


def test_the_database_holds_none_of_the_words(make_house: Callable[..., House]) -> None:
    house = make_house()
    house.do(lambda work: add_snippet(work, house.id("jane"), ASK))
    with house.line.database.reading() as session:
        assert ASK.encode() not in session.scalars(select(Snippet)).one().words.blob


@pytest.fixture
def pages(make_house: Callable[..., House], tmp_path: Path) -> Iterator[Pages]:
    made = Pages(make_house(), tmp_path)
    yield made
    made.client.close()


def test_without_a_script_the_pane_comes_back_with_the_wording_in_the_box_and_nothing_is_sent(pages: Pages) -> None:
    house = pages.house
    house.on_duty("jane")
    ref = house.asks()
    house.do(lambda work: search.accept(Case.load(work, house.row(ref).id), house.id("jane")))
    pages.sign_in("jane", Role.IDVA)
    assert pages.client.post("/wording", data={"words": ASK}).status_code == 303
    [kept] = house.do(lambda work: snippets(work, house.id("jane")))
    said = _messages(house)
    plain = pages.client.get(f"/desk/{ref}").text
    chosen = pages.client.get(f"/desk/{ref}", params={"wording": kept.id}).text
    assert plain.count(ASK) == 1, "only in the list"
    assert f"required>{ASK}</textarea>" in chosen
    assert f"required>{ASK}</textarea>" not in pages.client.get(f"/desk/{ref}", params={"wording": "0" * 32}).text
    assert _messages(house) == said


def _messages(house: House) -> int:
    with house.line.database.reading() as session:
        return len(session.scalars(select(Message)).all())
