"""The telling itself: no path of the issue is without a story, and a story that is wrong is found out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from conversations.states import LIVE, State
from storage.database import Base, Database
from tests.journeys.book import BOOK, STATES
from tests.journeys.paths import ONLY_AT_TELEGRAM, ONLY_AT_THE_WEB, PATHS
from tests.journeys.playing import play
from tests.journeys.reading import Story, StoryError, read
from tests.journeys.stage import SETTINGS

HERE = Path(__file__).parent
STORIES = [read(path) for path in sorted(HERE.glob("*.journey"))]
DOORS = {story.name: story.listed("Doors", "web, Telegram") for story in STORIES}


# --- what is told ----------------------------------------------------------------------------------


def test_every_path_of_the_issue_has_a_story_and_every_story_walks_one() -> None:
    shown = {path for story in STORIES for path in story.listed("Shows")}
    assert shown == set(PATHS)
    assert all(story.listed("Shows") for story in STORIES)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_walked_at_every_door_it_leads_through(path: str) -> None:
    doors = {door for story in STORIES if path in story.listed("Shows") for door in DOORS[story.name]}
    assert doors <= set(SETTINGS)
    assert doors & {"web", "doorbell"} or path in ONLY_AT_TELEGRAM
    assert doors & {"Telegram", "Telegram with topics", "mixed"} or path in ONLY_AT_THE_WEB


def test_a_consultation_is_withdrawn_in_each_live_state() -> None:
    stories = {story.name: story for story in STORIES if story.name.startswith("withdraw-")}
    # A question is `seeking` only within one transaction: nobody can withdraw it there.
    assert len(stories) == len(LIVE - {State.SEEKING})
    assert all("it is withdrawn" in [line.text for line in story.lines] for story in stories.values())


def test_every_state_that_somebody_can_find_has_words() -> None:
    assert set(STATES.values()) == set(State) - {State.SEEKING}


def test_every_sentence_is_used_and_listed() -> None:
    used = {one.sentence.pattern for story in STORIES for one in BOOK.understand(story)}
    assert {sentence.pattern for sentence in BOOK.sentences} - used == set()
    listed = (HERE / "README.md").read_text("utf-8")
    assert [one.pattern for one in BOOK.sentences if f"`{one.pattern}`" not in listed] == []


# --- what is refused -------------------------------------------------------------------------------

TITLE = "# A title\n\n"
END = "no question was asked\nnothing is left waiting\n"


def story(text: str) -> Story:
    return read(Path("wrong.journey"), text)


def refusal(text: str) -> str:
    with pytest.raises(StoryError) as refused:
        BOOK.understand(story(text))
    return str(refused.value)


def test_an_unknown_sentence_is_refused_with_its_place_and_the_known_ones() -> None:
    said = refusal(f"{TITLE}Jane is on duty\nJane makes tea\n{END}")
    assert said.startswith("wrong.journey:4: 'Jane makes tea' is not a sentence I know. I know:\n")
    assert "{who} writes: {words}" in said
    assert "{it} is {state}" in said


def test_an_unknown_person_is_an_unknown_sentence() -> None:
    assert refusal(f"{TITLE}Jaen is on duty\n{END}").startswith("wrong.journey:3:")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Jane is on duty\n", "wrong.journey:1: a story begins with its title"),
        ("", "wrong.journey:1: a story begins with its title"),
        (f"{TITLE}Jane is on duty\n", "wrong.journey:3: a story ends with: nothing is left waiting"),
        (f"{TITLE}Jane is on duty\nnothing is left waiting\n", "wrong.journey:4: before it, a story says how"),
        (f"{TITLE}  Do now: run\n{END}", "wrong.journey:3: an indented line is one of a form"),
        (f"{TITLE}Jane is on duty\n  do it now\n{END}", "wrong.journey:4: an indented line is one of a form"),
    ],
)
def test_a_story_without_its_parts_is_refused(text: str, why: str) -> None:
    assert refusal(text).startswith(why)


def test_no_line_of_a_story_can_be_understood_in_two_ways() -> None:
    for told in STORIES:
        BOOK.understand(told)


# --- what does not hold ----------------------------------------------------------------------------


Failure = Callable[..., Awaitable[str]]


@pytest.fixture
def failure(tmp_path: Path) -> Iterator[Failure]:
    """Plays a story that must fail, and gives what is said about it."""
    database = Database(f"sqlite:///{tmp_path / 'lanyard.db'}")
    Base.metadata.create_all(database.engine)

    async def fail(text: str, door: str = "web") -> str:
        with pytest.raises(StoryError) as refused:
            await play(database, story(text), door)
        return str(refused.value)

    yield fail
    database.close()


ASKED = f"{TITLE}Jane is on duty\nPC Example writes: Is this stalking?\n"
STANDS = "it is offered\nnothing is left waiting\n"


@pytest.mark.parametrize("door", ["web", "Telegram"])
@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("PC Example sees: Your pizza is on its way", "PC Example does not see 'Your pizza is on its way', but:"),
        ("PC Example never sees: Received safely", "PC Example sees ["),
        ("PC Example sees nothing new", "PC Example sees ["),
        ("nobody is offered it", "it is offered to ["),
        ("Jane has it", "it is with None"),
        ("it is advised", "it is offered"),
        ("Jane accepts PC Example's second question", "PC Example has asked 1 so far"),
        ('PC Example taps "Order now"', "PC Example sees no button 'Order now'"),
        ("PC Example is told: Yes", "PC Example was told []"),
    ],
)
async def test_what_does_not_hold_is_reported_with_its_place_and_who_saw_what(
    sentence: str, why: str, door: str, failure: Failure
) -> None:
    said = await failure(f"{ASKED}{sentence}\n{STANDS}", door)
    assert said.startswith(f"wrong.journey:5: {sentence}\n  {why}")
    assert "They see:\n  PC Example" in said
    assert "Received safely" in said


async def test_what_was_seen_once_is_not_seen_again(failure: Failure) -> None:
    looked = "PC Example sees: Received safely\nJane accepts it\nPC Example sees: Received safely\n"
    assert (await failure(f"{ASKED}{looked}{STANDS}")).startswith("wrong.journey:7:")


async def test_a_refusal_that_the_story_does_not_mention_is_reported(failure: Failure) -> None:
    said = await failure(f"{ASKED}Jane goes off duty\nJane goes off duty\n1 second passes\n{STANDS}")
    assert "wrong.journey:7: 1 second passes\n  Jane was told ['You are not on duty. Go on duty first.']" in said


async def test_something_left_waiting_is_reported(failure: Failure) -> None:
    held = "Jane accepts it\nPC Example asks something new: A dog\nPC Example writes: Which?\n"
    first = "PC Example's first question is being talked about\nnothing is left waiting\n"
    said = await failure(f"{ASKED}{held}{first}", "Telegram")
    assert "a line is still held" in said


async def test_a_door_that_does_not_exist_is_refused(failure: Failure) -> None:
    assert "'pigeon' is no door; there are: web, Telegram" in await failure(f"{ASKED}{STANDS}", "pigeon")
