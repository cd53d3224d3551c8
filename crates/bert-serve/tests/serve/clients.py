"""Clients that were written by others ask two servers, whose addresses are the arguments: one of questions with a model
named "first", and a model "classes" that classifies. It needs huggingface_hub and tritonclient[http]."""

import sys

import numpy
import tritonclient.http
from huggingface_hub import InferenceClient

address, key = sys.argv[1:]
url = f"http://{address}"


def hugging_face():
    client = InferenceClient(model=f"{url}/models/first", token=key)
    best = client.question_answering(question="two", context="é one two two")
    assert (best.answer, best.start, best.end, best.score) == ("two", 6, 9, 0.8), best
    several = client.question_answering(
        question="two",
        context="é one two two",
        top_k=3,
        doc_stride=8,
        max_answer_len=5,
        max_seq_len=64,
        max_question_len=16,
        handle_impossible_answer=True,
        align_to_words=False,
    )
    assert [it.answer for it in several] == ["two", "two", ""], several
    client = InferenceClient(model=f"{url}/models/classes", token=key)
    classes = client.text_classification("a text")
    assert [(it.label, it.score) for it in classes] == [("text", 0.75), ("pair", 0.25)], classes
    logits = client.text_classification("a text", function_to_apply="none", top_k=1)
    assert [(it.label, it.score) for it in logits] == [("text", 1.0)], logits
    try:
        InferenceClient(model=f"{url}/models/none", token=key).text_classification("a text")
    except Exception as error:
        assert "404" in str(error), error
    else:
        raise AssertionError("a model that is not there answered")


def column(name, texts):
    made = tritonclient.http.InferInput(name, [len(texts)], "BYTES")
    made.set_data_from_numpy(numpy.array(texts, dtype=numpy.object_), binary_data=False)
    return made


def triton():
    client = tritonclient.http.InferenceServerClient(address)
    headers = {"authorization": f"Bearer {key}"}
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("first", headers=headers)
    assert not client.is_model_ready("none", headers=headers)
    metadata = client.get_model_metadata("first", headers=headers)
    assert [it["name"] for it in metadata["inputs"]] == ["question", "context"], metadata
    inputs = [column("question", ["two", "two"]), column("context", ["é two", "one"])]
    result = client.infer("first", inputs, headers=headers, request_id="9")
    assert list(result.as_numpy("answer")) == ["two", ""], result.get_response()
    assert result.as_numpy("score").dtype == numpy.float64
    assert list(result.as_numpy("start")) == [2, 0]
    assert result.get_response()["id"] == "9"
    outputs = [tritonclient.http.InferRequestedOutput("label", binary_data=False)]
    result = client.infer("classes", [column("text", ["a", "b"])], outputs=outputs, headers=headers)
    assert result.as_numpy("label").tolist() == [["text", "pair"], ["text", "pair"]]
    binary = tritonclient.http.InferInput("text", [1], "BYTES")
    binary.set_data_from_numpy(numpy.array(["a"], dtype=numpy.object_))
    for inputs, part in [([binary], "binary_data=False"), ([column("word", ["a"])], '"text"')]:
        try:
            # The client adds to the headers that it is given.
            client.infer("classes", inputs, headers=dict(headers))
        except tritonclient.http.InferenceServerException as error:
            assert part in error.message(), error
        else:
            raise AssertionError("a bad tensor was taken")


hugging_face()
triton()
print("both clients were answered")
