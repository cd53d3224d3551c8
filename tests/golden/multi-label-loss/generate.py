"""Writes the multi-label-loss golden case: torch.nn.BCEWithLogitsLoss, which `transformers` uses for
`problem_type` "multi_label_classification", in float64."""

import json
from pathlib import Path

import torch


def case(logits, labels):
    logits = logits.clone().requires_grad_()
    loss = torch.nn.BCEWithLogitsLoss()(logits, labels)
    loss.backward()
    return {
        "logits": logits.tolist(),
        "labels": labels.tolist(),
        "loss": loss.item(),
        "gradients": logits.grad.tolist(),
    }


generator = torch.Generator().manual_seed(1)
cases = []
for examples, labels, scale in ((1, 1, 1), (3, 2, 3), (7, 11, 3), (4, 5, 100)):
    logits = torch.randn(examples, labels, generator=generator, dtype=torch.float64).mul(scale)
    logits = logits.float().double()  # Numbers that float32 holds exactly.
    gold = torch.randint(2, (examples, labels), generator=generator).double()
    cases.append(case(logits, gold))
cases.append(case(torch.zeros(2, 2, dtype=torch.float64), torch.tensor([[0.0, 1.0], [1.0, 1.0]], dtype=torch.float64)))
text = "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"
(Path(__file__).parent / "expected" / "cases.json").write_text(text)
