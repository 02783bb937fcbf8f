"""Decisions of scikit-learn's SVC(C=3, gamma=1) on confidences, as references for the runner's own SVC.

Usage: python3 make.py (made with scikit-learn 1.2.1). Writes a file a case beside itself. Confidences are
float32, as a float32 softmax gives them; `samples` lists members first, `labels` is 1 for them. Arrays are base64 of
little-endian float32; decisions are a string of 0 and 1.
"""
import base64
import json
import pathlib

import numpy as np
import sklearn
from sklearn.svm import SVC

rng = np.random.RandomState(20240514)


def confidence(margin):
    """Softmax probability of the true class when its logit leads the sum of the others by `margin`."""
    return (1 / (1 + np.exp(-margin))).astype(np.float32)


def overfitted(n, wrong):
    """Nearly all items far on the right side, a share of them wrong: what a network that fits its data answers."""
    margin = rng.normal(11, 3, n)
    mistaken = rng.rand(n) < wrong
    margin[mistaken] = rng.normal(-2, 4, mistaken.sum())
    return confidence(margin)


def beta(n, a, b):
    return rng.beta(a, b, n).astype(np.float32)


cases = {
    # members at 99.99% accuracy, test items at 94%, forgotten items between them
    "overfitted": (overfitted(2000, 0.0001), overfitted(2000, 0.06), overfitted(2000, 0.03)),
    "separated": (beta(2000, 30, 2), beta(2000, 2, 30), beta(2000, 1, 1)),
    "overlapping": (beta(2000, 5, 2), beta(2000, 4, 2), beta(2000, 4.5, 2)),
}


def pack(array):
    return base64.b64encode(array.astype("<f4").tobytes()).decode()


for name, (members, others, queries) in cases.items():
    samples = np.concatenate([members, others])
    labels = np.concatenate([np.ones(len(members)), np.zeros(len(others))])
    model = SVC(C=3, kernel="rbf", gamma="auto").fit(samples[:, None], labels)
    decisions = model.predict(queries[:, None]).astype(int)
    case = {
        "software": f"scikit-learn {sklearn.__version__}",
        "members": len(members),
        "samples": pack(samples),
        "queries": pack(queries),
        "decisions": "".join(map(str, decisions)),
    }
    path = pathlib.Path(__file__).with_name(f"{name}.json")
    path.write_text(json.dumps(case, indent=1) + "\n")
    print(name, "share of members:", decisions.mean(), "support vectors:", model.n_support_)
