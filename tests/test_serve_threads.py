"""Threads of a server: one that has read too many foreign names makes room for another."""

import subprocess
import sys
import threading
import time

import pytest

from paraphe.serve.threads import Threads
from paraphe.xml import names
from paraphe.xml.parse import parse

from .test_serve import post, served

pytestmark = pytest.mark.slow


def reading(environ, start_response):
    """Parse the message; answer who did it."""
    parse(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Type", "application/json")])
    return [str(threading.get_ident()).encode()]


def test_a_thread_full_of_foreign_names_is_replaced_and_nothing_is_lost():
    message = b"<r>" + b"<a/>" * (names.MOST // 8) + b"</r>"
    with served(reading, threads="1") as address:
        workers = [post(address, message)[1] for _ in range(6)]

    one, two, three = workers[:2], workers[2:4], workers[4:]
    assert [len({*pair}) for pair in (one, two, three)] == [1, 1, 1]
    assert one[0] != two[0] != three[0]


def test_who_is_alone_meets_the_same_thread_each_time():
    workers = []
    with served(reading, threads="4") as address:
        for _ in range(8):
            workers.append(post(address, b"<r/>")[1])
            time.sleep(0.05)  # until it waits again

    assert len(set(workers)) == 1


def test_a_server_stops_when_all_its_threads_were_replaced():
    message = b"<r>" + b"<a/>" * (names.MOST // 4) + b"</r>"
    before = threading.active_count()
    with served(reading, threads="3") as address:
        for _ in range(9):
            assert post(address, message)[0] == 200
        for _ in range(200):
            if threading.active_count() == before + 4:  # the loop, and three who work
                break
            time.sleep(0.02)  # one that was replaced is just ending
        assert threading.active_count() == before + 4

    assert threading.active_count() == before


SENDS_INVENTED_NAMES = """
import re
from itertools import count
from tests.test_serve import post, served
from tests.test_serve_threads import reading

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024

numbers = count()
with served(reading, threads="1") as address:
    for message in range(60):
        body = b"".join(b"<a%012dx/>" % next(numbers) for _ in range(50_000))
        post(address, b"<r>" + body + b"</r>")
        if message in (9, 59):
            print(resident())
"""


SENDS_LARGE_MESSAGES = """
import gc, re
from paraphe.spool import nameless, spooled
from paraphe.errors import Refused
from paraphe.xml.parse import parse
from tests.test_serve import post, served

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024

def refusing(environ, start_response):
    try:
        parse(spooled([environ["wsgi.input"].read()], nameless()))
    except Refused:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"1"]

gc.freeze()
gc.set_threshold(50_000, 10, 10)
body = b"<CheckConnection xmlns='urn:paraphe:exchange:v1'>" + b"<a/>" * 2_000_000 + b"x"
with served(refusing, threads="1") as address:
    for message in range(12):
        assert post(address, body) == (200, 1)
        if message in (3, 11):
            print(resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
@pytest.mark.parametrize("sends", [SENDS_INVENTED_NAMES, SENDS_LARGE_MESSAGES], ids=["names", "large messages"])
def test_memory_does_not_grow_with_what_strangers_send(sends):
    told = subprocess.run([sys.executable, "-c", sends], capture_output=True, text=True, timeout=120, check=True)

    early, late = map(int, told.stdout.split())
    assert late < early + 60  # three million names are 140 MB, two million elements 250 MB


def test_threads_that_wait_all_go_when_they_are_told_to():
    threads = Threads()
    threads.set_thread_count(4)
    for _ in range(500):
        if threads.active_count == 0:  # all wait
            break
        time.sleep(0.01)

    threads.shutdown(timeout=5)

    assert not threads.threads
