"""Paired two-sided t-tests by SciPy, as references; `insured` is that of one observation more, five standard deviations of the
differences against their mean, or 50 / n of them where n < 10. Usage: python3 make.py. Writes cases.json beside itself."""
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
    d = a - b
    worst = d.mean() - np.sign(d.mean()) * max(5, 50 / n) * d.std(ddof=1)
    insured = float(stats.ttest_1samp([*d, worst], 0).pvalue)
    p = float(stats.ttest_rel(a, b).pvalue)
    cases.append({"a": a.tolist(), "b": b.tolist(), "p": p, "insured": insured})
result = {"software": f"SciPy {scipy.__version__}", "cases": cases}
pathlib.Path(__file__).with_name("cases.json").write_text(json.dumps(result, indent=1) + "\n")
