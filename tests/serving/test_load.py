"""A server that has more to do than it can, and one that is asked to leave."""

import json
import signal
import threading

import pytest
from asking import HEAD, NEEDS_SERVE, png, stand_in, together

pytestmark = NEEDS_SERVE


@pytest.fixture
def slow():
    """A second for each batch, and four places."""
    with stand_in(seconds=1, places=4, patience=3) as running:
        yield running


def test_who_finds_no_place_is_sent_away_and_nobody_inside_is_lost(slow):
    def ask():
        status, headers, _ = slow.ask("POST", "/predict", png())
        return status, headers["Retry-After"]

    found = together(24, ask)
    assert {*found} == {(200, None), (503, "1")}
    answered = sum(status == 200 for status, _ in found)
    assert answered >= 4 and slow.answered(200) == answered
    assert slow.answered(503) == 24 - answered
    assert slow.metric("requests_inside") == 0
    assert slow.metric("pictures_total") == answered
    assert slow.metric("batches_total") < answered  # those that waited were answered together


def test_health_does_not_wait_for_the_engine(slow):
    found = []
    asking = threading.Thread(target=lambda: found.append(slow.predict(png())))
    asking.start()
    slow.wait_until(lambda: slow.metric("requests_inside") == 1)
    assert slow.ask("GET", "/v2/health/live")[0] == 200
    assert json.loads(slow.ask("GET", "/v2/health/ready")[2]) == {"ready": True}
    assert slow.metric("pictures_total") == 0, "the engine was waited for"
    asking.join()
    assert found[0][0] == 200


def test_decoded_pictures_have_so_much_room():
    """Two megapixels, four of these; the engine would take eight of them together."""
    picture = png(side=707)
    with stand_in(seconds=1) as server:
        found = together(9, lambda: server.predict(picture)[0])
        assert found == [200] * 9
        assert server.metric("batches_total") >= 3


def test_a_client_that_leaves_frees_its_place(slow):
    body = png()
    whole = (HEAD + f"Content-Length: {len(body)}\r\n\r\n").encode() + body
    for _ in range(4):
        slow.send(whole).close()
    slow.wait_until(lambda: slow.answered(499) == 4)
    assert slow.metric("requests_inside") == 0
    assert slow.metric("pictures_total") <= 1  # the others left before the engine was free


def test_asked_to_leave_it_answers_those_inside(slow):
    found = []
    asking = [threading.Thread(target=lambda: found.append(slow.predict(png()))) for _ in range(3)]
    for thread in asking:
        thread.start()
    slow.wait_until(lambda: slow.metric("requests_inside") == 3)
    slow.send(HEAD + "Content-Length: 50\r\n\r\nstuck")
    slow.process.send_signal(signal.SIGTERM)
    for thread in asking:
        thread.join()
    assert [status for status, _ in found] == [200] * 3
    assert slow.process.wait(20) == 0


def test_an_engine_that_does_not_come_back_cannot_keep_it():
    with stand_in(seconds=600, drain=1) as server:
        body = png()
        raw = server.send((HEAD + f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
        server.wait_until(lambda: server.metric("requests_inside") == 1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        raw.close()
