"""Requests of the Open Inference Protocol: read, or refused by a sentence that names the field."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_in import model

from convatlas.serving.models import likeliest
from convatlas.serving.protocol import HEADER, answer, metadata, question
from convatlas.serving.refusal import Refusal

PICTURES = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
TENSOR = {"name": "pictures", "datatype": "UINT8", "shape": [2, 2, 2, 3]}
DATA = TENSOR | {"data": PICTURES.tolist()}


def asked(inputs, behind: bytes | None = None, **rest):
    start = json.dumps({"inputs": inputs, **rest}).encode()
    if behind is None:
        return question(start, None, 1)
    return question(start + behind, str(len(start)), 1)


@pytest.mark.parametrize("data", [PICTURES.tolist(), PICTURES.ravel().tolist()])
def test_pictures_come_as_numbers(data):
    np.testing.assert_array_equal(asked([TENSOR | {"data": data}]).pictures, PICTURES)


def test_pictures_come_as_bytes():
    tensor = TENSOR | {"parameters": {"binary_data_size": 24}}
    found = asked([tensor], PICTURES.tobytes(), id="7", parameters={"binary_data_output": True})
    np.testing.assert_array_equal(found.pictures, PICTURES)
    assert found.binary == {"logits": True, "probabilities": True} and found.id == "7"


def test_an_answer_in_both_forms():
    one = model()
    logits, shares = one.opened(PICTURES)
    tensors = {"logits": logits, "probabilities": shares}
    outputs = [{"name": "logits", "parameters": {"binary_data": True}}, {"name": "probabilities"}]
    body, length = answer(one, asked([DATA], outputs=outputs, id="x"), tensors)
    about = json.loads(body[:length])
    assert (about["model_name"], about["model_version"], about["id"]) == ("stand_in", "1", "x")
    first, second = about["outputs"]
    assert first == {
        **{"name": "logits", "datatype": "FP32", "shape": [2, 2]},
        "parameters": {"binary_data_size": 16},
    }
    np.testing.assert_array_equal(np.frombuffer(body[length:], "<f4").reshape(2, 2), logits)
    np.testing.assert_allclose(np.reshape(second["data"], (2, 2)), shares)


def test_metadata_names_the_tensors():
    about = metadata(model())
    assert about["inputs"] == [{"name": "pictures", "datatype": "UINT8", "shape": [-1, -1, -1, -1]}]
    assert [output["shape"] for output in about["outputs"]] == [[-1, 2], [-1, 2]]


def test_the_likeliest_classes_come_first():
    classes, shares = likeliest(model(), np.array([-1.0, 2.0], np.float32), 5)
    assert classes == ["dark", "bright"]
    assert shares == pytest.approx([1 / (1 + np.exp(-3)), 1 / (1 + np.exp(3))], rel=1e-12)


REFUSED = {
    "not JSON": (b"{", "not JSON"),
    "a name twice": (b'{"id": "a", "id": "b"}', "given twice"),
    "deep": (b"[" * 100_000, "not JSON"),
    "a list": (b"[]", "JSON object"),
    "an id": ({"id": 7, "inputs": [DATA]}, "id must be"),
    "no inputs": ({}, "inputs must be"),
    "two inputs": ({"inputs": [DATA, DATA]}, "inputs must be"),
    "another name": ({"inputs": [DATA | {"name": "images"}]}, "name of the input"),
    "floats": ({"inputs": [DATA | {"datatype": "FP32"}]}, "must be UINT8"),
    "three axes": ({"inputs": [DATA | {"shape": [2, 2, 6]}]}, "shape of pictures"),
    "a side of 0": ({"inputs": [DATA | {"shape": [2, 0, 2, 3]}]}, "shape of pictures"),
    "true": ({"inputs": [DATA | {"shape": [True, 2, 2, 3]}]}, "shape of pictures"),
    "many": ({"inputs": [DATA | {"shape": [65, 2, 2, 3]}]}, "may hold 64 pictures"),
    "large": ({"inputs": [DATA | {"shape": [1, 2**30, 2**30, 3]}]}, "may hold 1 megapixels"),
    "another count": ({"inputs": [DATA | {"shape": [2, 2, 2, 1]}]}, "must be 8 whole numbers"),
    "a fraction": ({"inputs": [TENSOR | {"data": [0.5] * 24}]}, "whole numbers"),
    "words": ({"inputs": [TENSOR | {"data": ["a"] * 24}]}, "whole numbers"),
    "ragged": ({"inputs": [TENSOR | {"data": [[1], [1, 2]]}]}, "whole numbers"),
    "256": ({"inputs": [TENSOR | {"data": [256] * 24}]}, "within 0..255"),
    "huge": ({"inputs": [TENSOR | {"data": [10**40] * 24}]}, "whole numbers"),
    "no data": ({"inputs": [TENSOR]}, "must be a list"),
    "bytes that are not there": (
        {"inputs": [TENSOR | {"parameters": {"binary_data_size": 24}}]},
        "must be 24",
    ),
    "another output": ({"inputs": [DATA], "outputs": [{"name": "x"}]}, "outputs must name"),
    "an unhashable output": ({"inputs": [DATA], "outputs": [{"name": []}]}, "outputs must name"),
    "no flag": ({"inputs": [DATA], "parameters": {"binary_data_output": 1}}, "true or false"),
    "classification": (
        {"inputs": [DATA], "outputs": [{"name": "logits", "parameters": {"classification": 2}}]},
        "classification is not offered",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_request_is_refused(kind):
    content, sentence = REFUSED[kind]
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(Refusal, match=sentence) as caught:
        question(body, None, 1)
    assert caught.value.status in (400, 413)


@pytest.mark.parametrize("length", ["-1", "x", "99999", "9" * 5000, "\u0661", ""])
def test_a_length_that_is_none(length):
    with pytest.raises(Refusal, match=HEADER):
        question(b"{}", length, 1)


def test_much_json_is_refused_before_it_is_read():
    with pytest.raises(Refusal, match="binary data") as caught:
        question(b"[" * 2_000_001, None, 1)
    assert caught.value.status == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["name", "datatype", "shape", "data", "parameters"]), JSON)
def test_whatever_stands_in_a_field_is_answered_or_refused(field, value):
    try:
        found = asked([DATA | {field: value}])
    except Refusal:
        return
    assert found.pictures.shape == (2, 2, 2, 3)
