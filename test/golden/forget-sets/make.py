"""Writes sets.json: projections onto weights in [0, 1] of a given sum, and cosine distances of features.

    python3 test/golden/forget-sets/make.py          (NumPy, SciPy)

A projection is the solution of its quadratic program by SciPy's SLSQP, which knows nothing of shifts or bisection. Features are
uniform numbers below 1 less 0.3, kept where they are above 0, as a ReLU leaves them; one row is of zeros.
"""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

random = np.random.default_rng(0)


def projection(values, total):
    """Argmin of ||w - values||^2 with 0 <= w <= 1 and sum w = total."""
    found = minimize(
        lambda w: ((w - values) ** 2).sum(),
        np.full(len(values), total / len(values)),
        jac=lambda w: 2 * (w - values),
        bounds=[(0, 1)] * len(values),
        constraints={"type": "eq", "fun": lambda w: w.sum() - total, "jac": lambda w: np.ones_like(w)},
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-14},
    )
    # At a kink the line search may end early; what came out is then held to the optimality conditions all the same.
    inner = (found.x > 1e-6) & (found.x < 1 - 1e-6)
    shifts = (values - found.x)[inner]
    assert abs(found.x.sum() - total) < 1e-9 and (len(shifts) == 0 or np.ptp(shifts) < 1e-6), found.message
    return found.x


cases = []
for size, total, scale in [(5, 2, 1), (12, 3, 0.1), (12, 11, 5), (30, 10, 2), (30, 1, 0.01)]:
    values = scale * random.normal(size=size) + random.normal()
    cases.append({"values": values.tolist(), "sum": total, "projection": projection(values, total).tolist()})

features = np.maximum(random.uniform(size=(20, 6)) - 0.3, 0).astype(np.float32)
features[7] = 0
to = [2, 11]
with np.errstate(invalid="ignore"):
    distances = cdist(features.astype(np.float64), features[to].astype(np.float64), "cosine").min(axis=1)
# Of no direction at all.
distances[7] = 1
near = {"features": features.ravel().astype(float).tolist(), "to": to, "distances": distances.tolist()}

(Path(__file__).parent / "sets.json").write_text(json.dumps({"projections": cases, "near": near}) + "\n")
