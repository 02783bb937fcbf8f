"""Linear classifiers and metrics of probes, by scikit-learn and NumPy, as references for the runner's own.

Usage: python3 make.py. Writes reference.json beside itself; floats are base64 of little-endian float32, row by row.
"""
import base64
import json
import pathlib

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

rng = np.random.RandomState(20260409)


def packed(values):
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()


def digits(values):
    return "".join(str(int(value)) for value in values)


def fit(classes, count, dimension, penalty):
    """Features after a ReLU, one of them always 0, as of a unit that never fires."""
    centres = rng.normal(0, 1, (classes, dimension))
    labels = np.arange(count) % classes
    features = np.maximum(0, centres[labels] + rng.normal(0, 1.5, (count, dimension))).astype(np.float32)
    features[:, 2] = 0
    queries = np.maximum(0, rng.normal(0, 2, (9, dimension))).astype(np.float32)
    scaler = StandardScaler().fit(features.astype(np.float64))
    rows = scaler.transform(features.astype(np.float64))
    # mean loss + λ/2 ‖W‖², times n / λ; of two classes scikit-learn has one row, which is the difference of two.
    cost = (2 if classes == 2 else 1) / (penalty * count)
    model = LogisticRegression(C=cost, solver="newton-cholesky", tol=1e-12).fit(rows, labels)
    logits = model.decision_function(scaler.transform(queries.astype(np.float64)))
    return {
        "classes": classes,
        "dimension": dimension,
        "penalty": penalty,
        "features": packed(features),
        "labels": digits(labels),
        "queries": packed(queries),
        # Less the mean of each row, which no answer depends on.
        "logits": (logits - logits.mean(1, keepdims=True) if classes > 2 else logits).round(9).tolist(),
    }


def metrics():
    classes, forgotten = 3, 1
    test = np.arange(30) % classes
    logits = rng.normal(0, 1, (30, classes)).astype(np.float32)
    right = (logits.argmax(1) == test)[test == forgotten]
    folds = np.arange(23) % 5
    # Rounded, so that some are equal.
    scores = (rng.normal(0, 1, (23, 2)) + [0.5, 0]).round(1).astype(np.float32)
    truth = np.tile([1, 0], (23, 1))
    areas = [roc_auc_score(truth[folds == fold].ravel(), scores[folds == fold].ravel()) for fold in range(5)]
    steps, right_forget = np.array([0, 4, 8, 12]), np.array([10, 25, 38, 40])
    return {
        "classes": classes,
        "forgottenClass": forgotten,
        "forget": 40,
        "test": digits(test),
        "logits": packed(logits),
        "folds": digits(folds),
        "scores": packed(scores),
        "curve": packed(np.stack([steps, right_forget, [7, 6, 5, 4]], 1)),
        "expected": {
            "linear-probe": 100 * right.mean(),
            "membership-probe": 100 * np.mean(areas),
            "relearn-area": 100 * np.trapezoid(right_forget / 40, steps) / 12,
            # 38 of 40 are 95%.
            "relearn-steps": 8,
        },
    }


reference = {
    "scikit-learn": sklearn.__version__,
    "fits": [fit(4, 60, 7, 1e-2), fit(4, 60, 7, 1e-3), fit(2, 40, 5, 1e-3), fit(3, 12, 9, 1e-3)],
    "metrics": metrics(),
}
path = pathlib.Path(__file__).parent / "reference.json"
path.write_text(json.dumps(reference, indent=1) + "\n")
