"""What every report gives, a `Table`, and what is left out of it before it is shared. Pure.

Rules kept here:
- A plot is drawn from the cells of its own table: the two cannot differ.
- For sharing, a count below 5 is hidden, and so is one that leaves less than 5 of what it is a part of.
- One hidden count alone could be found from the sum: the next smallest are hidden with it, until at least two are that
  make at least 10 together. Where that cannot be, the whole column is hidden, its sum too.
- Nothing about fewer than 10 consultations is shared.
- How many are missing is hidden where it, or what it leaves of n, is below 5, and where hidden counts make its sum.
- Of two tables whose sums meet, one is shared: from both, what each hides could be worked out.
- What is worked out from a hidden count is hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum

LEAST = 5  # the smallest count that is shared
HIDDEN = "hidden"

Cell = str | int | float | None  # None: there is nothing to tell
Rows = tuple[tuple[Cell, ...], ...]
Place = tuple[int, int]  # row and column of a cell


class Plot(Enum):
    """How a table is drawn above itself."""

    NONE = "none"
    BARS = "bars"  # the first count of each row
    HEAT = "heat"  # every count, by row and column


@dataclass(frozen=True)
class Column:
    """One column."""

    title: str
    counts: bool = False  # whether each cell is a number of consultations, or of what was done in them
    part_of: int | None = None  # place of the column whose counts these are a part of
    based_on: int | None = None  # place of the column that this one was worked out from


@dataclass(frozen=True)
class Table:
    """One table of a report."""

    title: str
    columns: tuple[Column, ...]
    rows: Rows
    n: int | None  # consultations it is about; None: hidden
    missing: int | None = 0  # of these, those whose leaves do not say what was asked of them
    note: str = ""
    total: bool = False  # the last row is the sum of those above
    across: bool = False  # the counts of a row make a sum that is known elsewhere
    plot: Plot = Plot.NONE
    shared: bool = True  # whether it may leave the house
    against: tuple[tuple[float, ...], ...] = ()  # what a heat map sets its counts against, cell by cell


def for_sharing(table: Table) -> Table:
    """The same without small numbers."""
    groups = _groups(table)
    few = table.n is None or table.n < 2 * LEAST
    hidden = {cell for group in groups for cell in group if few or _small(table, cell)}
    while more := {cell for group in groups for cell in _too_clear(table, group, hidden)}:
        hidden |= more
    hidden |= {cell for cell in _based(table) if _base(table, cell) & hidden}
    rows = tuple(
        tuple(HIDDEN if (row, at) in hidden else cell for at, cell in enumerate(cells))
        for row, cells in enumerate(table.rows)
    )
    return replace(table, rows=rows, n=None if few else table.n, missing=_missing(table, hidden))


def _missing(table: Table, hidden: AbstractSet[Place]) -> int | None:
    if table.n is None or table.missing is None or table.n < 2 * LEAST:
        return None
    told = table.n - table.missing
    return None if _few(table.missing) or _few(told) or (hidden and (table.total or table.across)) else table.missing


def _groups(table: Table) -> list[list[Place]]:
    """Counts that make a sum which somebody may know; the sum, where the table gives it, is the last of them."""
    counts = [at for at, column in enumerate(table.columns) if column.counts]
    rows = range(len(table.rows))
    if table.plot is Plot.HEAT:
        return [[(row, at) for row in rows for at in counts]]
    across = [[(row, at) for at in counts] for row in rows] if table.across else []
    return [[(row, at) for row in rows] for at in counts] + across


def _too_clear(table: Table, group: Sequence[Place], hidden: AbstractSet[Place]) -> set[Place]:
    """What must be hidden too, so that the sum of a group does not give away what is hidden of it."""
    body = [cell for cell in group if not (table.total and cell[0] == len(table.rows) - 1)]
    gone = [cell for cell in body if cell in hidden and _count(table, cell)]
    if not gone or (len(gone) > 1 and sum(_count(table, cell) for cell in gone) >= 2 * LEAST):
        return set()
    rest = [cell for cell in body if cell not in hidden and _count(table, cell)]
    if rest:
        return {min(rest, key=lambda cell: _count(table, cell))}
    return set(group) - hidden


def _small(table: Table, cell: Place) -> bool:
    row, at = cell
    whole = table.columns[at].part_of
    left = _count(table, (row, whole)) - _count(table, cell) if whole is not None else 0
    return _few(_count(table, cell)) or _few(left)


def _few(count: int | None) -> bool:
    return count is not None and 0 < count < LEAST


def _based(table: Table) -> list[Place]:
    places = [at for at, column in enumerate(table.columns) if column.based_on is not None]
    return [(row, at) for row in range(len(table.rows)) for at in places]


def _base(table: Table, cell: Place) -> set[Place | None]:
    """The counts that a cell was worked out from."""
    row, at = cell
    places = [table.columns[at].based_on]
    places += [table.columns[one].part_of for one in places if one is not None]
    return {(row, one) for one in places if one is not None}


def _count(table: Table, cell: Place) -> int:
    found = table.rows[cell[0]][cell[1]]
    return found if isinstance(found, int) else 0
