"""Playing a story on a stage. A sentence that does not hold is reported with its file and line, and who saw what."""

from __future__ import annotations

from storage.database import Database
from tests.journeys import acts, sights
from tests.journeys.book import BOOK
from tests.journeys.reading import Story, StoryError, Understood, values_of
from tests.journeys.stage import Stage, staged

__all__ = ["acts", "play"]


async def play(database: Database, story: Story, door: str) -> None:
    """Let a story happen at one door. Raises StoryError when it does not happen as told."""
    understood = BOOK.understand(story)
    async with staged(database, story, door) as stage:
        for one in understood:
            if _happens(stage, one):
                await _happen(stage, one)


def _happens(stage: Stage, one: Understood) -> bool:
    if not one.only_at:
        return True
    who = one.values.get("who", "")
    assert who in stage.actors or not stage.api, f"{one.line.place}: who is {one.only_at}?"
    return who in stage.actors and stage.actors[who].place == one.only_at


async def _happen(stage: Stage, one: Understood) -> None:
    try:
        await one.sentence.act(stage, **values_of(one))
    except AssertionError as why:
        seen = sights.everybodys_screens(stage)
        raise StoryError(f"{one.line.place}: {one.line.text}\n  {why}\nThey see:\n{seen}") from why
    except Exception as error:
        error.add_note(f"in {one.line.place}: {one.line.text}")
        raise
