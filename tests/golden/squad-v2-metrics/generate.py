"""Writes the squad-v2-metrics golden case: input/ scored with the semantics of SQuAD v2.0's official evaluation."""

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


def exact(prediction, gold):
    return float(normalise(prediction) == normalise(gold))


def f1(prediction, gold):
    predicted, wanted = normalise(prediction).split(), normalise(gold).split()
    if not predicted or not wanted:
        return float(predicted == wanted)
    common = (Counter(predicted) & Counter(wanted)).total()
    if common == 0:
        return 0.0
    precision, recall = common / len(predicted), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def score_question(question, predictions):
    if question["id"] not in predictions:
        return {"exact": 0.0, "f1": 0.0}
    # Gold answers that normalise to nothing are dropped; a question left with none wants the empty answer.
    golds = [answer["text"] for answer in question["answers"] if normalise(answer["text"])] or [""]
    prediction = predictions[question["id"]]
    return {
        "exact": max(exact(prediction, gold) for gold in golds),
        "f1": max(f1(prediction, gold) for gold in golds),
    }


def summarise(scores, prefix=""):
    total = len(scores)
    means = {prefix + key: 100.0 * sum(score[key] for score in scores) / total for key in ("exact", "f1")}
    return {**means, prefix + "total": total}


def best_threshold(scores, predictions, odds, answerable):
    """`find_best_thresh` of the official script; a question without a prediction scores 0, as everywhere here."""
    current = best = sum(1 for id in answerable if not answerable[id])
    threshold = 0.0
    for id in sorted(odds, key=lambda id: odds[id]):
        if id not in scores:
            continue
        current += scores[id] if answerable[id] else (-1 if predictions.get(id) else 0)
        if current > best:
            best, threshold = current, odds[id]
    return 100.0 * best / len(scores), threshold


def with_odds(questions, scores, predictions, odds, threshold):
    """What the official script prints with `--na-prob-file` and `--na-prob-thresh`."""
    answerable = {question["id"]: bool(question["answers"]) for question in questions}
    applied = {
        id: {key: float(not answerable[id]) for key in score} if odds.get(id, 0.0) > threshold and id in predictions else score
        for id, score in scores.items()
    }
    printed = {
        **summarise(list(applied.values())),
        **summarise([applied[id] for id in applied if answerable[id]], "HasAns_"),
        **summarise([applied[id] for id in applied if not answerable[id]], "NoAns_"),
    }
    for key in ("exact", "f1"):
        of_key = {id: score[key] for id, score in scores.items()}
        printed["best_" + key], printed[f"best_{key}_thresh"] = best_threshold(of_key, predictions, odds, answerable)
    return printed


def questions_of(data):
    for article in data["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                for answer in question["answers"]:
                    assert paragraph["context"].startswith(answer["text"], answer["answer_start"]), question["id"]
                yield question


def main():
    predictions = read_json("input/predictions.json")
    questions = list(questions_of(read_json("input/data.json")))
    scores = {question["id"]: score_question(question, predictions) for question in questions}
    with_answer = [scores[question["id"]] for question in questions if question["answers"]]
    without_answer = [scores[question["id"]] for question in questions if not question["answers"]]
    write_json("expected/per-question.json", scores)
    # Odds with ties, some of which speak for the right answer; the last is of no question.
    odds = {id: round(-2.0 * score["f1"] + ((n * 7) % 11) / 4.0 - 1.0, 2) for n, (id, score) in enumerate(scores.items())}
    odds["no-such-question"] = -9.0
    write_json("input/null_odds.json", {"odds": [{"id": id, "odds": value} for id, value in odds.items()]})
    write_json(
        "expected/thresholds.json",
        {f"at_{at}": with_odds(questions, scores, predictions, odds, float(at)) for at in ("1", "-0.5")},
    )
    write_json(
        "expected/results.json",
        {
            **summarise(list(scores.values())),
            **summarise(with_answer, "HasAns_"),
            **summarise(without_answer, "NoAns_"),
        },
    )


if __name__ == "__main__":
    main()
