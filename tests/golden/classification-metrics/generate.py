"""Writes the classification-metrics golden case: scores of scikit-learn, cross-entropies of SciPy's log_softmax."""

import json
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.special import log_softmax
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, matthews_corrcoef

CASE = Path(__file__).resolve().parent
SEED = 42
SIZES = [1, 2, 3, 7, 20, 60, 250]
# Shares of the classes among the labels.
SHARES = {
    "two-even": [0.5, 0.5],
    "two-imbalanced": [0.9, 0.1],
    "two-rare": [0.02, 0.98],
    "three-even": [1 / 3, 1 / 3, 1 / 3],
    "three-imbalanced": [0.8, 0.15, 0.05],
}
# How often a random prediction is the label; the others follow the shares.
SKILLS = [0.0, 0.5, 0.95]


def write_lines(path, values):
    """A JSON list with one value a line."""
    (CASE / path).parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(value, separators=(",", ":")) for value in values)
    (CASE / path).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def random_cases(rng):
    for name, shares in SHARES.items():
        for size in SIZES:
            for skill in SKILLS:
                labels = rng.choice(len(shares), size, p=shares)
                guesses = rng.choice(len(shares), size, p=shares)
                predictions = np.where(rng.random(size) < skill, labels, guesses)
                yield f"{name}-{size}-{skill}", len(shares), labels.tolist(), predictions.tolist()


def special_cases():
    mixed = [0, 1, 1, 0, 1, 0, 0]
    for only in (0, 1):
        constant = [only] * len(mixed)
        yield f"labels-all-{only}", 2, constant, mixed
        yield f"predictions-all-{only}", 2, mixed, constant
        yield f"both-all-{only}", 2, constant, constant
        yield f"all-{only}-predicted-as-the-other", 2, constant, [1 - only] * len(mixed)
    yield "perfect", 2, mixed, mixed
    yield "inverted", 2, mixed, [1 - label for label in mixed]
    thirds = [0, 1, 2, 2, 1, 0, 2]
    yield "three-perfect", 3, thirds, thirds
    yield "three-rotated", 3, thirds, [(label + 1) % 3 for label in thirds]
    yield "three-predictions-all-2", 3, thirds, [2] * len(thirds)
    yield "class-1-absent", 3, [0, 2, 2, 0, 2], [0, 2, 0, 0, 2]
    yield "class-2-only-predicted", 3, [0, 1, 1, 0, 1], [0, 2, 1, 0, 2]
    yield "class-2-only-in-labels", 3, [0, 2, 1, 0, 2], [0, 1, 1, 0, 0]


def scores(name, classes, labels, predictions):
    return {
        "name": name,
        "accuracy": accuracy_score(labels, predictions),
        # Class 1 alone, whatever classes the labels have: scikit-learn refuses average="binary" for three classes.
        "binary_f1": f1_score(labels, predictions, labels=[1], average="macro", zero_division=0),
        "macro_f1": f1_score(labels, predictions, average="macro"),
        "matthews_correlation": matthews_corrcoef(labels, predictions),
        "confusion_matrix": confusion_matrix(labels, predictions, labels=range(classes)).tolist(),
        "majority_share": max(Counter(labels).values()) / len(labels),
        "predicted_classes": len(set(predictions)),
    }


def logit_cases(rng):
    for classes in (2, 3):
        for size in (1, 5, 40):
            for scale in (0.1, 3.0, 1000.0):
                logits = np.round(rng.normal(0.0, scale, (size, classes)), 3)
                labels = rng.integers(classes, size=size)
                yield {"name": f"{classes}-classes-{size}-{scale}", "logits": logits.tolist(), "labels": labels.tolist()}


def cross_entropy(case):
    # As a model gives them: rounded to float32 first.
    logits = np.asarray(case["logits"], dtype=np.float32).astype(np.float64)
    log_probabilities = log_softmax(logits, axis=1)
    return float(-log_probabilities[np.arange(len(logits)), case["labels"]].mean())


def main():
    warnings.simplefilter("error")
    # The cases of a single class.
    warnings.filterwarnings("ignore", message="A single label was found")
    rng = np.random.default_rng(SEED)
    cases = [*special_cases(), *random_cases(rng)]
    write_lines("input/cases.json", [dict(zip(("name", "classes", "labels", "predictions"), case)) for case in cases])
    write_lines("expected/scores.json", [scores(*case) for case in cases])
    logits = list(logit_cases(rng))
    write_lines("input/logits.json", logits)
    losses = [{"name": case["name"], "mean_cross_entropy": cross_entropy(case)} for case in logits]
    write_lines("expected/cross-entropies.json", losses)


if __name__ == "__main__":
    main()
