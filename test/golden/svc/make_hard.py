"""scikit-learn's SVC on hard cases of confidences: the decision of every query, and alpha to its last bit.

Usage: python3 make_hard.py (made with scikit-learn 1.2.1). Writes hard.json beside itself. Both sides make the confidences
from the uniforms of ../uniform.py by products and sums alone, which are the same in TypeScript, so that only answers are stored.
"""
import hashlib
import json
import pathlib
import sys

import numpy as np
import sklearn
from sklearn.svm import SVC

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from uniform import uniforms  # noqa: E402


def confidences(stream, count, power, spread=1, wrong=0, ones=0, levels=0, shift=0):
    """1 - spread u^power; a share `wrong` is u itself, a share `ones` is 1; `levels` keeps so many values of each unit;
    float32, unless `shift` moves all far from zero, where the square of a difference loses digits."""
    u = uniforms(stream, count).astype(np.float64)
    kind = uniforms(stream + 1, count).astype(np.float64)
    rest = np.full(count, float(spread))
    for _ in range(power):
        rest = rest * u
    value = np.where(kind < wrong, u, np.where(kind >= 1 - ones, 1, 1 - rest))
    if levels:
        value = np.floor(value * levels) / levels
    return value + shift if shift else value.astype(np.float32)


fitted = {"power": 6, "wrong": 0.02}
cases = {
    "ones": dict(members=(2000, dict(power=9, ones=0.6)), others=(2000, dict(power=9, wrong=0.06, ones=0.4))),
    "few values": dict(members=(1500, dict(power=2, levels=20)), others=(1500, dict(power=1, levels=20))),
    "one value": dict(members=(300, dict(power=1, ones=1)), others=(200, dict(power=1, ones=1))),
    "the same distribution": dict(members=(2000, fitted), others=(2000, fitted)),
    "500 against 2000": dict(members=(500, fitted), others=(2000, dict(power=1))),
    "2000 against 500": dict(members=(2000, fitted), others=(500, dict(power=1)), gamma=5),
    "mixed order": dict(members=(900, dict(power=3)), others=(900, dict(power=2)), mixed=True),
    "cost 0.05": dict(members=(800, dict(power=3)), others=(800, dict(power=2)), cost=0.05),
    "cost 1000": dict(members=(300, dict(power=4)), others=(300, dict(power=2)), cost=1000),
    "gamma 0.01": dict(members=(800, dict(power=3)), others=(800, dict(power=2)), gamma=0.01),
    "gamma 13": dict(members=(800, dict(power=3)), others=(800, dict(power=2)), gamma=13),
    "gamma 3000": dict(members=(800, dict(power=3)), others=(800, dict(power=2)), gamma=3000),
    "far from zero": dict(members=(800, dict(power=3, shift=1000)), others=(800, dict(power=2, shift=1000)), shift=1000),
    "20,000 and 10,000": dict(members=(20000, fitted), others=(10000, dict(power=1)), queries=4500),
}

results = []
for index, (name, case) in enumerate(cases.items()):
    stream = 1000 + 10 * index
    members = confidences(stream, case["members"][0], **case["members"][1])
    others = confidences(stream + 2, case["others"][0], **case["others"][1])
    asked = {"count": case.get("queries", 500), "power": 1, "shift": case.get("shift", 0)}
    queries = confidences(stream + 4, **asked)
    samples = np.concatenate([members, others])
    labels = np.concatenate([np.ones(len(members)), np.zeros(len(others))])
    if case.get("mixed"):
        order = np.argsort(uniforms(stream + 6, len(samples)), kind="stable")
        samples, labels = samples[order], labels[order]
    cost, gamma = case.get("cost", 3), case.get("gamma", 1)
    model = SVC(C=cost, kernel="rbf", gamma=gamma).fit(samples[:, None], labels)
    alpha = np.zeros(len(samples))
    alpha[model.support_] = np.abs(model.dual_coef_[0])
    decisions = model.predict(queries[:, None]).astype(int)
    values = -model.decision_function(queries[:5, None])
    results.append(
        {
            "name": name,
            "stream": stream,
            "members": {"count": case["members"][0], **case["members"][1]},
            "others": {"count": case["others"][0], **case["others"][1]},
            "queries": asked,
            "mixed": case.get("mixed", False),
            "cost": cost,
            "gamma": gamma,
            "steps": int(model.n_iter_[0]),
            "rho": -float(model._intercept_[0]),
            "support": int(model.n_support_.sum()),
            "alphaSha256": hashlib.sha256(alpha.astype("<f8").tobytes()).hexdigest(),
            "values": values.tolist(),
            "decisions": "".join(map(str, decisions)),
        }
    )
    print(name, "share of members:", decisions.mean(), "steps:", model.n_iter_, "free:", ((0 < alpha) & (alpha < cost)).sum())

path = pathlib.Path(__file__).with_name("hard.json")
path.write_text(json.dumps({"software": f"scikit-learn {sklearn.__version__}", "cases": results}, indent=1) + "\n")
