"""Writes the adamw golden case: torch.optim.AdamW over 50 steps with every schedule, with a rate for each layer, and with averages of
the weights by torch.optim.swa_utils, all in float32.

`--seed N --steps N --out FILE` writes another case of the same kind into one file, for a check on other data.
"""

import argparse
import json
import math
from pathlib import Path

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import get_scheduler

CASE = Path(__file__).resolve().parent
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.01
MAX_GRAD_NORM = 1.0
WARMUP = 5
LAYER_DECAY = 0.9
EMA = 0.9
SWA_SHARE = 0.25
LAYERS = 2
SHAPES = {
    "bert.embeddings.LayerNorm.weight": (4,),
    "bert.encoder.layer.0.attention.self.query.weight": (4, 3),
    "bert.encoder.layer.0.attention.self.query.bias": (4,),
    "bert.encoder.layer.1.attention.self.query.weight": (4, 3),
    "bert.encoder.layer.1.attention.self.query.bias": (4,),
    "classifier.weight": (2, 3),
    "classifier.bias": (2,),
}
# Ours, and the name in transformers; the 2018 ones are functions of the share of the steps done.
SCHEDULES = {
    "linear": "linear",
    "half_cosine": "cosine",
    "constant": "constant_with_warmup",
    "polynomial": "polynomial",
    "inverse_sqrt": "inverse_sqrt",
    "warmup_linear": lambda x: 1.0 - x,
    "cosine": lambda x: 0.5 * (1.0 + math.cos(math.pi * x)),
}


class Model(torch.nn.Module):
    def __init__(self, tensors):
        super().__init__()
        self.tensors = torch.nn.ParameterList([torch.nn.Parameter(t.clone()) for t in tensors.values()])
        self.names = list(tensors)

    def named(self):
        return dict(zip(self.names, self.tensors, strict=True))


def rate(name):
    """The layer-wise decay of Zhang et al. 2021: the head has the whole rate, and each part below that times the decay."""
    if name.startswith("bert.embeddings"):
        return LAYER_DECAY ** (LAYERS + 1)
    if name.startswith("bert.encoder.layer."):
        return LAYER_DECAY ** (LAYERS - int(name.split(".")[3]))
    return 1.0


def scheduler(optimizer, schedule, steps):
    kind = SCHEDULES[schedule]
    if isinstance(kind, str):
        return get_scheduler(kind, optimizer, num_warmup_steps=WARMUP, num_training_steps=steps)
    warmup = WARMUP / steps

    def factor(step):
        x = step / steps
        return x / warmup if x < warmup else kind(x)

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def run(case, schedule, layer_decay=False, average=None):
    model = Model(case["params"])
    steps = len(case["gradients"])
    groups = []
    for name, parameter in model.named().items():
        decays = not (name.endswith(".bias") or "LayerNorm" in name)
        groups.append(
            {
                "params": [parameter],
                "lr": LEARNING_RATE * (rate(name) if layer_decay else 1.0),
                "weight_decay": WEIGHT_DECAY if decays else 0.0,
            }
        )
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    lr = scheduler(optimizer, schedule, steps)
    averaged, begin = None, 0
    if average == "ema":
        averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(EMA))
    if average == "swa":
        averaged, begin = AveragedModel(model), steps - math.ceil(steps * SWA_SHARE)
    states = {}
    for step, gradients in enumerate(case["gradients"], start=1):
        for name, parameter in model.named().items():
            parameter.grad = gradients[name].clone()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
        optimizer.step()
        lr.step()
        if averaged is not None and step > begin:
            averaged.update_parameters(model)
        if step in (1, steps // 2, steps):
            states[step] = as_lists(model.named())
    result = {"schedule": schedule, "layer_decay": layer_decay, "average": average, "params": states}
    if averaged is not None:
        result["averaged"] = as_lists(averaged.module.named())
    return result


def as_lists(tensors):
    return {name: tensor.detach().double().tolist() for name, tensor in tensors.items()}


def draw(seed, steps):
    generator = torch.Generator().manual_seed(seed)

    def normal(shape, scale):
        return (torch.randn(shape, generator=generator) * scale).mul(1e4).round().div(1e4)

    params = {name: normal(shape, 0.05) + ("LayerNorm" in name) for name, shape in SHAPES.items()}
    # Norms on both sides of the bound.
    gradients = [
        {name: normal(shape, 0.02 if step % 3 else 0.4) for name, shape in SHAPES.items()} for step in range(steps)
    ]
    return {"params": params, "gradients": gradients}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    case = draw(arguments.seed, arguments.steps)
    runs = [run(case, schedule) for schedule in SCHEDULES]
    runs.append(run(case, "linear", layer_decay=True))
    runs += [run(case, "linear", average=average) for average in ("ema", "swa")]
    written = {
        "params": as_lists(case["params"]),
        "gradients": [as_lists(gradients) for gradients in case["gradients"]],
    }
    if arguments.out:
        arguments.out.write_text(json.dumps({"input": written, "expected": runs}))
        return
    (CASE / "input" / "case.json").write_text(json.dumps(written, separators=(",", ":")).replace('{"bert.emb', '\n{"bert.emb') + "\n")
    lines = ",\n".join(json.dumps(run, separators=(",", ":")) for run in runs)
    (CASE / "expected" / "runs.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
