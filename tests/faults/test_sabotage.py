"""The harness itself, tried on builds that are broken on purpose: it must turn red, and stay green on the shipped one.

Each sabotage has a scenario that provokes it surely; both builds go through the very same one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from access.tables import Role
from tests.faults.campaign import Campaign, a_campaign
from tests.faults.line_process import CRASHED, LINE
from tests.faults.power_loss import Disk

Scenario = Callable[[Campaign], None]


def _die_before_the_store(campaign: Campaign) -> None:
    """An officer writes; the line dies when it has the update and before it has stored it."""
    campaign.start("intake.before_store:5")  # everybody has pressed Start: four; the fifth is the officer's
    officer = campaign.installation.members(Role.OFFICER)[0]
    campaign.process.wait_ready()
    campaign.api.wait_until_drained(20)
    campaign.load.write(officer)
    campaign.load.wait(until=lambda: not campaign.process.alive)
    assert campaign.process.buried() == CRASHED
    campaign.start()
    campaign.settle(60)


def _ids_jump_backwards(campaign: Campaign) -> None:
    """After a quiet week the ids start again, far below."""
    campaign.start()
    campaign.load.write_some(1)
    campaign.settle(60)
    campaign.api.set_next_update_id(4_711)
    campaign.load.write_some(1)
    campaign.settle(60)


def _busy(campaign: Campaign) -> None:
    """People write, nothing goes wrong."""
    campaign.start()
    campaign.process.wait_ready()
    campaign.load.run(2)
    campaign.settle(60)


@pytest.mark.parametrize(
    ("name", "scenario", "rule"),
    [
        ("acknowledge_first", _die_before_the_store, "arrivals"),
        ("lower_id", _ids_jump_backwards, "arrivals"),
        ("no_claims", _busy, "duplicates"),
    ],
    ids=["acknowledge_first", "lower_id", "no_claims"],
)
@pytest.mark.parametrize("sabotaged", [False, True], ids=["as_shipped", "sabotaged"])
def test_a_sabotaged_build_turns_the_harness_red(
    name: str, scenario: Scenario, rule: str, sabotaged: bool, sqlite_url: str, tmp_path: Path
) -> None:
    launcher = ("-m", "tests.faults.sabotage", name, "serve") if sabotaged else LINE
    with a_campaign(tmp_path, sqlite_url, seed=1, officers=2, idvas=1, launcher=launcher) as campaign:
        scenario(campaign)
        found = campaign.check()
    print("\n".join(found[:5]))
    assert any(finding.startswith(rule) for finding in found) == sabotaged
    assert bool(found) == sabotaged


@pytest.mark.parametrize("sabotaged", [False, True], ids=["as_shipped", "sabotaged"])
def test_a_build_that_syncs_less_loses_messages_when_the_power_goes(
    sabotaged: bool, sqlite_url: str, disk: Disk, tmp_path: Path
) -> None:
    launcher = ("-m", "tests.faults.sabotage", "less_synced", "serve") if sabotaged else LINE
    more = disk.environment()
    with a_campaign(tmp_path, sqlite_url, seed=1, launcher=launcher, more=more) as campaign:
        disk.prepare()
        campaign.start()
        found, lost = list[str](), list[str]()
        for _ in range(4):  # just after a checkpoint of the log even this build has synced everything
            campaign.process.wait_ready()
            campaign.load.run(2)
            assert "lanyard.db-wal" in disk.synced(), "the shim sees no syncs of this Python's SQLite"
            disk.lose_power(campaign.process)
            campaign.start()
            campaign.settle(60)
            found = campaign.check()
            lost = [finding for finding in found if finding.startswith("arrivals") and finding.endswith("[]")]
            if lost or not sabotaged:
                break
    print(f"acknowledged and lost: {len(lost)}")
    assert bool(lost) == sabotaged
    assert bool(found) == sabotaged
