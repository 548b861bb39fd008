"""That the written sampling rule and the code are one, and that nobody can choose by it."""

from __future__ import annotations

import hmac
import re
from pathlib import Path
from random import Random

import pytest

from conversations.sampling import Ended, Reason, Sampling, published, reasons, twice

SEED = b"a month's seed, for a test"
NONE_DRAWN = Sampling(drawn=0)
QUIET = Ended("c" * 32, urgent=False, flagged=False, grade="medium", later_grade=None)


def test_the_page_and_the_code_give_the_same_reasons_in_the_same_words() -> None:
    page = (Path(__file__).parent.parent / "docs" / "review.md").read_text()
    assert dict(re.findall(r"^\| (\w+) \| (.+\.) \|$", page, re.MULTILINE)) == {one.slug: one.words for one in Reason}


def test_the_page_and_the_code_give_the_same_shares() -> None:
    page = " ".join((Path(__file__).parent.parent / "docs" / "review.md").read_text().split())
    assert f"Of all that end, {Sampling().drawn} per cent are drawn" in page
    assert f"to be reviewed, {Sampling().twice} per cent are reviewed twice" in page


@pytest.mark.parametrize(
    ("ended", "why"),
    [
        (QUIET, set()),
        (Ended("c", urgent=True, flagged=False, grade="high", later_grade=None), {Reason.URGENT}),
        (Ended("c", urgent=False, flagged=True, grade=None, later_grade=None), {Reason.FLAGGED}),
        (Ended("c", urgent=False, flagged=False, grade="medium", later_grade="high"), {Reason.REGRADED}),
        (Ended("c", urgent=False, flagged=False, grade=None, later_grade="high"), {Reason.REGRADED}),
        (Ended("c", urgent=False, flagged=False, grade="high", later_grade="high"), set()),
        (
            Ended("c", urgent=True, flagged=True, grade="standard", later_grade="high"),
            {Reason.URGENT, Reason.FLAGGED, Reason.REGRADED},
        ),
    ],
)
def test_urgent_flagged_and_regraded_are_always_in_and_every_reason_is_given(ended: Ended, why: set[Reason]) -> None:
    assert reasons(ended, NONE_DRAWN, SEED) == why


def test_a_draw_can_be_repeated_by_the_page_alone() -> None:
    """The recipe of docs/review.md, written here a second time."""
    chance = Random(5)
    for _ in range(500):
        consultation = f"{chance.getrandbits(128):032x}"
        ended = Ended(consultation, urgent=False, flagged=False, grade=None, later_grade=None)
        digest = hmac.new(SEED, b"sample:" + consultation.encode(), "sha256").digest()
        drawn = int.from_bytes(digest[:8], "big") / 2**64 < 0.10
        assert (Reason.DRAWN in reasons(ended, Sampling(), SEED)) == drawn


def test_the_shares_are_what_they_say_and_the_two_draws_are_independent() -> None:
    chance = Random(6)
    ids = [f"{chance.getrandbits(128):032x}" for _ in range(20_000)]
    drawn = [one for one in ids if reasons(Ended(one, False, False, None, None), Sampling(), SEED)]
    second = [one for one in drawn if twice(one, Sampling(), SEED)]
    assert 0.09 < len(drawn) / len(ids) < 0.11
    assert 0.07 < len(second) / len(drawn) < 0.13


def test_another_months_seed_draws_others() -> None:
    chance = Random(7)
    ids = [f"{chance.getrandbits(128):032x}" for _ in range(2_000)]
    first, other = ({one for one in ids if twice(one, Sampling(), seed)} for seed in (SEED, b"another"))
    assert first != other
    assert published(SEED) != published(b"another")


@pytest.mark.parametrize(("share", "all_or_none"), [(0, False), (100, True)])
def test_no_share_draws_none_and_the_whole_draws_all(share: int, all_or_none: bool) -> None:
    assert all(twice(f"{one:032x}", Sampling(twice=share), SEED) is all_or_none for one in range(1_000))


def test_a_share_is_a_percentage() -> None:
    with pytest.raises(ValueError, match="per cent"):
        Sampling(drawn=101)
