"""Writes frechet.json: Fréchet distances of made-up features in double precision.

    python3 test/golden/fidelity/frechet.py          (numpy, scipy)

The trace of the square root is that of scipy.linalg.sqrtm where the covariances have full rank, and the sum of
scipy.linalg.svdvals of the product of both factors everywhere; the script stops where they differ. With rank-deficient
covariances sqrtm loses half its digits (its figure is printed), so that the singular values are the reference there.
"""

import json
from pathlib import Path

import numpy as np
from scipy import linalg

from features import features

# Name, seed of the generated features, that of the real ones, images on both sides, dimensions.
CASES = [
    ("64 dimensions", 100, 110, 500, 600, 64),
    ("192 dimensions", 120, 130, 1000, 700, 192),
    ("2,048 dimensions, fewer images than that", 140, 150, 300, 400, 2048),
    ("64 dimensions, one side with 40 images", 160, 170, 40, 500, 64),
]


def factor(x):
    return (x - x.mean(0)) / np.sqrt(len(x) - 1)


cases = []
for name, seed, other, n, m, dimension in CASES:
    a, b = (features(s, k, dimension, shift).astype(np.float64) for s, k, shift in [(seed, n, 0), (other, m, 5)])
    alive = a.var(0) > 0
    apart = ((a.mean(0) - b.mean(0)) ** 2).sum()
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    cross = linalg.svdvals(factor(a) @ factor(b).T).sum()
    root = np.trace(linalg.sqrtm(cov_a[alive][:, alive] @ cov_b[alive][:, alive])).real
    distance, by_root = (apart + np.trace(cov_a) + np.trace(cov_b) - 2 * c for c in (cross, root))
    ranks = [int(np.linalg.matrix_rank(factor(x))) for x in (a, b)]
    off = abs(by_root / distance - 1)
    print(f"{name}: {distance:.12g}, ranks {ranks} of {alive.sum()}, sqrtm off by {off:.1e}")
    assert off < (1e-9 if min(ranks) == alive.sum() else 1e-2)
    cases.append(
        dict(name=name, generated=[seed, n, 0], real=[other, m, 5], dimension=dimension, distance=distance, apart=apart)
    )
Path(__file__).with_name("frechet.json").write_text(json.dumps(cases, indent=1) + "\n")
