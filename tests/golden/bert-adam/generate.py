"""Writes the bert-adam golden case: BertAdam and its learning-rate schedules in plain NumPy, float64.

BertAdam is Adam without bias correction and with weight decay added to the update, not to the gradient.
"""

import json
import math
from pathlib import Path

import numpy as np

CASE = Path(__file__).resolve().parent
SEED = 42

SETTINGS = {
    "learning_rate": 0.05,
    "warmup": 0.1,
    "total_steps": 10,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-6,
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
}
SHAPES = {
    "encoder.layer.0.attention.self.query.weight": (4, 3),
    "encoder.layer.0.attention.self.query.bias": (4,),
    "encoder.layer.0.attention.output.LayerNorm.weight": (4,),
}
NO_DECAY = ("bias", "LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.beta")
# Norm of each tensor's gradient, step by step: on both sides of max_grad_norm.
GRADIENT_NORMS = [(2.5, 0.4, 0.7), (0.3, 1.6, 0.2), (4.0, 3.0, 0.9)]

WARMUPS = [0.1, 0.0]
PROGRESS = [0.0, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0]


def warmup_linear(x, warmup):
    return x / warmup if x < warmup else 1.0 - x


def constant(x, warmup):
    return x / warmup if x < warmup else 1.0


def cosine(x, warmup):
    return x / warmup if x < warmup else 0.5 * (1.0 + math.cos(math.pi * x))


def clip_coefficient(norm):
    return min(1.0, SETTINGS["max_grad_norm"] / (norm + 1e-6))


def clip(gradients, mode):
    norms = {name: math.sqrt(float(np.sum(g * g))) for name, g in gradients.items()}
    if mode == "global":
        shared = clip_coefficient(math.sqrt(sum(norm * norm for norm in norms.values())))
        coefficients = dict.fromkeys(gradients, shared)
    else:
        coefficients = {name: clip_coefficient(norm) for name, norm in norms.items()}
    return {name: coefficients[name] * g for name, g in gradients.items()}


def run(initial_params, gradients_per_step, mode):
    s = SETTINGS
    params = dict(initial_params)
    first_moment = {name: np.zeros_like(p) for name, p in params.items()}
    second_moment = {name: np.zeros_like(p) for name, p in params.items()}
    steps = []
    for step, gradients in enumerate(gradients_per_step):
        # `step` counts the updates already done, so that with warm-up the first one has learning rate 0.
        learning_rate = s["learning_rate"] * warmup_linear(step / s["total_steps"], s["warmup"])
        for name, gradient in clip(gradients, mode).items():
            first_moment[name] = s["beta_1"] * first_moment[name] + (1.0 - s["beta_1"]) * gradient
            second_moment[name] = s["beta_2"] * second_moment[name] + (1.0 - s["beta_2"]) * gradient * gradient
            update = first_moment[name] / (np.sqrt(second_moment[name]) + s["epsilon"])
            if not name.endswith(NO_DECAY):
                update = update + s["weight_decay"] * params[name]
            params[name] = params[name] - learning_rate * update
        steps.append(
            {
                "learning_rate": learning_rate,
                "params": as_lists(params),
                "m": as_lists(first_moment),
                "v": as_lists(second_moment),
            }
        )
    return {"steps": steps}


def as_lists(tensors):
    return {name: tensor.tolist() for name, tensor in tensors.items()}


def write_json(path, value):
    (CASE / path).parent.mkdir(exist_ok=True)
    (CASE / path).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def main():
    rng = np.random.default_rng(SEED)
    params = {name: rng.standard_normal(shape).round(3) for name, shape in SHAPES.items()}
    gradients_per_step = []
    for norms in GRADIENT_NORMS:
        gradients = {}
        for (name, shape), norm in zip(SHAPES.items(), norms, strict=True):
            direction = rng.standard_normal(shape)
            gradients[name] = (direction * norm / math.sqrt(float(np.sum(direction * direction)))).round(4)
        gradients_per_step.append(gradients)

    case = {"settings": SETTINGS, "params": as_lists(params), "gradients": [as_lists(g) for g in gradients_per_step]}
    write_json("input/case.json", case)
    write_json("expected/per-tensor.json", run(params, gradients_per_step, "per-tensor"))
    write_json("expected/global.json", run(params, gradients_per_step, "global"))

    schedules = [
        {"schedule": schedule.__name__, "warmup": warmup, "x": PROGRESS, "multiplier": [schedule(x, warmup) for x in PROGRESS]}
        for schedule in (warmup_linear, constant, cosine)
        for warmup in WARMUPS
    ]
    write_json("expected/schedules.json", schedules)


if __name__ == "__main__":
    main()
