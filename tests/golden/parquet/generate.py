"""Writes the parquet golden case: the same rows as JSON Lines and as Parquet files of several writers."""

import json
from pathlib import Path

import datasets
import polars
import pyarrow
import pyarrow.parquet

OUT = Path(__file__).parent / "expected"
OUT.mkdir(exist_ok=True)

TEXTS = [
    {"text": "Grüße, \"Kim\"\nand others", "label": 1, "weight": 0.5, "none": None},
    {"text": "a second text", "label": 0, "weight": -2.0, "none": None},
    {"text": "", "label": 1, "weight": 1e-3, "none": "x"},
]
QUESTIONS = [
    {
        "id": "q1",
        "title": "Rivers",
        "context": "The Une rises in Tal and ends at Mor.",
        "question": "Where does the Une rise?",
        "answers": {"text": ["Tal", "in Tal"], "answer_start": [17, 14]},
    },
    {
        "id": "q2",
        "title": "Rivers",
        "context": "The Une rises in Tal and ends at Mor.",
        "question": "Who named the Une?",
        "answers": {"text": [], "answer_start": []},
    },
]
CHOICES = [
    {"context": "It rained.", "endings": ["The street is wet.", "The street sings.", "No."], "label": 0},
    {"context": "He was late.", "endings": ["He flew.", "He ran.", "He is a tree."], "label": 1},
]


def lines(name, rows):
    (OUT / f"{name}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


for name, rows in (("texts", TEXTS), ("questions", QUESTIONS), ("choices", CHOICES)):
    lines(name, rows)
    table = pyarrow.Table.from_pylist(rows)
    for packing in ("none", "snappy", "gzip", "zstd", "lz4", "brotli") if name == "texts" else ("snappy",):
        pyarrow.parquet.write_table(table, OUT / f"{name}-{packing}.parquet", compression=packing)
    polars.DataFrame(rows).write_parquet(OUT / f"{name}-polars.parquet")
    datasets.Dataset.from_list(rows).to_parquet(OUT / f"{name}-datasets.parquet")
