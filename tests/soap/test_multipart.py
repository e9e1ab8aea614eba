"""The reader of multipart bodies: every byte of a part, whatever it looks like, and nothing of what is around it."""

import base64
import binascii
import email
import email.policy
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraphe import spool
from paraphe.errors import Code, Refused
from paraphe.faces.soap.multipart import MAXIMUM_PARTS, split

from .packages import package


def bodies(message, boundary="b"):
    return [bytes(part.body) for part in split(message, boundary)]


def refused(message, boundary="b"):
    with pytest.raises(Refused) as refusal:
        split(message, boundary)
    (error,) = refusal.value.errors
    assert error.code == Code.INVALID_ATTACHMENT
    return error.message


@given(st.lists(st.binary(), max_size=5), st.sampled_from([b"\r\n", b"\n"]), st.binary(), st.binary())
def test_what_was_packed_comes_out(contents, newline, before, behind):
    boundary = "a boundary that nobody guesses"
    whole = package(boundary, [("A: b", content) for content in contents], newline)

    assert bodies(before + newline + whole + behind.join([newline, b""]), boundary) == contents


@given(st.lists(st.sampled_from([b"--b", b"--", b"b", b"\r\n", b"\n", b"\r", b" ", b"x:", b"--b--"]), max_size=40))
def test_no_body_does_harm(pieces):
    message = b"".join(pieces)
    try:
        found = bodies(message)
    except Refused:
        found = []

    assert all(body in message for body in found)


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\n", b"\r", b"x--b", b"\r\n--bx", b"\r\n--b--x", b"\r\n-b"])
def test_a_content_that_resembles_a_boundary_is_content(content):
    assert bodies(package("b", [("A: b", content), ("", b"second")])) == [content, b"second"]


def test_white_space_behind_a_boundary_is_no_content():
    assert bodies(b"--b \t\r\n\r\none\r\n--b--  \t") == [b"one"]


def test_a_part_may_have_no_headers_or_nothing_else():
    assert bodies(b"--b\r\n\r\none\r\n--b\r\n\r\n--b\r\nA: b\r\n\r\n--b--") == [b"one", b"", b""]


def test_line_ends_of_two_kinds_are_told_apart_by_the_boundary_behind_the_part():
    assert bodies(b"--b\n\none\r\n--b\r\n\r\ntwo\r\n--b\n\nthree\r\n--b--\n") == [b"one", b"two\r", b"three\r"]


def test_the_headers_are_read_as_mime_has_it():
    (part,) = split(
        b'--b\r\nCONTENT-type: Application/XOP+xml;\r\n\tCharset=utf-8; type="text/xml"\r\n'
        b"Content-ID:   <a@b> \r\nContent-id: <second>\r\nno header\r\n"
        b"Content-Transfer-Encoding: BASE64\r\n\r\n\r\n--b--",
        "b",
    )

    assert (part.kind, part.parameters) == ("application/xop+xml", {"charset": "utf-8", "type": "text/xml"})
    assert (part.content_id, part.encoding) == ("a@b", "base64")


def test_parts_are_not_copied():
    message = package("b", [("", b"x" * 1000)])
    (part,) = split(message, "b")

    assert isinstance(part.body, memoryview)
    assert part.body.obj is message


def test_as_many_parts_are_taken_as_is_said():
    assert len(bodies(package("b", [("", b"")] * MAXIMUM_PARTS))) == MAXIMUM_PARTS
    assert str(MAXIMUM_PARTS) in refused(package("b", [("", b"")] * (MAXIMUM_PARTS + 1)))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"", "No line of the message is the boundary"),
        (b"--c\r\n\r\n--c--", "No line of the message is the boundary"),
        (b"x--b\r\n\r\n--b--x", "No line of the message is the boundary"),
        (b"--b\r\n\r\none", "ends without a closing boundary; 0 parts are whole"),
        (b"--b\r\n\r\none\r\n--b\r\n\r\ntwo", "ends without a closing boundary; 1 parts are whole"),
        (b"--b\r\n\r\none\r\n--b", "ends without a closing boundary; 1 parts are whole"),
        (b"--b\r\nA: b\r\n--b--", "no blank line"),
        (b"--b\r\nA: b", "without a closing boundary"),
        (b"--b\r\none\r\n--b--", "no blank line"),
    ],
)
def test_a_broken_message_is_refused_with_the_reason(message, said):
    assert said in refused(message)


@given(st.lists(st.binary(max_size=200).filter(lambda content: b"\n" not in content), min_size=1, max_size=4))
def test_pythons_own_reader_agrees(contents):
    message = package("another boundary", [("A: b\r\nContent-Transfer-Encoding: binary", one) for one in contents])
    head = b'Content-Type: multipart/related; boundary="another boundary"\r\n\r\n'

    theirs = email.message_from_bytes(head + message, policy=email.policy.HTTP).iter_parts()

    assert bodies(message, "another boundary") == [part.get_payload(decode=True) for part in theirs]


def outcome(message):
    try:
        return [(part.kind, part.content_id, part.encoding, bytes(part.body)) for part in split(message, "b")]
    except Refused as refusal:
        return refusal.errors


SIGNS = [b"--b", b"--", b"b", b"\r\n", b"\n", b"\r", b" ", b"x:", b"--b--", b"A: b\r\n\r\n", b"\r\n--b\r\n", b"\n--b--"]


@given(st.lists(st.sampled_from(SIGNS), max_size=40))
def test_a_large_body_is_taken_apart_like_a_small_one(pieces):
    message = b"".join(pieces)

    assert outcome(spool.spooled([message], spool.nameless())) == outcome(message)


@pytest.mark.parametrize("encoding", ["binary", "base64", "quoted-printable"])
@pytest.mark.parametrize(
    "content", [b"x" * spool.LARGE, bytes(range(256)) * (spool.LARGE // 200)], ids=["text", "bytes"]
)
def test_a_large_part_is_decoded_into_a_file_like_a_small_one(content, encoding):
    coding: dict[str, Callable[[bytes], bytes]]
    coding = {"binary": bytes, "base64": base64.encodebytes, "quoted-printable": binascii.b2a_qp}
    coded = coding[encoding](content)
    if encoding == "quoted-printable":
        content = binascii.a2b_qp(coded)
    message = package("b", [(f"Content-Transfer-Encoding: {encoding}", coded)])

    (part,) = split(spool.spooled([message], spool.nameless()), "b")

    assert bytes(part.content(spool.nameless)) == content


def test_a_large_part_that_is_no_base64_is_refused():
    message = package("b", [("Content-Transfer-Encoding: base64", b"QUJD" * (spool.LARGE // 3) + b"Q")])
    (part,) = split(spool.spooled([message], spool.nameless()), "b")

    with pytest.raises(Refused, match="is not base64"):
        part.content(spool.nameless)
