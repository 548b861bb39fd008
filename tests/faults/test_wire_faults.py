"""Telegram answers with 429 and 5xx, cuts connections, or says nothing, whether or not it did what it was asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.botapi import Fault
from tests.faults.campaign import a_campaign
from tests.faults.conftest import Tell

FULL = os.environ.get("LANYARD_PROVE") == "full"
ROUNDS = 20 if FULL else 1
WORKING = 6.0  # seconds a round
RATES = {
    Fault.NOT_APPLIED_5XX: 0.03,
    Fault.APPLIED_5XX: 0.03,
    Fault.NOT_APPLIED_DROPPED: 0.03,
    Fault.APPLIED_DROPPED: 0.03,
    Fault.NOT_APPLIED_UNANSWERED: 0.005,
    Fault.APPLIED_UNANSWERED: 0.005,
    Fault.RETRY_AFTER: 0.03,
    Fault.SLOW_BEFORE: 0.02,
    Fault.SLOW_AFTER: 0.02,
}


@pytest.mark.prove
@pytest.mark.timeout(7200 if FULL else 180)
def test_calls_that_fail_or_only_seem_to_lose_nothing_and_repeat_nothing_unlabelled(
    sqlite_url: str, tmp_path: Path, seed: int, tell: Tell
) -> None:
    with a_campaign(tmp_path, sqlite_url, seed=seed) as campaign:
        campaign.api.fault_plan(seed, RATES)
        campaign.start()
        campaign.process.wait_ready()
        for _ in range(ROUNDS):
            campaign.load.run(WORKING)
            campaign.settle(120)
            campaign.load.answer_everything()
            campaign.settle(120)
            assert campaign.check() == []
            campaign.load.withdraw_all()
            campaign.settle(120)
        unknown, faults = campaign.api.unknown_outcomes, sum(campaign.api.injected_faults.values())
    tell(f"{len(campaign.load.said)} messages, {faults} faults, {unknown} of them with unknown outcome")
