"""Writes the activations golden case: values and derivatives of the functions a config's `hidden_act` can name."""

import json
from pathlib import Path

import torch
from transformers.activations import ACT2FN

CASE = Path(__file__).resolve().parent
NAMES = [
    "gelu", "gelu_new", "relu", "silu", "swish", "tanh", "gelu_pytorch_tanh",
    "gelu_fast", "gelu_python", "gelu_10", "gelu_accurate", "gelu_python_tanh", "quick_gelu",
    "elu", "hardswish", "laplace", "leaky_relu", "linear", "mish", "relu2", "relu6", "sigmoid",
]
NOT_IN_TRANSFORMERS = {"elu": torch.nn.ELU}


def values_and_derivatives(name, x):
    function = NOT_IN_TRANSFORMERS[name]() if name in NOT_IN_TRANSFORMERS else ACT2FN[name]
    x = x.clone().requires_grad_()
    y = function(x)
    y.sum().backward()
    return {"y": y.tolist(), "dy_dx": x.grad.tolist()}


def one_list_a_line(name, lists):
    lines = ",\n".join(f"    {json.dumps(key)}: {json.dumps(values)}" for key, values in lists.items())
    return f"  {json.dumps(name)}: {{\n{lines}\n  }}"


def main():
    torch.set_num_threads(1)
    x = torch.linspace(-5.0, 5.0, 41, dtype=torch.float64)
    functions = {name: values_and_derivatives(name, x) for name in NAMES}
    body = ",\n".join(one_list_a_line(name, lists) for name, lists in functions.items())
    (CASE / "input").mkdir(exist_ok=True)
    (CASE / "expected").mkdir(exist_ok=True)
    (CASE / "input/points.json").write_text(json.dumps({"x": x.tolist()}) + "\n", encoding="utf-8")
    (CASE / "expected/activations.json").write_text("{\n" + body + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
