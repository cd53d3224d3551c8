"""Writes the pair-features golden case: SWAG and GLUE examples as token ids, cut as the 2018 scripts cut them."""

import csv
import json
from pathlib import Path

from transformers import BertTokenizer

CASE = Path(__file__).resolve().parent
LENGTHS = [80, 32, 17]

SWAG = [
    ("The cook lifts the lid.", "She", ["tastes the soup.", "reads a map, twice.", "swims off.", "is a pan!"], 0),
    ("Rain.", "Everyone at the small market by the harbour", ["hurries in.", "sings", "was 12 years old.", "sleeps."], 1),
    ("A man in a red coat who has walked for hours sits down.", "He", ["rests.", "flies.", "x", "is what?"], 3),
    ("", "It", ["begins.", "ends.", "waits, and waits.", "is not it."], 2),
    ("Two words", "two words", ["tie.", "tie!", "tied", "ties."], 2),
]
PAIRS = [
    ("The ferry left at 9.", "At 9 the ferry left.", 1),
    ("Short.", "This one is a good deal longer than what it is held against.", 0),
    ("This one is a good deal longer than what it is held against.", "Short.", 0),
    ('He said " no " .', "no?", 1),
    ("abcdefghijklmnopqrst", "tsrqponmlkjihgfedcba", 0),
    ("abcdefghijklmnopqrs", "tsrqponmlkjihgfedcba", 1),
    ("Unknown: \u4e2d, é and Ünder", "", 1),
]
SINGLES = [
    ("They was here.", 0),
    ("Who is it that was in the long room with the tall windows and the clock?", 1),
    ("", 1),
]


def cut(a, b, room):
    a, b = list(a), list(b)
    while len(a) + len(b) > room:
        longer = a if len(a) > len(b) else b
        longer.pop()
    return a, b


def main():
    tokenizer = BertTokenizer(str(CASE / "input/vocab.txt"), do_lower_case=True)

    def ids(text):
        return tokenizer.encode(text, add_special_tokens=False)

    def row(a, b, length):
        cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
        if b is None:
            input_ids = [cls, *a[: length - 2], sep]
            return {"input_ids": input_ids, "token_type_ids": [0] * len(input_ids)}
        a, b = cut(a, b, length - 3)
        return {
            "input_ids": [cls, *a, sep, *b, sep],
            "token_type_ids": [0] * (len(a) + 2) + [1] * (len(b) + 1),
        }

    (CASE / "expected").mkdir(exist_ok=True)
    with open(CASE / "input/swag.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label".split(","))
        for n, (sent1, sent2, endings, label) in enumerate(SWAG):
            out.writerow([n, f"v{n}", 100 + n, f"{sent1} {sent2}", sent1, sent2, "gold", *endings, label])
    pairs = ["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"] + [f"{y}\t1\t2\t{a}\t{b}" for a, b, y in PAIRS]
    (CASE / "input/mrpc.tsv").write_text("\ufeff" + "\n".join(pairs) + "\n", encoding="utf-8")
    singles = ["sentence\tlabel"] + [f"{a}\t{y}" for a, y in SINGLES]
    (CASE / "input/sst-2.tsv").write_text("\n".join(singles) + "\n", encoding="utf-8")

    for length in LENGTHS:
        records = {"swag": [], "mrpc": [], "sst-2": []}
        for n, (sent1, sent2, endings, label) in enumerate(SWAG):
            choices = [row(ids(sent1), ids(sent2) + ids(ending), length) for ending in endings]
            records["swag"].append({"example_id": str(100 + n), "label": label, "choices": choices})
        for n, (a, b, label) in enumerate(PAIRS):
            records["mrpc"].append({"example_id": f"mrpc-{n}", "label": label, **row(ids(a), ids(b), length)})
        for n, (a, label) in enumerate(SINGLES):
            records["sst-2"].append({"example_id": f"sst-2-{n}", "label": label, **row(ids(a), None, length)})
        for name, lines in records.items():
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (CASE / f"expected/{name}-{length}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
