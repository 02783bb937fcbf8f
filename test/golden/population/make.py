"""Metrics of many models, of made-up margins, by NumPy, SciPy and scikit-learn.

Usage: python3 make.py. Writes population.json beside itself; margins are base64 of little-endian float32, a row a model.
"""
import base64
import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy.stats import gaussian_kde, norm
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KernelDensity

MODELS = 16
COUNTS = {"forget": 24, "retain": 10, "test": 9}
rng = np.random.RandomState(11)


def side(shift):
    """Margins [models, examples]: each example has a place and a width of its own, and most of D_f are shifted."""
    found = {}
    for name, count in COUNTS.items():
        place = np.random.RandomState(len(name)).normal(2, 3, count)
        width = np.random.RandomState(7).uniform(0.3, 1.5, count)
        moved = shift * np.linspace(0, 1, count) if name == "forget" else 0
        found[name] = (rng.normal(0, 1, (MODELS, count)) * width + place + moved).astype(np.float32)
    return found


sides = {"unlearned": side(2.5), "retrained": side(0)}
sides["unlearned"]["retain"][3, 2] = 250  # beyond what is clipped
accuracy = {
    "unlearned": {"forget": 0.9, "retain": 0.97, "test": 0.81},
    "retrained": {"forget": 0.85, "retain": 0.99, "test": 0.84},
}
own, other = ({k: v.astype(np.float64) for k, v in sides[name].items()} for name in ("unlearned", "retrained"))


def kl(a, b, open_edge):
    a, b = np.clip(a, -100, 100), np.clip(b, -100, 100)
    edges = np.linspace(min(a.min(), b.min()), max(a.max(), b.max()), 21)
    if open_edge:  # np.histogram closes its last bin
        top = edges[-1]
        a, b = a[a < top], b[b < top]
    p, q = (np.histogram(x, edges)[0] / len(x) for x in (a, b))
    held = p > 0
    return np.sum(p[held] * np.log(p[held] / np.maximum(q[held], 1e-5)))


def klom(first, second, open_edge):
    return {s: np.percentile([kl(first[s][:, i], second[s][:, i], open_edge) for i in range(n)], 95) for s, n in COUNTS.items()}


def attack(log_density):
    a, b = own["forget"], other["forget"]
    outcomes = []
    for fold in (0, 1):
        shadow, target = slice(1 - fold, None, 2), slice(fold, None, 2)
        scores = [
            np.concatenate([log_density(a[shadow, i], x[target, i]) - log_density(b[shadow, i], x[target, i]) for i in range(a.shape[1])])
            for x in (a, b)
        ]
        truth = np.r_[np.ones(len(scores[0])), np.zeros(len(scores[1]))]
        allowed = int(0.01 * len(scores[1]))
        threshold = np.sort(scores[1])[::-1][allowed]
        outcomes.append([
            100 * np.mean((np.concatenate(scores) > 0) == truth),
            100 * roc_auc_score(truth, np.concatenate(scores)),
            100 * np.mean(scores[0] > threshold),
        ])
    return dict(zip(["accuracy", "auc", "tpr"], np.mean(outcomes, axis=0)))


def epsilon(unlearned, retrained, delta=1e-5):
    """Every rule of the grids at once: which of the models each takes for positive."""
    pos, neg = (retrained, unlearned) if np.median(retrained) > np.median(unlearned) else (unlearned, retrained)
    if min(np.ptp(pos), np.ptp(neg)) / max(np.ptp(pos), np.ptp(neg)) < 0.01:
        return 50.0
    both = np.concatenate([pos, neg])
    t = np.linspace(both.min(), both.max(), int(np.ceil(np.ptp(both) * 100)))
    rates = [((pos[:, None] < t).mean(0), (neg[:, None] >= t).mean(0))]
    inner, outer = (neg, pos) if np.ptp(pos) >= np.ptp(neg) else (pos, neg)
    low, high, width = inner.min() + np.ptp(inner) - 2, inner.max() + 2, np.ptp(inner)
    right = np.linspace(low, high, int(np.ceil((high - low) * 100)))
    left = np.stack([np.linspace(r - width - 2, r - width + 2, 400) for r in right])
    inside = lambda x: (left[..., None] <= x) & (x <= right[:, None, None])
    rates.append((1 - inside(inner).mean(-1).ravel(), inside(outer).mean(-1).ravel()))
    fnr, fpr = np.concatenate([r[0] for r in rates]), np.concatenate([r[1] for r in rates])
    if np.any((fnr == 0) & (fpr == 0)):
        return 50.0
    held = (fnr > 0) & (fpr > 0)
    if not held.any():
        return 50.0
    fnr, fpr = fnr[held], fpr[held]
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.stack([np.log(1 - delta - fpr) - np.log(fnr), np.log(1 - delta - fnr) - np.log(fpr)])
    return float(np.clip(np.nanmax(each), 0, 50))


def neurips():
    epsilons = [epsilon(own["forget"][:, i], other["forget"][:, i]) for i in range(COUNTS["forget"])]
    starts = np.arange(0, np.ceil(np.log(MODELS - 1)), 0.5)
    points = [next((0.5**k for k, start in enumerate(starts) if e < start + 0.5), 0) for e in epsilons]
    f = np.mean(points)
    ratio = lambda s: accuracy["unlearned"][s] / accuracy["retrained"][s]
    return epsilons, {"score": f * ratio("retain") * ratio("test"), "forgetting": f}


epsilons, score = neurips()
expected = {
    "klom": klom(own, other, False),
    "klom-released": klom(own, other, True),
    "klom-from-retrain": klom(other, own, True),
    "u-lira": attack(lambda x, q: norm.logpdf(q, x.mean(), x.std())),
    "ruli": attack(lambda x, q: KernelDensity(bandwidth=1.0).fit(x[:, None]).score_samples(q[:, None])),
    "ruli-scott": attack(lambda x, q: gaussian_kde(x).logpdf(q)),
    "neurips23": score,
}
case = {
    "software": f"NumPy {np.__version__}, SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}",
    "models": MODELS,
    "margins": {name: {s: base64.b64encode(x.astype("<f4").tobytes()).decode() for s, x in sets.items()} for name, sets in sides.items()},
    "accuracy": accuracy,
    "epsilons": epsilons,
    "expected": {name: {k: float(v) for k, v in parts.items()} for name, parts in expected.items()},
}
pathlib.Path(__file__).with_name("population.json").write_text(json.dumps(case, indent=1) + "\n")
print(json.dumps(case["expected"], indent=1), np.round(epsilons, 2))
