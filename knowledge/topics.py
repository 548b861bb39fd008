"""The topics an entry can be about: slugs with a title for people and what each covers. Pure."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Topic:
    """One topic."""

    slug: str
    title: str
    covers: str


def _read() -> dict[str, Topic]:
    with (Path(__file__).parent / "topics.tsv").open(encoding="utf-8", newline="") as file:
        rows = [Topic(*row) for row in csv.reader(file, delimiter="\t")]
    return {topic.slug: topic for topic in rows[1:]}


TOPICS = _read()
"""Every topic by its slug, in the order of the list."""
