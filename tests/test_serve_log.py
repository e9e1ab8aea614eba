"""serve/log.py: one JSON object a line, and nothing of what a person has written."""

import json
import logging
from io import StringIO

import pytest

from paraphe import serve
from paraphe.serve import JsonLines


@pytest.fixture
def log():
    """Give `log(debug=…)`: a logger, and what it has written as a list of objects."""

    def make(*, name="paraphe.test", debug=False):
        stream = StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(JsonLines(debug=debug))
        logger = logging.Logger(name)
        logger.addHandler(handler)
        return logger, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]

    return make


def fail():
    raise ValueError("Anne Le Goff, 12/03/2004")


def test_a_log_line_is_one_json_object_with_the_request(log):
    logger, written = log()
    logger.info("two\nlines: %s", "é", extra={"request_id": "R-1"})

    (line,) = written()
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "INFO", "logger": "paraphe.test", "message": "two\nlines: é", "request_id": "R-1"}


@pytest.mark.parametrize("debug", [False, True])
def test_the_text_of_a_failure_may_quote_data_and_stays_out_unless_debugging(log, debug):
    logger, written = log(debug=debug)
    try:
        fail()
    except ValueError:
        logger.exception("It failed.")

    (failure,) = written()[0]["failure"]
    assert failure["type"] == "builtins.ValueError"
    assert failure["at"][-1].endswith(" fail")
    assert ("Le Goff" in json.dumps(failure)) is debug


def test_the_text_of_a_failure_of_the_machine_is_told(log):
    logger, written = log()
    try:
        try:
            raise OSError(28, "No space left on device", "/secret/place")
        except OSError as error:
            raise ValueError("x") from error
    except ValueError:
        logger.exception("It failed.")

    assert [failure.get("text") for failure in written()[0]["failure"]] == [None, "No space left on device"]


def test_that_requests_wait_is_told_once_and_not_for_a_few(log):
    logger, written = log(name="waitress.queue")
    logger.addFilter(serve.log._Overload())
    for depth in (1, 3, 4, 20):
        logger.warning("Task queue depth is %d", depth)

    assert [line["message"] for line in written()] == ["Task queue depth is 4"]


def test_the_address_of_a_document_is_not_logged(log):
    logger, written = log(name="waitress")
    logger.info("Client disconnected while serving /records/%s.zip", "A" * 48)

    assert written()[0]["message"] == "Client disconnected while serving /records/….zip"
