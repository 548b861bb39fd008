"""Agreement of two reviewers, against worked examples."""

from __future__ import annotations

import pytest

from conversations.agreement import ENOUGH, agreement

TEXTBOOK = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15


def test_agreement_of_the_usual_worked_example() -> None:
    found = agreement(TEXTBOOK)  # 35 of 50 equal; by chance 0.5; kappa (0.7 - 0.5) / 0.5
    assert (found.pairs, found.equal, found.share) == (50, 35, 0.7)
    assert found.kappa == pytest.approx(0.4)


def test_who_disagrees_is_visible_and_too_few_have_no_kappa() -> None:
    few = [("yes", "no")] * (ENOUGH - 1)
    assert (agreement(few).share, agreement(few).kappa) == (0.0, None)
    assert agreement([*few, ("no", "yes")]).kappa == pytest.approx(-0.95 * 0.05 * 2 / (1 - 0.95 * 0.05 * 2))


def test_no_kappa_where_everybody_always_said_the_same_and_no_share_of_nothing() -> None:
    assert agreement([("yes", "yes")] * ENOUGH).kappa is None
    assert agreement([]).share is None
