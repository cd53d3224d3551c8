"""Writes the tiny-bert golden case: a random BERT, a batch, its outputs and all its gradients.

Weights are float32; everything expected is computed in float64 from them and stored as float32.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForQuestionAnswering, BertModel

CASE = Path(__file__).resolve().parent
SEED = 20180101
# Longest first; the last two rows are padded to the first one's length.
SEGMENT_LENGTHS = [(5, 8), (3, 6), (4, 2)]  # question, context tokens
MAX_LENGTH = 16
START_POSITIONS = [9, 6, 6]
END_POSITIONS = [13, 6, 7]

VOCABULARY = (
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    + list("abcdefghijklmnopqrstuvwxyz")
    + ["##" + letter for letter in "abcdefghijklmnopqrstuvwxyz"]
    + list("0123456789")
    + ["##" + digit for digit in "0123456789"]
    + list(".,?'-!")
    + ["the", "of", "in", "is", "was", "who", "what", "where", "when", "how", "and"]
    + ["##ing", "##ed", "##er", "##est", "##ly"]
)
CLS, SEP = VOCABULARY.index("[CLS]"), VOCABULARY.index("[SEP]")

CONFIG = BertConfig(
    vocab_size=len(VOCABULARY),
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=37,
    hidden_act="gelu",
    hidden_dropout_prob=0.1,
    attention_probs_dropout_prob=0.1,
    max_position_embeddings=48,
    type_vocab_size=2,
    layer_norm_eps=1e-12,
)


def randomise(module, rng):
    """Draws every parameter, so that no bias is zero and no LayerNorm is the identity."""
    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            noise = rng.standard_normal(tuple(parameter.shape))
            if name.endswith("LayerNorm.weight"):
                values = 1.0 + 0.1 * noise
            elif name.endswith("bias"):
                values = 0.1 * noise
            else:
                values = 0.2 * noise
            parameter.copy_(torch.from_numpy(values.astype(np.float32)))


def make_batch(rng):
    rows = len(SEGMENT_LENGTHS)
    input_ids = np.zeros((rows, MAX_LENGTH), dtype=np.int64)
    token_type_ids = np.zeros_like(input_ids)
    attention_mask = np.zeros_like(input_ids)
    for row, (question, context) in enumerate(SEGMENT_LENGTHS):
        words = rng.integers(5, len(VOCABULARY), size=question + context)
        ids = [CLS, *words[:question], SEP, *words[question:], SEP]
        input_ids[row, : len(ids)] = ids
        token_type_ids[row, question + 2 : len(ids)] = 1
        attention_mask[row, : len(ids)] = 1
    return {
        "input_ids": torch.from_numpy(input_ids),
        "token_type_ids": torch.from_numpy(token_type_ids),
        "attention_mask": torch.from_numpy(attention_mask),
        "start_positions": torch.tensor(START_POSITIONS),
        "end_positions": torch.tensor(END_POSITIONS),
    }


def gradients(module, prefix=""):
    # A softmax ignores a shift of all its inputs, so some biases (see README.md) have gradient zero: drop the rounding noise.
    return {
        prefix + name: torch.where(parameter.grad.abs() < 1e-14, 0.0, parameter.grad).float()
        for name, parameter in module.named_parameters()
    }


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    (CASE / "input").mkdir(exist_ok=True)
    (CASE / "expected").mkdir(exist_ok=True)

    model = BertForQuestionAnswering._from_config(CONFIG, attn_implementation="eager").eval()
    with_pooler = BertModel._from_config(CONFIG, attn_implementation="eager").eval()
    randomise(model, rng)
    randomise(with_pooler.pooler, rng)
    with_pooler.load_state_dict(model.bert.state_dict(), strict=False)
    batch = make_batch(rng)
    pooled_weights = torch.from_numpy(rng.standard_normal((len(SEGMENT_LENGTHS), CONFIG.hidden_size)).astype(np.float32))

    model.save_pretrained(CASE / "input")
    (CASE / "input/vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    save_file({f"bert.pooler.{k}": v for k, v in with_pooler.pooler.state_dict().items()}, CASE / "input/pooler.safetensors")
    save_file({**batch, "pooled_weights": pooled_weights}, CASE / "input/batch.safetensors")

    model.double()
    with_pooler.double()

    output = model(**batch, output_hidden_states=True)
    output.loss.backward()
    inputs = {name: batch[name] for name in ("input_ids", "token_type_ids", "attention_mask")}
    pooled_output = with_pooler(**inputs).pooler_output
    (pooled_output * pooled_weights).sum().backward()

    outputs = {f"hidden_states.{i}": hidden for i, hidden in enumerate(output.hidden_states)}
    outputs |= {
        "pooled_output": pooled_output,
        "start_logits": output.start_logits,
        "end_logits": output.end_logits,
        "loss": output.loss,
    }
    save_file({k: v.detach().float().contiguous() for k, v in outputs.items()}, CASE / "expected/outputs.safetensors")
    save_file(gradients(model), CASE / "expected/gradients.safetensors")
    save_file(gradients(with_pooler, prefix="bert."), CASE / "expected/pooler_gradients.safetensors")
    loss = json.dumps({"loss": output.loss.item()}, indent=2)
    (CASE / "expected/loss.json").write_text(loss + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
