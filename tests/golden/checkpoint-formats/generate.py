"""Writes the checkpoint-formats golden case: tiny-bert's weights in the other formats a reader must accept.

Run ../tiny-bert/generate.py first. Nothing here unpickles anything, the hostile file least of all.
"""

import io
import json
import pickle
import shutil
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForQuestionAnswering

CASE = Path(__file__).resolve().parent
TINY_BERT = CASE.parent / "tiny-bert/input"
SEED = 20181106
HOSTILE_COMMAND = "touch /tmp/bert-pickle-was-executed"
# The keys of Google's bert_config.json, which has no layer_norm_eps and no architectures.
CONFIG_KEYS_OF_2018 = [
    "attention_probs_dropout_prob", "hidden_act", "hidden_dropout_prob", "hidden_size", "initializer_range",
    "intermediate_size", "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "type_vocab_size", "vocab_size",
]


def new_folder(name):
    folder = CASE / "input" / name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(TINY_BERT / "vocab.txt", folder / "vocab.txt")
    return folder


def write_config_of_2018(folder):
    config = json.loads((TINY_BERT / "config.json").read_text(encoding="utf-8"))
    kept = {key: config[key] for key in CONFIG_KEYS_OF_2018}
    (folder / "config.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def old_names(tensors):
    """Renames LayerNorm's parameters as in 2018, and stores matrices as views of their transposes.

    Checkpoints converted from TensorFlow hold such views: shape [out, in], strides [1, out].
    """
    renamed = OrderedDict()
    for name, tensor in tensors.items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        is_kernel = tensor.dim() == 2 and "embeddings" not in name
        renamed[name] = tensor.t().contiguous().t() if is_kernel else tensor
    # module.state_dict() carries this attribute, and torch.save pickles it.
    renamed._metadata = OrderedDict([("", {"version": 1})])
    return renamed


def pretraining_checkpoint(encoder, pooler, position_ids, rng):
    """The encoder and pooler, with what only pre-training needs; no question-answering head."""

    def random(*shape):
        return torch.from_numpy(rng.standard_normal(shape).astype(np.float32))

    word_embeddings = encoder["bert.embeddings.word_embeddings.weight"]
    vocab_size, hidden_size = word_embeddings.shape
    tensors = {"bert.embeddings.position_ids": position_ids, **encoder, **pooler}
    tensors |= {
        "cls.predictions.bias": random(vocab_size),
        "cls.predictions.transform.dense.weight": random(hidden_size, hidden_size),
        "cls.predictions.transform.dense.bias": random(hidden_size),
        "cls.predictions.transform.LayerNorm.weight": random(hidden_size),
        "cls.predictions.transform.LayerNorm.bias": random(hidden_size),
        "cls.seq_relationship.weight": random(2, hidden_size),
        "cls.seq_relationship.bias": random(2),
    }
    state_dict = old_names(tensors)
    state_dict["cls.predictions.decoder.weight"] = word_embeddings  # tied: the same storage twice
    return state_dict


def save_legacy(state_dict, path):
    """torch.save's format before PyTorch 1.6. It names storages by their address: give them stable ones."""
    base = torch._C.StorageBase
    addresses = {}
    stable = property(lambda storage: addresses.setdefault(base._cdata.__get__(storage), 94000000000000 + 64 * len(addresses)))
    torch.UntypedStorage._cdata = stable
    try:
        torch.save(state_dict, path, _use_new_zipfile_serialization=False)
    finally:
        del torch.UntypedStorage._cdata


def hostile_pickle():
    """A dict whose only value is the result of calling os.system(HOSTILE_COMMAND), assembled by opcode."""
    command = HOSTILE_COMMAND.encode()
    call = b"cos\nsystem\n" + b"X" + len(command).to_bytes(4, "little") + command + b"\x85R"  # GLOBAL, string, TUPLE1, REDUCE
    key = b"bert.pooler.dense.bias"
    return b"\x80\x02}" + b"X" + len(key).to_bytes(4, "little") + key + call + b"s."  # PROTO 2, {}, key, value, SETITEM, STOP


def write_hostile_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in [("data.pkl", hostile_pickle()), ("byteorder", b"little"), ("version", b"3\n")]:
            archive.writestr(zipfile.ZipInfo(f"pytorch_model/{name}"), data)


def write_hostile_legacy(path):
    stream = io.BytesIO()
    for header in (torch.serialization.MAGIC_NUMBER, torch.serialization.PROTOCOL_VERSION):
        pickle.dump(header, stream, protocol=2)
    pickle.dump({"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}, stream, protocol=2)
    stream.write(hostile_pickle())
    pickle.dump([], stream, protocol=2)  # no storages follow
    path.write_bytes(stream.getvalue())


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    model = load_file(TINY_BERT / "model.safetensors")
    encoder = {name: tensor for name, tensor in model.items() if name.startswith("bert.")}
    head = {name: tensor for name, tensor in model.items() if name not in encoder}
    pooler = load_file(TINY_BERT / "pooler.safetensors")
    config = BertConfig.from_pretrained(TINY_BERT)
    position_ids = torch.arange(config.max_position_embeddings).unsqueeze(0)

    folder = new_folder("zip")
    write_config_of_2018(folder)
    torch.save(pretraining_checkpoint(encoder, pooler, position_ids, rng), folder / "pytorch_model.bin")

    folder = new_folder("legacy")
    write_config_of_2018(folder)
    save_legacy(old_names({**encoder, **pooler, **head}), folder / "pytorch_model.bin")

    folder = new_folder("no-prefix")
    config.architectures = ["BertModel"]
    config.save_pretrained(folder)
    unprefixed = {name.removeprefix("bert."): tensor for name, tensor in {**encoder, **pooler}.items()}
    unprefixed["embeddings.position_ids"] = position_ids
    save_file(unprefixed, folder / "model.safetensors", metadata={"format": "pt"})

    folder = new_folder("fp16")
    BertForQuestionAnswering.from_pretrained(TINY_BERT).half().save_pretrained(folder)

    for name, write in [("hostile", write_hostile_zip), ("hostile-legacy", write_hostile_legacy)]:
        folder = new_folder(name)
        write_config_of_2018(folder)
        write(folder / "pytorch_model.bin")


if __name__ == "__main__":
    main()
