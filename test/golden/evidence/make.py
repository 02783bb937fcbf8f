"""Evidence as people save it with numpy and safetensors (pip install numpy scikit-learn safetensors==0.8.0), and its scores.

Usage: python3 make.py. Writes *.npz, *.safetensors and expected.json beside itself.
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.svm import SVC

here = Path(__file__).parent
rng = np.random.default_rng(7)
CLASSES = 4


def answers(count, sure):
    labels = rng.integers(0, CLASSES, count)
    # Quarters are exact in half precision.
    logits = np.round(rng.normal(0, 1, (count, CLASSES)) * 4) / 4
    logits[np.arange(count), labels] += sure
    return logits, labels


sets = {"forget": answers(12, 0.5), "retain": answers(30, 3), "test": answers(20, 1)}


def arrays(logits_type, labels_type, dot="."):
    return {
        f"{name}{dot}{part}": value.astype(logits_type if part == "logits" else labels_type)
        for name, (logits, labels) in sets.items()
        for part, value in (("logits", logits), ("labels", labels))
    }


np.savez(here / "float32.npz", **arrays("float32", "int64"), forgottenClass=1)
np.savez_compressed(here / "float16-compressed.npz", **arrays("float16", "uint8", "_"), forgottenClass=np.int64(1))
np.savez(
    here / "float64-columns.npz",
    **{name: np.asfortranarray(value) for name, value in arrays("float64", "int32").items()},
    forgottenClass=1,
)
save_file(arrays("float16", "int64"), here / "float16.safetensors", metadata={"forgottenClass": "1"})
save_file(arrays("float64", "int16"), here / "float64.safetensors", metadata={"forgottenClass": "1"})
np.savez(here / "no-test.npz", **{k: v for k, v in arrays("float32", "int64").items() if not k.startswith("test")})

np.savez(here / "objects.npz", **{"forget.logits": np.array([[1.0], None], dtype=object)})
np.savez(here / "big-endian.npz", **{"forget.logits": np.zeros((2, 3), ">f4"), "forget.labels": np.zeros(2, "i8")})
np.savez(here / "strange.npz", **arrays("float32", "int64"), forget_logit=np.zeros((2, 3)))
np.savez(here / "float-labels.npz", **arrays("float32", "float32"))

# Generated and real images by the features of one extractor; statistics of the latter as pytorch-fid saves them.
DIMENSION = 6
generated = rng.normal(0.2, 1, (40, DIMENSION)) @ rng.normal(0, 1, (DIMENSION, DIMENSION))
real = rng.normal(0, 1, (50, DIMENSION)) @ rng.normal(0, 1, (DIMENSION, DIMENSION))
labels, real_labels = np.arange(40) % CLASSES, np.arange(50) % CLASSES
judge = np.eye(CLASSES)[np.where(labels == 2, 0, labels)]
generated, real = generated.astype("float32"), real.astype("float32")
facts = {"extractor.id": "inception-v3-pool3", "extractor.weights": "w" * 16, "extractor.preprocessing": "bilinear-299"}
np.savez(
    here / "samples.npz",
    labels=labels,
    features=generated,
    judge_logits=judge.astype("float32"),
    forgottenClass=2,
    **{"judge.testAccuracy": 93.5},
    **facts,
)
np.savez(here / "real.npz", labels=real_labels, features=real, **facts)


def statistics(features):
    return features.astype("float64").mean(0), np.cov(features.astype("float64"), rowvar=False)


def fid(a, b):
    (mu_a, cov_a), (mu_b, cov_b) = statistics(a), statistics(b)
    root = np.sqrt(np.abs(np.linalg.eigvals(cov_a @ cov_b).real)).sum()
    return float(((mu_a - mu_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * root)


for name, features in (("real", real), ("generated", generated)):
    mu, sigma = statistics(features)
    np.savez(here / f"{name}-statistics.npz", mu=mu, sigma=sigma)
np.savez(here / "wrong-statistics.npz", mu=mu, sigma=sigma[:, :5])


def accuracy(name, without=None):
    logits, labels = sets[name]
    kept = labels != without
    return float(100 * (logits.argmax(1) == labels)[kept].mean())


def confidence(name, without=None):
    logits, labels = sets[name]
    powers = np.exp(logits - logits.max(1, keepdims=True))
    of_label = (powers / powers.sum(1, keepdims=True))[np.arange(len(labels)), labels]
    return of_label[labels != without].astype("float32").reshape(-1, 1)


def membership():
    members, others, queries = confidence("retain"), confidence("test", without=1), confidence("forget")
    members = members[: len(others)]
    attack = SVC(C=3, gamma="auto", kernel="rbf")
    attack.fit(np.concatenate([members, others]), np.concatenate([np.ones(len(members)), np.zeros(len(others))]))
    return float(100 * (attack.predict(queries) == 0).mean())


expected = {
    "mia": membership(),
    "ua": 100 - accuracy("forget"),
    "ra": accuracy("retain"),
    "ta": accuracy("test", without=1),
    "fid": fid(generated, real),
    "fidRemaining": fid(generated[labels != 2], real[real_labels != 2]),
    "fidRemainingAgainstAll": fid(generated[labels != 2], real),
    "generatedUa": 100.0,
    "generatedRa": 100.0,
    "forget": {"labels": sets["forget"][1].tolist(), "predicted": sets["forget"][0].argmax(1).tolist()},
}
(here / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
