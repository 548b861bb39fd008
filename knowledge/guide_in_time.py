"""The guide of a line that has just started: rules at once, everything else as soon as it is loaded.

Rule kept here: nobody who asks for help waits for a language model.
"""

from __future__ import annotations

import importlib
from datetime import datetime

from sqlalchemy.orm import Session

from knowledge.entry import Published
from knowledge.flags import Block, Flag
from knowledge.guide import Guide, RulesGuide, Seen


class GuideInTime:
    """The rules of red flags from the first message on; search and questions some two seconds later."""

    def __init__(self) -> None:
        self._guide: Guide = RulesGuide()
        self._live: Guide | None = None

    @property
    def health(self) -> str:
        """See `Guide`."""
        return self._guide.health

    def renew(self, session: Session) -> bool:
        """See `Guide`. Not imported above: it brings a language model along, which no other command needs."""
        if self._live is None:
            self._live = importlib.import_module("knowledge.live_guide").LiveGuide()
        changed = self._live.renew(session)
        if changed:
            self._guide = self._live
        return changed

    def look(self, words: str, place: str | None, now: datetime) -> Seen:
        """See `Guide`."""
        return self._guide.look(words, place, now)

    def block(self, flag: Flag) -> Block:
        """See `Guide`."""
        return self._guide.block(flag)

    def entry(self, entry_id: str, version: int) -> Published | None:
        """See `Guide`."""
        return self._guide.entry(entry_id, version)
