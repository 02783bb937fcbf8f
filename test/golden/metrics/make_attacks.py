"""AUC and TPR of D_f against the test set, and the SVC family of membership attacks, of made-up logits: PyTorch for the softmax,
scikit-learn for ROC curves and SVC. Formulas are those of Song & Mittal 2021; `m-entropy-released` is what SVC_MIA of
Unlearn-Saliency computes in its place.

Usage: python3 make_attacks.py. Writes attacks-*.json beside itself; logits are base64 of little-endian float32, row by row.
"""
import base64
import json
import pathlib

import numpy as np
import sklearn
import torch
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.svm import SVC

CLASSES = 5
rng = np.random.RandomState(11)


def answers(n, lead, noise, classes=CLASSES):
    labels = rng.randint(0, classes, n)
    logits = rng.normal(0, noise, (n, CLASSES))
    logits[np.arange(n), labels] += lead
    return torch.tensor(logits, dtype=torch.float32), torch.tensor(labels)


def log_rest(log_p):
    """ln(1 - p) of every class, by the sum over the others."""
    others = log_p[:, None, :].expand(-1, CLASSES, -1).masked_fill(torch.eye(CLASSES, dtype=bool), -torch.inf)
    return others.logsumexp(2)


def scores(logits, labels):
    """Each in float64, the last step in float32."""
    log_p = logits.double().log_softmax(1)
    p, log_q = log_p.exp(), log_rest(log_p)
    true = torch.nn.functional.one_hot(labels, CLASSES).bool()
    m_entropy = torch.where(true, -log_q.exp() * log_p, -p * log_q).sum(1)
    occurring = torch.zeros(CLASSES, dtype=bool)
    occurring[labels] = True
    released = -(torch.where(occurring, log_q.exp(), p) * log_p).sum(1)
    found = {
        "loss": -log_p[true],
        "margin": (log_p - log_q)[true],
        "entropy": -(p * log_p).sum(1),
        "m-entropy": m_entropy,
        "m-entropy-released": released,
        "correctness": (logits.argmax(1) == labels).double(),
    }
    return {name: value.float().numpy().astype(np.float64) for name, value in found.items()}


def auc(positive, negative):
    truth = np.concatenate([np.ones(len(positive)), np.zeros(len(negative))])
    return 100 * roc_auc_score(truth, np.concatenate([positive, negative]))


def tpr(positive, negative, fpr):
    truth = np.concatenate([np.ones(len(positive)), np.zeros(len(negative))])
    false, true, _ = roc_curve(truth, np.concatenate([positive, negative]), drop_intermediate=False)
    return 100 * true[false <= fpr].max()


def attack(forget, retain, test):
    members = retain[: len(test)]
    features = np.concatenate([members, test]).reshape(len(members) + len(test), -1)
    targets = np.concatenate([np.ones(len(members)), np.zeros(len(test))])
    fitted = SVC(C=3, gamma="auto", kernel="rbf").fit(features, targets)
    return 100 * (1 - fitted.predict(forget.reshape(len(forget), -1)).mean())


def pack(logits, labels):
    return {
        "logits": base64.b64encode(logits.numpy().astype("<f4").tobytes()).decode(),
        "labels": "".join(map(str, labels.tolist())),
    }


def make(name, forget, retain, test, forgotten):
    kept = test if forgotten is None else tuple(part[test[1] != forgotten] for part in test)
    # The attack is fitted on as many retained examples as there are test examples.
    few = tuple(part[: len(kept[1])] for part in retain)
    f, r, t = scores(*forget), scores(*few), scores(*kept)
    expected = {
        "auc-confidence": auc(f["margin"], t["margin"]),
        "auc-entropy": auc(-f["entropy"], -t["entropy"]),
        "mia-loss-tpr": tpr(f["margin"], t["margin"], 0.01),
        **{f"mia-{each}": attack(f[each], r[each], t[each]) for each in ("correctness", "entropy", "m-entropy", "m-entropy-released")},
        "mia-probabilities": attack(*(part[0].softmax(1).numpy().astype(np.float64) for part in (forget, few, kept))),
    }
    case = {
        "software": f"PyTorch {torch.__version__}, scikit-learn {sklearn.__version__}",
        "classes": CLASSES,
        "forgottenClass": forgotten,
        "forget": pack(*forget),
        "retain": pack(*retain),
        "test": pack(*test),
        "expected": expected,
        "ofForget": {each: list(f[each][:20]) for each in f},
    }
    path = pathlib.Path(__file__).with_name(f"attacks-{name}.json")
    path.write_text(json.dumps(case, indent=1) + "\n")
    print(name, expected)


# over-forgotten: D_f is answered with less confidence than what was never seen
make("random", answers(120, 3, 2), answers(600, 7, 2), answers(250, 4, 2), None)
# the forgotten class is the last one: D_r has none of it, D_f nothing else
logits, labels = answers(80, 2, 2)
labels[:] = CLASSES - 1
make("class", (logits, labels), answers(500, 7, 2, CLASSES - 1), answers(250, 4, 2), CLASSES - 1)
# D_f is known better than anything: the original
make("known", answers(150, 7, 1.5), answers(700, 7, 2), answers(300, 3, 2.5), None)
