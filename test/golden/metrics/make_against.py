"""Metrics of a model beside the retrained one, of made-up logits, by NumPy, SciPy and scikit-learn.

Usage: python3 make_against.py. Writes against.json beside itself; logits are base64 of little-endian float32, row by row.
"""
import base64
import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy.spatial.distance import jensenshannon
from scipy.special import logsumexp, softmax
from sklearn.svm import SVC

CLASSES = 4
rng = np.random.RandomState(5)


def logits_of(labels, lead, noise):
    logits = rng.normal(0, noise, (len(labels), CLASSES))
    logits[np.arange(len(labels)), labels] += lead
    return logits.astype(np.float32)


def accuracy(logits, labels):
    return np.mean(logits.argmax(1) == labels)


def confidence(logits, labels):
    p = softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels]
    return p.astype(np.float32).astype(np.float64)[:, None]


def margin(logits, labels):
    z = logits.astype(np.float64)
    true = z[np.arange(len(labels)), labels]
    z[np.arange(len(labels)), labels] = -np.inf
    return (true - logsumexp(z, axis=1)).astype(np.float32).astype(np.float64)


def mia(side):
    members = confidence(side["retain"], labels["retain"])[: len(labels["test"])]
    others = confidence(side["test"], labels["test"])
    targets = np.r_[np.ones(len(members)), np.zeros(len(others))]
    attack = SVC(C=3, gamma="auto").fit(np.r_[members, others], targets)
    return 1 - attack.predict(confidence(side["forget"], labels["forget"])).mean()


labels = {"forget": rng.randint(0, CLASSES, 60), "retain": rng.randint(0, CLASSES, 240), "test": rng.randint(0, CLASSES, 90)}
own = {"forget": logits_of(labels["forget"], 1.5, 2), "retain": logits_of(labels["retain"], 5, 2), "test": logits_of(labels["test"], 3, 2)}
retrain = {"forget": logits_of(labels["forget"], 3, 2), "retain": logits_of(labels["retain"], 6, 2), "test": logits_of(labels["test"], 3.5, 2)}

close = {s: 1 - abs(accuracy(own[s], labels[s]) - accuracy(retrain[s], labels[s])) for s in labels}
p, q = (softmax(side["forget"].astype(np.float64), axis=1) for side in (own, retrain))
a, b = (margin(side["forget"], labels["forget"]) for side in (own, retrain))
pooled = np.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (len(a) + len(b) - 2))
expected = {
    "tow": close["forget"] * close["retain"] * close["test"],
    "tow-mia": (1 - abs(mia(own) - mia(retrain))) * close["retain"] * close["test"],
    # SciPy gives the root of the divergence, of each pair of rows
    "js-retrain": np.mean(jensenshannon(p, q, axis=1) ** 2),
    "activation-distance": np.mean(np.linalg.norm(p - q, axis=1)),
    "completeness": 100 * np.mean(p.argmax(1) == q.argmax(1)),
    "margin-shift": abs(a.mean() - b.mean()) / pooled,
}
pack = lambda side: {s: {"logits": base64.b64encode(side[s].astype("<f4").tobytes()).decode(), "labels": "".join(map(str, labels[s]))} for s in labels}
case = {
    "software": f"NumPy {np.__version__}, SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}",
    "classes": CLASSES,
    "own": pack(own),
    "retrain": pack(retrain),
    "expected": {name: float(value) for name, value in expected.items()},
}
pathlib.Path(__file__).with_name("against.json").write_text(json.dumps(case, indent=1) + "\n")
print(case["expected"])
