"""Factors of transformers' learning-rate schedules, step by step, by transformers' own functions.

Run where transformers is installed; neither torch nor a model is needed: the functions are taken out of
`transformers/optimization.py` by name, because importing that module imports torch.
"""

import ast
import importlib.util
import json
import math
from pathlib import Path

NAMES = {
    "constant": "_get_constant_schedule_with_warmup_lr_lambda",
    "linear": "_get_linear_schedule_with_warmup_lr_lambda",
    "half_cosine": "_get_cosine_schedule_with_warmup_lr_lambda",
    "polynomial": "_get_polynomial_decay_schedule_with_warmup_lr_lambda",
    "inverse_sqrt": "_get_inverse_sqrt_schedule_lr_lambda",
}
# (steps of warm-up, steps of the run, peak learning rate): none, some, more warm-up than run, a single step.
RUNS = [(0, 50, 5e-5), (7, 50, 3e-5), (50, 20, 2e-5), (0, 1, 1e-3), (1, 2, 5e-5)]


def functions() -> dict:
    package = Path(importlib.util.find_spec("transformers").origin).parent
    tree = ast.parse((package / "optimization.py").read_text())
    wanted = [node for node in tree.body if getattr(node, "name", None) in NAMES.values()]
    scope = {"math": math}
    exec(compile(ast.Module(wanted, []), "optimization.py", "exec"), scope)
    return {ours: scope[theirs] for ours, theirs in NAMES.items()}


def arguments(schedule: str, warmup: int, total: int, rate: float) -> dict:
    """What `get_scheduler` passes where no keywords are given."""
    given = {"num_warmup_steps": warmup}
    if schedule in ("linear", "half_cosine", "polynomial"):
        given["num_training_steps"] = total
    if schedule == "half_cosine":
        given["num_cycles"] = 0.5
    if schedule == "polynomial":
        given |= {"lr_end": 1e-7, "power": 1.0, "lr_init": rate}
    if schedule == "inverse_sqrt":
        given["timescale"] = warmup or 10_000
    return given


cases = [
    {
        "schedule": schedule,
        "warmup_steps": warmup,
        "total_steps": total,
        "learning_rate": rate,
        "factors": [float(factor(step, **arguments(schedule, warmup, total, rate))) for step in range(total)],
    }
    for schedule, factor in functions().items()
    for warmup, total, rate in RUNS
]
(Path(__file__).parent / "expected" / "factors.json").write_text(json.dumps(cases, indent=1) + "\n")
