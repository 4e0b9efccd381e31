"""A server in a process of its own, asked as clients do."""

import json

import numpy as np
import pytest
from asking import NEEDS_SERVE, png, stand_in

pytestmark = NEEDS_SERVE


@pytest.fixture(scope="module")
def server():
    with stand_in() as running:
        yield running
        assert running.ask("GET", "/v2/health/live")[0] == 200, "it did not live to the end"


FORM = "application/x-www-form-urlencoded"  # what curl --data-binary calls any file


@pytest.mark.parametrize("kind", ["image/png", "IMAGE/JPEG", "application/octet-stream", FORM])
def test_a_picture_is_answered(server, kind):
    status, answer = server.predict(png(), "?top=1", Content_Type=kind)
    assert status == 200
    assert answer["classes"] == ["bright"] and answer["probabilities"] == pytest.approx([1])
    assert (answer["model"], answer["engine"]) == ("stand_in", "numpy 2")


def test_several_models_are_told_apart(server):
    assert server.predict(png(), "?model=other")[1]["model"] == "other"
    for name in ("stand_in", "other"):
        assert json.loads(server.ask("GET", f"/v2/models/{name}")[2])["name"] == name
    status, answer = server.predict(png(), "?model=third")
    assert status == 404 and answer["error"] == "no such model; there are: stand_in, other"


def test_the_protocol_is_spoken(server):
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/stand_in/versions/1/ready"):
        assert server.ask("GET", path)[0] == 200
    assert json.loads(server.ask("GET", "/v2")[2])["extensions"] == ["binary_tensor_data"]
    assert json.loads(server.ask("GET", "/v2/models/stand_in")[2])["versions"] == ["1"]
    tensor = {"name": "pictures", "datatype": "UINT8", "shape": [1, 1, 2, 1], "data": [2, 4]}
    asked = json.dumps({"inputs": [tensor]})
    status, _, body = server.ask("POST", "/v2/models/stand_in/infer", asked)
    assert status == 200 and json.loads(body)["outputs"][0]["data"] == [3, 0]


def test_nvidias_client_is_answered(server):
    client = pytest.importorskip("tritonclient.http", reason="tritonclient is not installed")
    pictures = np.arange(36, dtype=np.uint8).reshape(3, 2, 2, 3)
    with client.InferenceServerClient(f"127.0.0.1:{server.port}", concurrency=4) as asking:
        assert asking.is_server_live() and asking.is_server_ready()
        assert asking.is_model_ready("stand_in") and asking.is_model_ready("stand_in", "1")
        assert not asking.is_model_ready("another")
        assert asking.get_model_metadata("stand_in")["outputs"][0]["name"] == "logits"
        assert asking.get_server_metadata()["name"] == "convatlas"
        for binary in (True, False):
            tensor = client.InferInput("pictures", [3, 2, 2, 3], "UINT8")
            tensor.set_data_from_numpy(pictures, binary_data=binary)
            wanted = [client.InferRequestedOutput("logits", binary_data=binary)]
            found = asking.infer("stand_in", [tensor], outputs=wanted, request_id="9")
            np.testing.assert_allclose(found.as_numpy("logits")[:, 0], pictures.mean((1, 2, 3)))
            assert found.get_response()["id"] == "9" and found.as_numpy("probabilities") is None
            every = asking.infer("stand_in", [tensor], model_version="1")
            assert every.as_numpy("probabilities").shape == (3, 2)
        asked = [asking.async_infer("other", [tensor]) for _ in range(8)]
        for one in asked:
            assert one.get_result().as_numpy("logits").shape == (3, 2)
        refused = {
            "no such model": lambda: asking.infer("another", [tensor]),
            "no such version": lambda: asking.infer("stand_in", [tensor], model_version="2"),
            "must be UINT8": lambda: asking.infer(
                "stand_in", [client.InferInput("pictures", [1, 1, 1, 1], "FP32")]
            ),
            "Content-Encoding": lambda: asking.infer(
                "stand_in", [tensor], request_compression_algorithm="gzip"
            ),
        }
        for sentence, ask in refused.items():
            with pytest.raises(client.InferenceServerException, match=sentence):
                ask()


@pytest.mark.parametrize(
    ("body", "query", "headers", "status", "sentence"),
    [
        (b"no picture", "", {}, 400, "is none of the formats"),
        (b"", "", {}, 400, "is empty"),
        (png()[:-45], "", {}, 400, "the picture in the body begins like PNG"),
        (png(side=1001), "", {}, 400, "more than the limit of 1 megapixels"),
        (png(), "?top=0", {}, 400, "top must be"),
        (png(), "?model=../stand_in", {}, 404, "no such model"),
        (png(), "", {"Content_Type": "multipart/form-data; boundary=x"}, 415, "--data-binary"),
        (png(), "", {"Content_Type": "multipart/form-data; boundary=" + "-" * 9000}, 415, "curl"),
        (png(), "", {"Content_Type": "application/json"}, 415, "a picture's bytes"),
        (png(), "", {"Content_Encoding": "gzip"}, 415, "Content-Encoding"),
        (bytes(300_001), "", {}, 413, "300000 bytes"),
    ],
)
def test_a_bad_request_is_refused(server, body, query, headers, status, sentence):
    found, answer = server.predict(body, query, **headers)
    assert found == status and sentence in answer["error"]
    assert "/" not in answer["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/v2/models/..%2f..%2fetc%2fpasswd",
        "/v2/models/../../etc/passwd",
        "/v2/models/%2e%2e/ready",
        "/v2/models/%252e%252e/ready",
        "/v2/models//etc/passwd/ready",
        "/v2/models/..%5c..%5cwindows/ready",
        "/v2/models/C:%5Cwindows",
        "/v2/models/stand_in%00",
        "/v2/models/stand_in:$DATA",
        "/v2/models/stand_in.onnx",
        "/v2/models/stand_in/versions/..%2f1",
        "/v2/models/stand_in/versions/01/ready",
        "//etc/passwd",
        "/../../../etc/passwd",
        "/static/../../etc/passwd",
        "/predict/",
        "/docs",
        "/",
    ],
)
def test_nothing_else_is_there(server, path):
    before = server.answered(404)
    status, _, body = server.ask("GET", path)
    assert status == 404 and json.loads(body)["error"]
    assert server.answered(404) == before + 1
    assert b"root:" not in body


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"Host": "evil.example"}, 403),
        ("POST", {"Host": "127.0.0.1.evil.example:80"}, 403),
        ("POST", {"Host": "localhost:80@evil.example"}, 403),
        ("POST", {"Origin": "http://evil.example"}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("POST", {"Origin": "null", "Content_Type": "text/plain"}, 403),  # needs no preflight
        ("POST", {"Sec_Fetch_Site": "cross-site"}, 403),
        (
            "OPTIONS",
            {"Origin": "http://evil.example", "Access_Control_Request_Method": "POST"},
            403,
        ),
        ("OPTIONS", {}, 405),
        ("GET", {}, 405),
    ],
)
def test_no_page_of_elsewhere_learns_anything(server, method, headers, status):
    for path in ("/predict", "/nowhere"):
        found, shown, _ = server.ask(method, path, png(), **headers)
        assert found == (status if path == "/predict" or status == 403 else 404)
        assert not [name for name in shown if name.lower().startswith("access-control")]


def test_a_page_of_the_server_itself_may_ask(server):
    origin = f"http://127.0.0.1:{server.port}"
    assert server.predict(png(), Origin=origin, Sec_Fetch_Site="same-origin")[0] == 200
