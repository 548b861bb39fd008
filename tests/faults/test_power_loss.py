"""The power goes at random times under load: nothing that was acknowledged is lost (SQLite, synchronous=FULL).

That this bites is shown in `test_sabotage`: with synchronous=NORMAL the same loses messages.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.faults.campaign import a_campaign, rule_of_three
from tests.faults.conftest import Tell
from tests.faults.power_loss import Disk

FULL = os.environ.get("LANYARD_PROVE") == "full"
ROUNDS = 100 if FULL else 2


@pytest.mark.prove
@pytest.mark.timeout(7200 if FULL else 180)
def test_nothing_acknowledged_is_lost_when_the_power_goes(
    sqlite_url: str, disk: Disk, tmp_path: Path, seed: int, tell: Tell
) -> None:
    chance = Random(seed)
    with a_campaign(tmp_path, sqlite_url, seed=seed, more=disk.environment()) as campaign:
        disk.prepare()
        campaign.start()
        for done in range(1, ROUNDS + 1):
            campaign.process.wait_ready()
            campaign.load.run(chance.uniform(0.2, 3.0))
            disk.lose_power(campaign.process)
            campaign.start()
            if done % 10 == 0 or done == ROUNDS:
                campaign.settle()
                assert campaign.check() == []
                campaign.load.withdraw_all()
        assert "lanyard.db-wal" in disk.synced(), "the shim sees no syncs of this Python's SQLite"
        written = len(campaign.load.said)
    tell(f"{written} messages; {rule_of_three(ROUNDS, 'losses of power')}")
