"""A folder and an S3 bucket behind real HTTP (moto's server on loopback)."""

import os
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from .stores import Store


@pytest.fixture(scope="package")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def bucket(s3: str, environment: None) -> Store:
    name = f"bucket-{uuid.uuid4()}"
    urllib.request.urlopen(urllib.request.Request(f"{s3}/{name}", method="PUT"), timeout=30).close()
    behind = S3Store(name, prefix="some/prefix", endpoint=s3, client_options={"allow_http": True})
    return Store(
        f"s3://{name}/some/prefix?endpoint={s3}&region=eu-west-3&allow_http=true",
        lambda place, content: obstore.put(behind, place, content),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Store:
    def write(place: str, content: bytes) -> None:
        path = tmp_path / "store" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return Store(str(tmp_path / "store"), write)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> Store:
    chosen: Store = request.getfixturevalue(request.param)
    return chosen
