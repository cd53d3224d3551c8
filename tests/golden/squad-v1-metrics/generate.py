"""Writes the squad-v1-metrics golden case: input/ scored with the semantics of SQuAD v1.1's official evaluation."""

import json
import re
import string
from collections import Counter
from pathlib import Path

CASE = Path(__file__).resolve().parent
ARTICLES = re.compile(r"\b(a|an|the)\b")
DROP_PUNCTUATION = str.maketrans("", "", string.punctuation)


def read_json(path):
    return json.loads((CASE / path).read_text(encoding="utf-8"))


def write_json(path, value):
    (CASE / path).parent.mkdir(exist_ok=True)
    (CASE / path).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def normalise(text):
    return " ".join(ARTICLES.sub(" ", text.lower().translate(DROP_PUNCTUATION)).split())


def exact_match(prediction, gold):
    return float(normalise(prediction) == normalise(gold))


def f1(prediction, gold):
    predicted, wanted = normalise(prediction).split(), normalise(gold).split()
    common = (Counter(predicted) & Counter(wanted)).total()
    if common == 0:  # two empty texts included, though they are an exact match
        return 0.0
    precision, recall = common / len(predicted), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def score_question(question, predictions):
    if question["id"] not in predictions:
        return {"exact_match": 0.0, "f1": 0.0}
    golds = [answer["text"] for answer in question["answers"]]
    prediction = predictions[question["id"]]
    return {
        "exact_match": max(exact_match(prediction, gold) for gold in golds),
        "f1": max(f1(prediction, gold) for gold in golds),
    }


def questions_of(data):
    for article in data["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                for answer in question["answers"]:
                    assert paragraph["context"].startswith(answer["text"], answer["answer_start"]), question["id"]
                yield question


def main():
    predictions = read_json("input/predictions.json")
    scores = {question["id"]: score_question(question, predictions) for question in questions_of(read_json("input/data.json"))}
    results = {key: 100.0 * sum(score[key] for score in scores.values()) / len(scores) for key in ("exact_match", "f1")}
    write_json("expected/per-question.json", scores)
    write_json("expected/results.json", results)


if __name__ == "__main__":
    main()
