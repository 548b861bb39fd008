"""What the reports count in and from: a question as it is counted, the sums of a period, medians. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from audit.reports.history import History
from audit.reports.table import Table

Tally = Iterator[tuple[str, int]]
"""Names of sums, such as `answer/urgent/37`, and what is added to each."""


@dataclass(frozen=True)
class Question:
    """One consultation, as it is counted in the month it was asked."""

    history: History
    asked: datetime  # where people are
    covered: bool  # whether an IDVA was on duty when it was asked


@dataclass(frozen=True)
class Cover:
    """Who was on duty in a period."""

    on_average: Mapping[tuple[int, int], float]  # IDVAs on duty, by weekday (0: Monday) and hour
    hours: Mapping[str, float]  # on duty, by person


@dataclass(frozen=True)
class Sums:
    """The sums of a period, with what they are shown with."""

    first: date
    last: date  # included
    counts: Mapping[str, int]
    cover: Cover
    names: Mapping[str, str] = field(default_factory=dict)  # of people, forces, topics; what has none is shown as it is

    def under(self, *path: str) -> dict[str, int]:
        """The sums whose names begin so, by the rest of their names."""
        start = "/".join(path) + "/"
        return {name.removeprefix(start): count for name, count in self.counts.items() if name.startswith(start)}

    def get(self, *path: str) -> int:
        """One sum."""
        return self.counts.get("/".join(path), 0)

    def name(self, slug: str) -> str:
        """What people call it."""
        return self.names.get(slug) or slug.replace("-", " ").replace("_", " ").capitalize()

    @property
    def asked(self) -> int:
        """Every consultation that was asked in the period."""
        return self.get("asked")


@dataclass(frozen=True)
class Report:
    """One report."""

    slug: str
    title: str
    about: str  # one sentence for the reader
    count: Callable[[Question], Tally]
    tables: Callable[[Sums], list[Table]]
    people: bool = False  # whether it tells of single IDVAs: only then are names opened


def at_rank(counts: Mapping[int, int], share: float) -> int | None:
    """The smallest value that at least this share of all does not exceed (the nearest rank)."""
    wanted, so_far = share * sum(counts.values()), 0
    for value in sorted(counts):
        so_far += counts[value]
        if so_far >= wanted:
            return value
    return None


def seconds(milliseconds: int) -> int:
    """Whole seconds, rounded up: what took longer than two minutes never counts as within them."""
    return -(-milliseconds // 1000)


def clocked(value: int | None) -> str:
    """Seconds as minutes and seconds: 1:05."""
    return "" if value is None else f"{value // 60}:{value % 60:02}"


def percent(part: int, whole: int) -> str:
    """A share as people read it."""
    return f"{100 * part / whole:.0f} %" if whole else ""
