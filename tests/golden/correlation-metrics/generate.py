"""Writes the correlation-metrics golden case: SciPy's pearsonr and spearmanr, scikit-learn's mean_squared_error."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
from scipy.stats import ConstantInputWarning, pearsonr, spearmanr
from sklearn.metrics import mean_squared_error

CASE = Path(__file__).resolve().parent
SEED = 42
SIZES = [2, 3, 5, 12, 40, 120]


def write_lines(path, values):
    """A JSON list with one value a line."""
    (CASE / path).parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(value, separators=(",", ":"), allow_nan=False) for value in values)
    (CASE / path).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def random_cases(rng):
    # Short decimals: not every JSON parser gets the last bit of long ones right, and it matters beside an offset.
    for size in SIZES:
        for slope in (0.0, 1.0, -3.0):
            x = np.round(rng.normal(0.0, 1.0, size), 6)
            y = np.round(slope * x + rng.normal(0.0, 1.0, size), 6)
            yield f"random-{size}-{slope}", x, y
        # Similarities from 0 to 5, annotated in quarters.
        scores = rng.uniform(0.0, 5.0, size)
        yield f"quarters-{size}", np.round(scores + rng.normal(0.0, 0.7, size), 5), np.round(scores * 4) / 4
        yield f"heavy-ties-{size}", rng.integers(3, size=size) + 0.0, rng.integers(2, size=size) + 0.0
        noise = np.round(rng.normal(0.0, 1.0, size), 3)
        other = np.round(noise + rng.normal(0.0, 1.0, size), 3)
        yield f"one-large-offset-{size}", 1e9 + noise, other
        yield f"two-large-offsets-{size}", 1e9 + noise, -1e9 + other
        increasing = np.sort(np.round(rng.normal(0.0, 1.0, size), 4))
        yield f"increasing-{size}", increasing, np.round(np.exp(increasing), 4)
        yield f"decreasing-{size}", increasing, -np.round(np.exp(increasing), 4)


def special_cases():
    some = [0.25, 4.75, 2.5, 2.5, 1.0]
    yield "none", [], []
    yield "one", [1.0], [2.0]
    yield "x-constant", [0.1] * 5, some
    yield "y-constant", some, [3.0] * 5
    yield "both-constant", [0.1] * 5, [3.0] * 5
    yield "identical", some, some
    yield "mirrored", some, [-value for value in some]
    yield "two-equal-points", [1.5, 1.5], [2.0, 2.0]
    yield "outlier", [0.0, 1e-3, 2e-3, 1e6], [3.0, 2.0, 1.0, 0.0]
    yield "huge", [1e150, 3e150, -2e150, 5e149], [1e150, 2e150, 0.0, 3e150]
    yield "tiny", [1e-200, 3e-200, -2e-200, 5e-201], [1.0, 2.0, 0.0, 3.0]


def number(value):
    return None if math.isnan(value) else float(value)


def statistics(name, x, y):
    expected = {"name": name, "pearson": None, "spearman": None, "mean_squared_error": None}
    # SciPy and scikit-learn refuse lists that are too short, instead of giving NaN.
    if len(x) >= 1:
        expected["mean_squared_error"] = mean_squared_error(y, x)
    if len(x) >= 2:
        expected["pearson"] = number(pearsonr(x, y).statistic)
        expected["spearman"] = number(spearmanr(x, y).statistic)
    return expected


def main():
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", ConstantInputWarning)
    rng = np.random.default_rng(SEED)
    cases = [(name, list(map(float, x)), list(map(float, y))) for name, x, y in (*special_cases(), *random_cases(rng))]
    write_lines("input/cases.json", [dict(zip(("name", "x", "y"), case)) for case in cases])
    write_lines("expected/statistics.json", [statistics(*case) for case in cases])


if __name__ == "__main__":
    main()
