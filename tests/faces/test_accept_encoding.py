"""Who wants compressed answers, by the words of RFC 9110, section 12.5.3."""

import pytest

from paraphe.faces import http

NEVER = http.least_to_compress("")


@pytest.mark.parametrize(
    ("accept", "least"),
    [
        ("", NEVER),
        ("gzip", 1024),
        ("x-gzip", 1024),
        ("GZIP", 1024),
        ("gzip, deflate, br", 1024),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", 1024),
        ("gzip;q=0", NEVER),
        ("gzip;q=0.000", NEVER),
        ("gzip ; q = 0", NEVER),
        ("deflate, br, zstd", NEVER),
        ("identity", NEVER),
        ("identity;q=0.5, gzip;q=1.0", 1024),
        ("identity, gzip;q=0.5", NEVER),
        ("gzip;q=0.5, *;q=0.8", NEVER),
        ("*", 1024),
        ("*;q=0", NEVER),
        ("*, gzip;q=0", NEVER),
        ("gzip, identity;q=0", 0),
        ("gzip, *;q=0", 0),
        ("*;q=0.5, identity;q=0", 0),
        ("identity;q=0", NEVER),
        ("gzip;q=many", NEVER),
        ("gzip;level=9", 1024),
        (",, ;q=1, gzip", 1024),
        ("\xe9", NEVER),
    ],
)
def test_accept_encoding_says_who_wants_them(accept, least):
    assert http.least_to_compress(accept) == least
