"""How far two reviewers of the same consultations agree: for each standard, plainly and beyond chance. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

ENOUGH = 20  # pairs; of fewer, kappa says more of chance than of the reviewers


@dataclass(frozen=True)
class Agreement:
    """Of one standard."""

    pairs: int
    equal: int
    kappa: float | None  # Cohen's; None of too few, or where both gave one and the same mark throughout

    @property
    def share(self) -> float | None:
        """How many of the pairs are equal, from 0 to 1; None where there is none."""
        return self.equal / self.pairs if self.pairs else None


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Of the first reviewer's marks and the second's of one standard."""
    equal = sum(first == second for first, second in pairs)
    return Agreement(len(pairs), equal, _kappa(pairs, equal) if len(pairs) >= ENOUGH else None)


def _kappa(pairs: Sequence[tuple[str, str]], equal: int) -> float | None:
    """(observed - by chance) / (1 - by chance), Cohen 1960; in whole numbers until the division."""
    many = len(pairs)
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = sum(firsts[mark] * seconds[mark] for mark in firsts)  # times many squared
    if by_chance == many * many:
        return None
    return (equal * many - by_chance) / (many * many - by_chance)
