"""An archive in an S3 bucket."""

import hashlib
import os
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from ..spool import Content, Spooled, digest_of, gathered, nameless
from .kept import DIGEST, PROBE, Missing, Store, Unavailable, place_of

if TYPE_CHECKING:
    from obstore.store import S3Config


def bucket_of(location: str) -> "Bucket":
    """Return the archive at an s3:// URL, see `open_archive`; ValueError."""
    parts = urlsplit(location)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]+", parts.netloc) or parts.fragment:
        raise ValueError(
            "An S3 URL of the archive has the form s3://bucket/prefix?endpoint=…&region=…; "
            "its keys come from the environment."
        )
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := asked.keys() - {"endpoint", "region", "allow_http"}:
        raise ValueError(f"The S3 URL of the archive has parts that mean nothing here: {', '.join(sorted(unknown))}.")
    # Resolved here, as obstore 0.12 lets AWS_ENDPOINT_URL_S3 win over `endpoint`, forgets AWS_ALLOW_HTTP
    # beside other client options, and panics (no Exception) at the first call if the endpoint is no URL.
    environment = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    endpoint = asked.get("endpoint") or next((os.environ[name] for name in environment if os.environ.get(name)), None)
    allow_http = (asked.get("allow_http") or os.environ.get("AWS_ALLOW_HTTP") or "false").lower()
    _approve(endpoint, allow_http)
    return Bucket(
        parts.netloc, unquote(parts.path).strip("/"), endpoint, asked.get("region"), allow_http=allow_http == "true"
    )


def _approve(endpoint: str | None, allow_http: str) -> None:
    if allow_http not in ("true", "false"):
        raise ValueError("allow_http of the archive is true or false.")
    if endpoint and not _is_endpoint(endpoint):
        raise ValueError("The S3 endpoint of the archive has the form https://host or https://host:port.")
    if endpoint and endpoint.startswith("http:") and allow_http == "false":
        raise ValueError("The S3 endpoint of the archive is plain http: if that is meant, say allow_http=true.")


def _is_endpoint(text: str) -> bool:
    try:
        _ = urlsplit(text).port  # refuses ports and IPv6 addresses that cannot be
    except ValueError:
        return False
    form = r"https?://([\w.-]+|\[[\da-fA-F:]+])(:\d+)?(/[\w./-]*)?"
    return re.fullmatch(form, text, re.ASCII) is not None


class Bucket(Store):
    """An archive in an S3 bucket, which must exist; it is durable when the store has answered 200.

    Content is put without a condition, even if it is there already: its name is its digest, so whoever comes last
    writes the same bytes. "Create if absent" would be less safe: some stores ignore it, obstore 0.12 does not repeat
    it after a time-out and takes a 409 (a competing write, which may have failed) for "is there". A plain put also
    mends damage. Interrupted uploads of more than 5 MB leave invisible parts: let the bucket's life cycle remove them.
    """

    def __init__(self, name: str, prefix: str, endpoint: str | None, region: str | None, *, allow_http: bool) -> None:
        self._name = f"bucket {name} at {endpoint or 'Amazon'}"
        config: S3Config = {}
        if endpoint:
            config["aws_endpoint_url_s3"] = endpoint
        if region:
            config["region"] = region
        try:
            self._store = S3Store(
                name,
                prefix=prefix or None,
                config=config,
                # The whole of an answer may take long (its reader may be slow), a silent store may not.
                client_options={"allow_http": allow_http, "timeout": "1h", "read_timeout": "60s"},
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            )
        except (BaseError, ValueError) as error:
            raise ValueError(
                "The S3 archive cannot be opened: see its prefix, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            ) from error

    def place(self) -> Spooled:
        """See Archive. It is the folder for temporary files: the bucket is sent what is whole."""
        return nameless()

    def keep(self, content: bytes | Spooled) -> str:
        """See Archive."""
        digest = digest_of(content)
        sent = content if isinstance(content, bytes) else content.open()
        with self._explained():
            obstore.put(self._store, place_of(digest), sent, max_concurrency=4)
        return digest

    def content(self, digest: str) -> Content:
        """See Archive."""
        return gathered(self.chunks(digest))

    def check(self) -> None:
        """See Archive."""
        self.read(self.keep(PROBE))

    def digests(self) -> Iterator[str]:
        """See Archive. S3 lists names in order."""
        probe = hashlib.sha256(PROBE).hexdigest()
        with self._explained():
            for found in obstore.list(self._store):
                for one in found:
                    digest = one["path"].rpartition("/")[2]
                    if DIGEST.fullmatch(digest) and digest != probe and one["path"] == place_of(digest):
                        yield digest

    def _pieces(self, place: str, size: int) -> Generator[bytes, None, None]:
        with self._explained():
            try:
                found = obstore.get(self._store, place)
            except FileNotFoundError:
                raise Missing(f"Nothing is kept at {place}.") from None
            yield from found.stream(min_chunk_size=size)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise Unavailable(f"The {self._name} refuses these credentials, or this right.") from error
        except FileNotFoundError as error:
            raise Unavailable(f"The {self._name} does not exist.") from error
        except (BaseError, OSError) as error:
            raise Unavailable(
                f"The {self._name} does not answer as it should: see endpoint, region and credentials."
            ) from error
