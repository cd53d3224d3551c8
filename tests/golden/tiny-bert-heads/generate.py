"""Writes the tiny-bert-heads golden case: three sequence-level heads on the encoder of tiny-bert.

Weights are float32; everything expected is computed in float64 from them and stored as float32.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMultipleChoice, BertForSequenceClassification

CASE = Path(__file__).resolve().parent
ENCODER = CASE.parent / "tiny-bert/input"
SEED = 20180202
CHOICES = 4
# First and second segment of each row, in tokens; a row without a second segment is a single sentence.
ROWS = [(5, 8), (3, 6), (4, 2), (2, 9), (6, 0), (7, 3), (1, 4), (5, 5)]
MAX_LENGTH = 16
CHOICE_LABELS = [2, 0]
CLASS_LABELS = [2, 0, 1, 1, 0, 2, 2, 1]
SCORES = [0.0, 5.0, 2.5, 3.75, 1.2, 4.6, 0.8, 3.0]

HEADS = {
    "multiple_choice": (BertForMultipleChoice, {}),
    "classification": (BertForSequenceClassification, {"num_labels": 3}),
    "regression": (BertForSequenceClassification, {"num_labels": 1, "problem_type": "regression"}),
}


def make_batch(rng, vocab_size):
    input_ids = np.zeros((len(ROWS), MAX_LENGTH), dtype=np.int64)
    token_type_ids = np.zeros_like(input_ids)
    attention_mask = np.zeros_like(input_ids)
    for row, (first, second) in enumerate(ROWS):
        words = rng.integers(5, vocab_size, size=first + second)
        ids = [2, *words[:first], 3]
        if second:
            token_type_ids[row, len(ids) : len(ids) + second + 1] = 1
            ids += [*words[first:], 3]
        input_ids[row, : len(ids)] = ids
        attention_mask[row, : len(ids)] = 1
    arrays = {"input_ids": input_ids, "token_type_ids": token_type_ids, "attention_mask": attention_mask}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def gradients(model):
    # Some gradients are zero in exact arithmetic (a key's bias, a bias that a softmax ignores): drop the rounding noise.
    return {
        name: torch.where(parameter.grad.abs() < 1e-14, 0.0, parameter.grad).float()
        for name, parameter in model.named_parameters()
    }


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    for folder in ("input", "expected"):
        (CASE / folder).mkdir(exist_ok=True)
    stored = json.loads((ENCODER / "config.json").read_text())
    batch = make_batch(rng, stored["vocab_size"])
    labels = {
        "multiple_choice": torch.tensor(CHOICE_LABELS),
        "classification": torch.tensor(CLASS_LABELS),
        "regression": torch.tensor(SCORES, dtype=torch.float32),
    }
    save_file({**batch, **{f"{name}_labels": tensor for name, tensor in labels.items()}}, CASE / "input/batch.safetensors")
    weights = {k: v for k, v in load_file(ENCODER / "model.safetensors").items() if k.startswith("bert.")}
    weights |= load_file(ENCODER / "pooler.safetensors")

    for name, (architecture, settings) in HEADS.items():
        config = BertConfig.from_pretrained(ENCODER, **settings)
        model = architecture._from_config(config, attn_implementation="eager").eval()
        outputs = model.classifier.out_features
        head = {
            "classifier.weight": torch.from_numpy(0.3 * rng.standard_normal((outputs, config.hidden_size))).float(),
            "classifier.bias": torch.from_numpy(0.1 * rng.standard_normal(outputs)).float(),
        }
        missing, unexpected = model.load_state_dict({**weights, **head}, strict=False)
        assert not missing and not unexpected, (missing, unexpected)
        model.config.architectures = [architecture.__name__]
        (CASE / f"input/{name}").mkdir(exist_ok=True)
        model.config.save_pretrained(CASE / f"input/{name}")
        save_file(head, CASE / f"input/{name}/head.safetensors")

        model.double()
        target = labels[name]
        inputs = dict(batch)
        if name == "multiple_choice":
            inputs = {key: value.view(-1, CHOICES, MAX_LENGTH) for key, value in batch.items()}
        if name == "regression":
            target = target.double()
        output = model(**inputs, labels=target)
        output.loss.backward()
        save_file({"logits": output.logits.detach().float(), "loss": output.loss.detach().float()},
                  CASE / f"expected/{name}.safetensors")
        save_file(gradients(model), CASE / f"expected/{name}_gradients.safetensors")


if __name__ == "__main__":
    main()
