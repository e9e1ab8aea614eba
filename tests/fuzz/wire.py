"""Requests as bytes on a real connection, and what holds for whatever comes back."""

import socket
from contextlib import closing
from random import Random
from time import monotonic

from .damage import TOKENS, damaged
from .promises import hold
from .target import PATIENCE, Request, held

_WAIT = 10.0
"""Seconds after which a connection counts as hanging, far beyond what is allowed."""


def request(chance: Random, made: Request) -> tuple[bytes, bytes]:
    """Write a request as head and body; the way the body is announced is often wrong."""
    target = made.path + (f"?{made.query}" if made.query else "")
    lines = [f"{made.method} {target or '/'} HTTP/1.{chance.choice('1110')}", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in made.headers.items() if name != "Content-Length"]
    body = made.body
    match chance.randrange(10):
        case 0:
            lines.append(f"Content-Length: {made.headers.get('Content-Length', '5')}")
        case 1:
            lines.append("Transfer-Encoding: chunked")
            body = chunked(chance, body)
        case 2:
            lines.append(
                "Transfer-Encoding: " + chance.choice(("chunked", "gzip, chunked", "identity", "x", "chunked, chunked"))
            )
        case 3:
            lines += [
                f"Content-Length: {len(body)}",
                chance.choice(("Transfer-Encoding: chunked", "Content-Length: 3")),
            ]
        case 4:
            lines.append(f"Content-Length: {len(body) + chance.choice((-1, 1, 1000))}")
        case _:
            lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    if chance.random() < 0.2:
        head = damaged(chance, head)
    if chance.random() < 0.05:
        head = head.replace(b"\r\n", chance.choice((b"\n", b"\r", b"\r\n ", chance.choice(TOKENS))), 2)
    return head, body


def chunked(chance: Random, body: bytes) -> bytes:
    """Write a body in chunks; sometimes wrong."""
    pieces, place = [], 0
    while place < len(body):
        size = chance.randint(1, 2000)
        piece = body[place : place + size]
        extension = chance.choice((b"", b"", b";x=y", b" "))
        pieces.append(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece))
        place += size
    pieces.append(b"0\r\n\r\n")
    whole = b"".join(pieces)
    return damaged(chance, whole) if chance.random() < 0.4 else whole


def exchange(port: int, head: bytes, body: bytes) -> str:
    """Send bytes and hold what comes back until the connection is closed; return its status, or "closed"."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=_WAIT)) as client:
        try:
            client.sendall(head + body)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server has heard enough
        began, received = monotonic(), b""
        try:
            while piece := client.recv(1 << 16):
                received += piece
        except ConnectionError:
            return "reset"
        hold(monotonic() - began < PATIENCE, f"no connection hangs for {PATIENCE} s", monotonic() - began)
    while received.startswith(b"HTTP/1.1 100 "):
        received = received.partition(b"\r\n\r\n")[2]
    return _hold(head, received) if received else "closed"


def _hold(head: bytes, received: bytes) -> str:
    top, _, body = received.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    hold(first[:7] == "HTTP/1." and first[9:12].isdigit(), "an answer is HTTP", received[:300])
    status = int(first[9:12])
    headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
    if "x-request-id" not in headers:  # the HTTP server itself has refused it
        hold(400 <= status < 500, "what is not HTTP is the sender's mistake", received[:300], head)
        return str(status)
    # Behind a broken head there may be a second request on the same connection, and a second answer.
    length = int(headers.get("content-length", "0"))
    method = head.split(b" ", 1)[0].decode("latin-1").strip().upper()
    if method != "HEAD" or len(body) >= length:
        held(Request("", method="POST" if body else "HEAD"), status, headers, body[:length], 0.0)
    return str(status)
