"""Writes scores.json: KID, precision, recall, Inception Score and FID-infinity of made-up features.

    python3 test/golden/fidelity/scores.py          (numpy, scipy, scikit-learn)

KID by scikit-learn's polynomial kernel, precision and recall by its nearest neighbours, FID-infinity by scipy's matrix
square root and linear regression. Subsets are the first of an order from features.order(), whose seed counts up.
"""

import json
from itertools import count
from pathlib import Path

import numpy as np
from scipy import linalg, special, stats
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from features import features, order

SUBSETS, SUBSET, NEIGHBOUR, SPLITS, POINTS = 100, 1000, 3, 10, 15


def kid(x, y, seed):
    m = min(SUBSET, len(x), len(y))
    seeds = count(seed)
    values = []
    for _ in range(1 if m == len(x) == len(y) else SUBSETS):
        a, b = (s[order(next(seeds), len(s))[:m]] for s in (x, y))
        aa, bb = (polynomial_kernel(s, degree=3, coef0=1) for s in (a, b))
        within = sum((k.sum() - np.trace(k)) / (m * (m - 1)) for k in (aa, bb))
        values.append(within - 2 * polynomial_kernel(a, b, degree=3, coef0=1).mean())
    return dict(value=np.mean(values), sd=np.std(values, ddof=1) if len(values) > 1 else None)


def share_inside(x, y):
    """The share of x within a ball of y."""
    # A point is its own nearest neighbour, at 0.
    radii = NearestNeighbors(n_neighbors=NEIGHBOUR + 1, algorithm="brute").fit(y).kneighbors(y)[0][:, -1]
    distances = np.sqrt(((x[:, None] - y[None]) ** 2).sum(-1))
    # These features are multiples of a power of two, so that squares are exact and ties are ties on both sides.
    off = np.abs(distances / radii - 1)
    assert off[off > 0].min() > 1e-9, "a distance is too near to a radius"
    return float((distances <= radii).any(1).mean())


def frechet(x, y):
    alive = x.var(0) + y.var(0) > 0
    a, b = (np.cov(s[:, alive], rowvar=False) for s in (x, y))
    root = linalg.sqrtm(a @ b).real
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * np.trace(root)


def fid_infinity(x, y, seed):
    n, d = x.shape
    sizes = np.linspace(min(n // 2, max(n // 10, 2 * d)), n, POINTS).astype(int)
    distances = [frechet(x[order(seed + i, n)[:size]], y) for i, size in enumerate(sizes)]
    line = stats.linregress(1 / sizes, distances)
    return dict(value=line.intercept, sizes=sizes.tolist(), distances=distances)


def inception_score(logits):
    scores = []
    n = len(logits)
    for part in range(SPLITS):
        p = special.softmax(logits[part * n // SPLITS : (part + 1) * n // SPLITS], axis=1)
        scores.append(np.exp(stats.entropy(p, p.mean(0, keepdims=True), axis=1).mean()))
    return dict(value=np.mean(scores), sd=np.std(scores))


def case(name, generated, real, dimension):
    x, y = (features(*draw[:2], dimension, draw[2]).astype(np.float64) for draw in (generated, real))
    logits = features(*generated[:2], 12, 0).astype(np.float64)[:, :10] / 16
    return dict(
        name=name,
        generated=generated,
        real=real,
        dimension=dimension,
        kid=kid(x, y, 5000),
        precision=share_inside(x, y),
        recall=share_inside(y, x),
        fidInfinity=fid_infinity(x, y, 7000),
        inceptionScore=inception_score(logits),
    )


cases = [
    case("more images than a subset", [200, 1100, 0], [210, 1050, 2], 24),
    case("fewer images on one side", [220, 333, 0], [230, 500, 1], 40),
    case("all images in one subset", [240, 400, 0], [250, 400, 0], 16),
]
for each in cases:
    print({k: v for k, v in each.items() if k not in ("generated", "real")})
Path(__file__).with_name("scores.json").write_text(json.dumps(cases, indent=1) + "\n")
