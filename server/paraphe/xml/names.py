"""Names that a thread keeps: of elements, attributes, prefixes and namespaces.

libxml2 writes each name that it meets for the first time into a table. lxml has one such table for each thread, which
lasts as long as the thread. The names of the contract are few, those that somebody invents are without end: so each
thread reckons how many bytes of messages with foreign names it has read, and ends when they are too many (see
`serve.threads`).
"""

import threading
from itertools import islice

from lxml import etree

from ..spool import LARGE, Content

MOST = 4 << 20
"""Bytes of foreign messages that one thread reads. Its table takes up to ten times as much."""

# Declarations and elements of the header that a message of the contract may have: each may bring names of its own.
_DECLARATIONS = 100
_HEADER = 50


class _Reckoning(threading.local):
    foreign = 0
    #: Bytes of the message being read, which is foreign unless somebody says that it is one of the contract.
    unknown = 0
    declares_much = False


_thread = _Reckoning()


def reading(body: Content) -> None:
    """Reckon with a message that this thread begins to read."""
    _thread.unknown += len(body)
    # To look closer at a large one would cost as much as a new thread.
    _thread.declares_much = len(body) > LARGE or _declares_much(body)


def _declares_much(body: Content) -> bool:
    if body.count(b"=") <= _DECLARATIONS:  # one sign is found ten times as fast as a word
        return False
    is_plain = b"\0" not in body[:4]
    return not is_plain or body.count(b"xmlns") > _DECLARATIONS


def known(payload: etree._Element) -> None:
    """Take note that the request in the message is valid: its names are those of the contract."""
    envelope = payload.getroottree().getroot()
    header = () if envelope is payload or not len(envelope) else envelope[0].iter()
    if not _thread.declares_much and sum(1 for _ in islice(header, _HEADER)) < _HEADER:
        _thread.unknown = 0


def are_too_many() -> bool:
    """Say, between two messages, whether this thread has read more foreign names than it should keep."""
    _thread.foreign += _thread.unknown
    _thread.unknown = 0
    return _thread.foreign > MOST
