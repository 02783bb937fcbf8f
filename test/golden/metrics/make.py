"""UA, RA, TA and MIA of made-up logits by PyTorch (softmax, argmax) and scikit-learn (SVC), as references.

Usage: python3 make.py. Writes a file a case beside itself; logits are base64 of little-endian float32, row by row.
"""
import base64
import json
import pathlib

import numpy as np
import sklearn
import torch
from sklearn.svm import SVC

CLASSES = 5
rng = np.random.RandomState(7)


def answers(n, lead, noise, classes=CLASSES):
    """n labels, and logits in which the true class leads by about `lead`."""
    labels = rng.randint(0, classes, n)
    logits = rng.normal(0, noise, (n, CLASSES))
    logits[np.arange(n), labels] += lead
    return torch.tensor(logits, dtype=torch.float32), torch.tensor(labels)


def accuracy(logits, labels):
    return 100 * (logits.argmax(1) == labels).float().mean(dtype=torch.float64).item()


def confidence(logits, labels):
    return logits.softmax(1).gather(1, labels[:, None]).numpy()


def pack(logits, labels):
    return {
        "logits": base64.b64encode(logits.numpy().astype("<f4").tobytes()).decode(),
        "labels": "".join(map(str, labels.tolist())),
    }


def make(name, forget, retain, test, forgotten):
    kept = test if forgotten is None else tuple(part[test[1] != forgotten] for part in test)
    members = confidence(*retain)[: len(kept[1])]
    others = confidence(*kept)
    features = np.concatenate([members, others])
    targets = np.concatenate([np.ones(len(members)), np.zeros(len(others))])
    attack = SVC(C=3, gamma="auto", kernel="rbf").fit(features, targets)
    case = {
        "software": f"PyTorch {torch.__version__}, scikit-learn {sklearn.__version__}",
        "classes": CLASSES,
        "forgottenClass": forgotten,
        "forget": pack(*forget),
        "retain": pack(*retain),
        "test": pack(*test),
        "expected": {
            "ua": 100 - accuracy(*forget),
            "ra": accuracy(*retain),
            "ta": accuracy(*kept),
            "mia": 100 * (1 - attack.predict(confidence(*forget)).mean()),
        },
    }
    path = pathlib.Path(__file__).with_name(f"{name}.json")
    path.write_text(json.dumps(case, indent=1) + "\n")
    print(name, case["expected"])


make("random", answers(120, 5, 2), answers(600, 7, 2), answers(250, 4, 2), None)
# the forgotten class is the last one: D_r has none of it, D_f nothing else
logits, labels = answers(80, 1, 2)
labels[:] = CLASSES - 1
make("class", (logits, labels), answers(500, 7, 2, CLASSES - 1), answers(250, 4, 2), CLASSES - 1)
# D_r is smaller than the test set
make("small-retain", answers(60, 5, 2), answers(90, 7, 2), answers(250, 4, 2), None)
