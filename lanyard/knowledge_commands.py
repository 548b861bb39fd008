"""`lanyard knowledge …`: what the catalogue and the red flags say to a message, and how good they are.

Rule kept here: these need no settings and no database: they speak of the shipped catalogue. The library is imported
when the first of them runs, since it brings a language model along, which no other command needs.
"""

from __future__ import annotations

import importlib
import json
import sys
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.entry import Published
from knowledge.guide import Seen
from knowledge.places import require_place
from knowledge.reading import read_folder
from lanyard.commands import say

if TYPE_CHECKING:
    from knowledge.live_guide import LiveGuide

FIRST_VERSION = 1


def suggest(asked: Namespace) -> int:
    """Entries and red flags for a message, or with `--lines` for each line of standard input."""
    if asked.area is not None:
        require_place(asked.area)
    if bool(asked.text) == asked.lines:
        raise ValueError("Give one message, or --lines and the messages on standard input.")
    guide = shipped_guide()
    for text in sys.stdin if asked.lines else [asked.text]:
        seen = guide.suggest(text.rstrip("\n"), asked.area, datetime.now(UTC))
        if asked.json or asked.lines:
            print(json.dumps(as_json(seen), ensure_ascii=False), flush=True)
        else:
            say(as_text(seen))
    return 0


def evaluate(asked: Namespace) -> int:
    """The measures on a labelled file."""
    measures = importlib.import_module("knowledge.evaluate")
    labelled = measures.read_labels(Path(asked.file))
    guide, now = shipped_guide(), datetime.now(UTC)
    seen = {one.text: guide.suggest(one.text, None, now) for one in labelled}
    found = {
        "topics": measures.topic_measures(labelled, lambda text: measures.topics_in_order(seen[text])),
        "flags": measures.flag_measures(labelled, lambda text: seen[text]),
        "health": guide.health,
    }
    print(json.dumps(found, indent=None if asked.json else 2))
    return 0


def vectors(_asked: Namespace) -> int:
    """Embed the shipped catalogue's own phrases, once, so that no start has to."""
    guide = shipped_guide()
    say(f"{guide.save_vectors(shipped())} vectors")
    return 0


def shipped() -> list[Published]:
    """The shipped catalogue, each entry in its first version."""
    return [Published(entry, FIRST_VERSION) for entry in read_folder()]


def shipped_guide() -> LiveGuide:
    """A guide over the shipped catalogue."""
    guide: LiveGuide = importlib.import_module("knowledge.live_guide").LiveGuide()
    guide.make(shipped())
    return guide


def as_json(seen: Seen) -> dict[str, Any]:
    """What one message brings up, for scripts."""
    return {
        "entries": [
            {
                "id": one.published.entry.id,
                "version": one.published.version,
                "topics": list(one.published.entry.topics),
                "score": one.score,
                "why": list(one.why),
            }
            for one in seen.chosen
        ],
        "flags": [{"name": one.flag.value, "tier": one.tier.value, "why": one.why} for one in seen.findings],
        "unclear": [{"short": one.short, "meanings": list(one.meanings)} for one in seen.unclear],
    }


def as_text(seen: Seen) -> str:
    """The same, for people."""
    lines = [f"RED FLAG ({one.tier.value}): {one.flag.value}: {one.why}" for one in seen.findings]
    lines += [f"{one.score:5.2f}  {one.published.entry.title}  ({'; '.join(one.why)})" for one in seen.chosen]
    lines += [f"unclear: {one.short}: {' or '.join(one.meanings) or 'not known'}" for one in seen.unclear]
    return "\n".join(lines)
