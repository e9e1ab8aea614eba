"""Whatever JSON comes is taken or refused: no other exception, and every place that is told is a place."""

import json
from contextlib import suppress
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from paraphe.contract import Complex, operations
from paraphe.errors import Refused
from paraphe.faces.rest import read

PARIS = ZoneInfo("Europe/Paris")
NAMES = sorted({field.name for operation in operations().values() for field in operation.request.fields})
TEXTS = some.one_of(
    some.text(max_size=20), some.sampled_from(["2026-09-14", "KEEP_VALID", "true", "JVBERi0=", "a/b~c"])
)
LEAVES = some.one_of(some.none(), some.booleans(), some.integers(), some.floats(allow_nan=False), TEXTS)


def trees(inside):
    return some.one_of(some.lists(inside, max_size=3), some.dictionaries(TEXTS, inside, max_size=3))


ANY = some.recursive(LEAVES, trees, max_leaves=8)


def nearly(kind):
    """Values of a type, some of them with something else in a place."""
    if not isinstance(kind, Complex):
        return some.one_of(TEXTS, LEAVES)
    if kind.item is not None:
        return some.one_of(some.lists(nearly(kind.item.type), max_size=3), ANY)
    members = {field.name: nearly(field.type) for field in kind.fields}
    known = some.fixed_dictionaries({}, optional=members)
    return some.one_of(
        known, some.tuples(known, some.dictionaries(TEXTS, ANY, max_size=1)).map(lambda two: two[0] | two[1])
    )


MESSAGES = some.sampled_from(list(operations().values())).flatmap(
    lambda operation: some.tuples(some.just(operation), some.one_of(nearly(operation.request), ANY))
)


def at(message, pointer):
    """The value that a JSON pointer leads to."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        message = message[int(name)] if isinstance(message, list) else message[name]
    return message


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(MESSAGES)
def test_any_json_is_taken_or_refused_at_places_that_exist(case):
    operation, message = case

    try:
        request = read.read(read.parse(json.dumps(message).encode()), operation, PARIS)
        errors = tuple(request.values.get("rejected", ()))
    except Refused as refused:
        errors = refused.errors

    for error in errors:
        assert error.message.endswith(".")
        if error.path is not None:
            at(message, read.pointer(operation, error.path))


SIGNS = some.text(alphabet='{}[]",:0123456789.eE+-tfn\\u \ufeff', max_size=40).map(str.encode)


@settings(max_examples=200, deadline=None)
@given(some.one_of(some.binary(max_size=60), SIGNS))
def test_any_bytes_are_json_or_refused(body):
    with suppress(Refused):
        read.parse(body)
