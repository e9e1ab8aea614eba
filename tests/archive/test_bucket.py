"""The archive in a bucket: who refuses or is not there, and where the store is."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from paraphe.archive import Unavailable, open_archive

from .stores import CONTENT, DIGEST


class Refusing(BaseHTTPRequestHandler):
    """A store that refuses everything with one status, which its address names: /bucket-<status>/…"""

    def refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(int(self.path.split("/")[1].removeprefix("bucket-")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_POST = refuse  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "credentials"), (403, "credentials"), (404, "not exist"), (409, "not answer"), (503, "not answer")],
)
def test_a_bucket_that_refuses_is_unavailable(refusing, status, reason):
    archive = open_archive(f"s3://bucket-{status}?endpoint={refusing}&allow_http=true")

    for call in (archive.check, lambda: archive.keep(CONTENT), lambda: archive.keep(bytes(6_000_000))):
        with pytest.raises(Unavailable, match=reason):
            call()


@pytest.mark.parametrize("status", [403, 503])
def test_a_bucket_that_refuses_to_be_read_is_not_said_to_have_nothing(refusing, status):
    archive = open_archive(f"s3://bucket-{status}?endpoint={refusing}&allow_http=true")

    with pytest.raises(Unavailable):
        archive.chunks(DIGEST)


def test_a_store_that_nobody_serves_is_unavailable(unused_port):
    archive = open_archive(f"s3://bucket?endpoint=http://127.0.0.1:{unused_port}&allow_http=true")

    with pytest.raises(Unavailable, match=r"bucket bucket at http://127\.0\.0\.1"):
        archive.check()


@pytest.fixture
def unused_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        return server.server_port


@pytest.mark.parametrize("name", ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_the_environment_may_say_where_the_store_is(bucket, s3, monkeypatch, name):
    bucket.archive.keep(CONTENT)
    monkeypatch.setenv(name, s3 + "/")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")

    archive = open_archive(bucket.location.partition("?")[0])

    assert archive.read(DIGEST) == CONTENT


def test_the_url_wins_over_the_environment(bucket, unused_port, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{unused_port}")

    assert bucket.archive.keep(CONTENT) == DIGEST
