"""Writes the class-losses golden case: torch.nn.CrossEntropyLoss with weights of classes and label smoothing, in float64.

`--seed N --out FILE` writes other cases of the same kind.
"""

import argparse
import json
from pathlib import Path

import torch


def case(generator, examples, classes, weighted, smoothing):
    logits = torch.randn(examples, classes, generator=generator, dtype=torch.float64).mul(3e4).round().div(1e4).requires_grad_()
    gold = torch.randint(classes, (examples,), generator=generator)
    weights = torch.rand(classes, generator=generator, dtype=torch.float64).mul(4).add(0.1).mul(1e3).round().div(1e3)
    loss = torch.nn.CrossEntropyLoss(weight=weights if weighted else None, label_smoothing=smoothing, reduction="none")
    losses = loss(logits, gold)
    losses.mean().backward()
    return {
        "logits": logits.tolist(),
        "classes": gold.tolist(),
        "weights": weights.tolist() if weighted else None,
        "label_smoothing": smoothing,
        "losses": losses.tolist(),
        "gradients": logits.grad.tolist(),
    }


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--out", type=Path, default=Path(__file__).parent / "expected" / "cases.json")
arguments = parser.parse_args()
generator = torch.Generator().manual_seed(arguments.seed)
cases = [
    case(generator, examples, classes, weighted, smoothing)
    for examples, classes in ((1, 2), (5, 3), (7, 11))
    for weighted, smoothing in ((False, 0.0), (True, 0.0), (False, 0.1), (True, 0.3))
]
arguments.out.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
