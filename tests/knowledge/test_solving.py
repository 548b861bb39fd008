"""What is learnt for all flags together is what each alone would have learnt."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.asking import _solved


@pytest.mark.parametrize("share", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("louder", [1.0, 3.0])
def test_each_column_is_solved_as_if_alone(share: float, louder: float) -> None:
    chance = np.random.default_rng(1)
    size, columns = 60, 5
    half = chance.normal(size=(size, size))
    kernel = (half @ half.T / size).astype(np.float32)
    wanted = chance.integers(0, 2, (size, columns)).astype(np.float32)
    calm = np.where(chance.random((size, columns)) < share, 1 / np.where(wanted > 0, louder, 1), np.inf)
    alone = np.zeros_like(wanted)
    for at in range(columns):
        rows = np.flatnonzero(np.isfinite(calm[:, at]))
        ridge = kernel[np.ix_(rows, rows)] + np.diag(calm[rows, at]).astype(np.float32)
        alone[rows, at] = np.linalg.solve(ridge, wanted[rows, at])
    assert np.allclose(_solved(kernel, wanted, calm), alone, atol=1e-4)
