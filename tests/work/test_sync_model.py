"""Sync against a model of it: whatever messages come in whatever order, both say the same."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import RowMapping

from paraphe.errors import Refused

from ..conftest import add_account
from .sync_support import School

Row = dict[str, Any]
REFERENCES = [f"S{number:02}" for number in range(16)]
FIELDS = {"phone": "phone", "groups": "groups", "file_number": "fileNumber"}

_values = {
    "phone": st.sampled_from(["111", "222"]),
    "groups": st.lists(st.sampled_from(["G1", "G2"]), max_size=2, unique=True),
    "file_number": st.sampled_from(["F1", "F2"]),
}
_items = st.fixed_dictionaries(
    {"reference": st.sampled_from(REFERENCES), "last_name": st.just("L"), "first_name": st.just("F")},
    optional={**_values, "clear_fields": st.lists(st.sampled_from([*FIELDS.values(), "nickname"]), max_size=1)},
)
_messages = st.fixed_dictionaries(
    {
        "students": st.lists(_items, max_size=14),
        "mode": st.sampled_from(["UPSERT", "REPLACE"]),
        "on_error": st.sampled_from(["REJECT_ALL", "KEEP_VALID", "KEEP_VALID"]),
        "dry_run": st.sampled_from([False, False, True]),
    },
    optional={"max_removals": st.integers(0, 8)},
)


class Model:
    """What the contract says, as a dict of rows and as little else as can be."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    def sync(self, message: Row, now: datetime) -> list[tuple[str, str]] | None:
        """Return each reference with its action, or None if the message is refused."""
        rows, said, wrong, taken = dict(self.rows), [], False, set[str]()
        active = {reference for reference, row in rows.items() if row["active"]}
        for item in message["students"]:
            reference, bad = item["reference"], item["reference"] in taken or self.is_wrong(item)
            taken.add(reference)
            wrong = wrong or bad
            said.append((reference, "REJECTED" if bad else self.lay(rows, item, now)))
        missing = sorted(active - taken) if message["mode"] == "REPLACE" else []
        too_many = len(missing) > message.get("max_removals", max(5, len(active) // 10))
        if too_many or (wrong and message["on_error"] == "REJECT_ALL"):
            return None
        for reference in missing:
            rows[reference] = {**rows[reference], "active": False, "modified_on": now}
        if not message["dry_run"]:
            self.rows = rows
        return said + [(reference, "REMOVED") for reference in missing]

    @staticmethod
    def is_wrong(item: Row) -> bool:
        sent = {FIELDS[key] for key in FIELDS if key in item}
        return any(name in sent or name == "nickname" for name in item.get("clear_fields", ()))

    @staticmethod
    def lay(rows: dict[str, Row], item: Row, now: datetime) -> str:
        empty = dict.fromkeys(FIELDS) | {"active": True, "created_on": now, "modified_on": now}
        known = rows.get(item["reference"])
        row = {**(known or empty), "active": True}
        for key, name in FIELDS.items():
            if key in item or name in item.get("clear_fields", ()):
                row[key] = item.get(key) or None
        if row == known:
            return "UNCHANGED"
        rows[item["reference"]] = {**row, "modified_on": now}
        return "UPDATED" if known else "CREATED"


def seen(row: RowMapping) -> Row:
    groups = row["groups"] and row["groups"].strip("[]").replace('"', "").split(",")
    return {key: row[key] for key in ("phone", "file_number", "active", "created_on", "modified_on")} | {
        "groups": groups
    }


numbers = count()


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(messages=st.lists(_messages, min_size=1, max_size=8), length=st.sampled_from([1, 2, 1000]))
def test_any_sequence_of_messages_in_any_slices_comes_out_as_the_model_says(engine, context, messages, length):
    school, model = School(engine, add_account(engine, f"school-{next(numbers)}"), context, length), Model()

    for hours, message in enumerate(messages):
        now, answer = datetime(2026, 9, 14, tzinfo=UTC) + timedelta(hours=hours), None
        expected = model.sync(message, now)
        with suppress(Refused):
            how = {name: value for name, value in message.items() if name != "students"}
            answer = school.sync("students", message["students"], now=now, **how)

        assert (answer and [(item["reference"], item["action"]) for item in answer["items"]]) == expected
        if answer:
            totals = Counter(item["action"] for item in answer["items"])
            assert {name: answer[name.lower()] for name in totals} == totals
        assert {reference: seen(row) for reference, row in school.rows("student").items()} == model.rows
