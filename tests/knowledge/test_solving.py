"""What is learnt for all flags together is what each alone would have learnt."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.asking import _solved


@pytest.mark.parametrize("share", [0.0, 0.9, 1.0])
def test_each_column_is_solved_as_if_alone(share: float) -> None:
    chance = np.random.default_rng(1)
    size, columns = 60, 5
    half = chance.normal(size=(size, size))
    ridge = (half @ half.T / size + np.eye(size)).astype(np.float32)
    wanted = chance.integers(0, 2, (size, columns)).astype(np.float32)
    counted = (chance.random((size, columns)) < share).astype(np.float32)
    alone = np.zeros_like(wanted)
    for at in range(columns):
        rows = np.flatnonzero(counted[:, at])
        alone[rows, at] = np.linalg.solve(ridge[np.ix_(rows, rows)], wanted[rows, at])
    assert np.allclose(_solved(ridge, wanted, counted), alone, atol=1e-4)
