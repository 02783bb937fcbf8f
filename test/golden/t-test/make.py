"""Paired two-sided t-tests by SciPy, as references. Usage: python3 make.py. Writes cases.json beside itself."""
import json
import pathlib

import numpy as np
import scipy
from scipy import stats

rng = np.random.RandomState(3)
cases = []
for n, shift in [(2, 0.5), (3, 0), (3, 2), (5, 0.1), (10, 1), (10, 5), (30, 0.3)]:
    a = rng.normal(3, 1, n)
    b = a + shift + rng.normal(0, 0.7, n)
    cases.append({"a": a.tolist(), "b": b.tolist(), "p": float(stats.ttest_rel(a, b).pvalue)})
result = {"software": f"SciPy {scipy.__version__}", "cases": cases}
pathlib.Path(__file__).with_name("cases.json").write_text(json.dumps(result, indent=1) + "\n")
