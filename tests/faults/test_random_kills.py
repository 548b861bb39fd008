"""kill -9 at random times under five messages a second, restarted at once, on both databases."""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random

import pytest

from tests.faults.campaign import Campaign, a_campaign, rule_of_three
from tests.faults.conftest import Tell

FULL = os.environ.get("LANYARD_PROVE") == "full"
KILLS = 200 if FULL else 4
A_ROUND = 10  # kills between two looks
STARTING = 0.15  # the share of kills that hit a line which is not ready yet


def _a_round(campaign: Campaign, chance: Random, kills: int) -> None:
    """Kill so often, restart at once; people write all the time."""
    for _ in range(kills):
        if chance.random() < STARTING:
            campaign.load.run(chance.uniform(0.2, 2.0))
        else:
            campaign.load.run(60, until=campaign.process.is_ready)
            campaign.load.run(chance.uniform(0.2, 4.0))
        campaign.kill()
        campaign.start()


@pytest.mark.prove
@pytest.mark.timeout(7200 if FULL else 180)
def test_kills_at_random_times_lose_nothing(database_url: str, tmp_path: Path, seed: int, tell: Tell) -> None:
    chance = Random(seed)
    with a_campaign(tmp_path, database_url, seed=seed) as campaign:
        campaign.start()
        began = time.monotonic()
        while campaign.kills < KILLS:
            _a_round(campaign, chance, min(A_ROUND, KILLS - campaign.kills))
            campaign.settle()
            recovered = campaign.recoveries[-1]
            campaign.load.answer_everything()
            campaign.settle(60)
            assert campaign.check() == []
            tell(f"{campaign.kills} kills, {len(campaign.load.said)} messages, out after {recovered:.1f} s")
            campaign.load.withdraw_all()
            campaign.settle(60)
        minutes = (time.monotonic() - began) / 60
    tell(f"{len(campaign.load.said)} messages in {minutes:.0f} minutes; {rule_of_three(campaign.kills, 'kills')}")
