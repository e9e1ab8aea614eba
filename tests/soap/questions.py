"""The questions that every operation answers, and those that the five Sync operations answer alike.

A file of an operation says in a class of its own how a good message looks, and inherits these.
"""

from typing import Any

import pytest
from zeep.exceptions import Fault

from .house import Caller


class Questions:
    """It works and twice are each operation's own; these are the same for all."""

    operation = ""
    #: What may stand inside the operation's element and breaks the schema, and the path of the place.
    broken, place = "<nonsense>1</nonsense>", "nonsense"

    def message(self, caller: Caller) -> dict[str, Any]:
        """Prepare the account and return a message that works."""
        raise NotImplementedError

    def test_a_wrong_key_is_refused(self, caller: Caller) -> None:
        message = self.message(caller)
        caller.session.auth = (caller.account.api_user, "0" * 64)

        with pytest.raises(Fault, match="CREDENTIALS_REFUSED"):
            caller.call(self.operation, **message)

        assert caller.last.codes == ["CREDENTIALS_REFUSED"]

    def test_what_the_schema_does_not_know_is_refused(self, caller: Caller) -> None:
        reply = caller.post(f"<{self.operation}>{self.broken}</{self.operation}>")

        assert reply.is_fault
        assert "SCHEMA_INVALID" in reply.codes
        assert f"/{self.operation}/{self.place}" in [error["path"] for error in reply.errors]


class SyncQuestions(Questions):
    """What a Sync operation promises, whatever its table."""

    plural = ""
    table: Any = None

    def item(self, number: int, **said: Any) -> dict[str, Any]:
        """Return an item; the same number is the same item."""
        raise NotImplementedError

    def changed(self, number: int) -> dict[str, Any]:
        """Return the item with another value in it."""
        raise NotImplementedError

    def prepare(self, caller: Caller) -> None:
        """Send what items refer to."""

    def message(self, caller: Caller) -> dict[str, Any]:
        self.prepare(caller)
        return {self.plural: self.items(1, 2)}

    def items(self, *numbers: int) -> dict[str, Any]:
        return {self.plural.removesuffix("s"): [self.item(number) for number in numbers]}

    def sync(self, caller: Caller, *numbers: int, **options: Any) -> Any:
        return caller.call(self.operation, **options, **{self.plural: self.items(*numbers)})

    def test_new_items_are_created(self, caller: Caller) -> None:
        self.prepare(caller)

        answer = self.sync(caller, 1, 2, 3)

        assert answer.returnCode == "200 OK"
        assert answer.duplicate is False
        assert counts(answer) == {"received": 3, "created": 3}
        assert [(item.index, item.action) for item in answer.items.item] == [(n, "CREATED") for n in (1, 2, 3)]
        assert caller.house.count(self.table, caller.account) == 3

    @pytest.mark.in_all_pairs
    def test_the_message_of_the_fixtures_is_taken_twice(self, caller: Caller) -> None:
        self.prepare_fixture(caller)

        first, second = caller.fixture(self.operation), caller.fixture(self.operation)

        assert first.ok
        assert first.text("created") == first.text("received") != "0"
        assert second.text("unchanged") == first.text("received")

    def prepare_fixture(self, caller: Caller) -> None:
        """Send the fixtures that this one refers to."""

    def test_the_same_items_again_are_unchanged(self, caller: Caller) -> None:
        self.prepare(caller)
        self.sync(caller, 1, 2)

        answer = self.sync(caller, 1, 2)

        assert counts(answer) == {"received": 2, "unchanged": 2}

    def test_the_same_message_again_is_answered_alike_and_marked_as_duplicate(self, caller: Caller) -> None:
        self.prepare(caller)
        first = self.sync(caller, 1, 2, messageId="M-1")

        again = self.sync(caller, 1, 2, messageId="M-1")

        assert again.duplicate is True
        assert counts(again) == counts(first) == {"received": 2, "created": 2}
        assert caller.house.count(self.table, caller.account) == 2

    def test_a_changed_item_is_updated(self, caller: Caller) -> None:
        self.prepare(caller)
        self.sync(caller, 1, 2)

        items = {self.plural.removesuffix("s"): [self.changed(1), self.item(2)]}
        answer = caller.call(self.operation, **{self.plural: items})

        assert counts(answer) == {"received": 2, "updated": 1, "unchanged": 1}

    def test_what_a_replacement_lacks_is_removed(self, caller: Caller) -> None:
        self.prepare(caller)
        self.sync(caller, 1, 2, 3)

        answer = self.sync(caller, 2, 3, mode="REPLACE")

        assert counts(answer) == {"received": 2, "unchanged": 2, "removed": 1}
        assert [(item.reference, item.action) for item in answer.items.item][2:] == [
            (self.item(1)["reference"], "REMOVED")
        ]

    def test_a_dry_run_answers_alike_and_stores_nothing(self, caller: Caller) -> None:
        self.prepare(caller)
        self.sync(caller, 1, 2)
        before = content(caller, self.table)

        dry = self.sync(caller, 2, 3, mode="REPLACE", dryRun=True)

        assert dry.dryRun is True
        assert content(caller, self.table) == before
        real = self.sync(caller, 2, 3, mode="REPLACE")
        assert counts(dry) == counts(real) == {"received": 2, "created": 1, "unchanged": 1, "removed": 1}
        assert actions(dry) == actions(real)

    def test_another_account_has_a_table_of_its_own(self, caller: Caller, other: Caller) -> None:
        for someone in (caller, other):
            self.prepare(someone)
        self.sync(caller, 1, 2)

        theirs = self.sync(other, 1, mode="REPLACE")

        assert counts(theirs) == {"received": 1, "created": 1}
        assert counts(self.sync(caller, 1, 2)) == {"received": 2, "unchanged": 2}

    def test_without_items_nothing_happens(self, caller: Caller) -> None:
        for inside in ("", f"<{self.plural}/>"):
            reply = caller.post(f"<{self.operation}>{inside}</{self.operation}>")

            assert reply.ok
            assert reply.text("received") == "0"

    def test_many_items_are_taken_at_once(self, caller: Caller) -> None:
        self.prepare(caller)

        answer = self.sync(caller, *range(1, 301))

        assert counts(answer) == {"received": 300, "created": 300}
        assert counts(self.sync(caller, *range(1, 301))) == {"received": 300, "unchanged": 300}

    def test_a_reference_twice_refuses_the_message(self, caller: Caller) -> None:
        self.prepare(caller)

        answer = self.sync(caller, 1, 2, 1)

        assert answer.returnCode == "500 ERROR"
        assert [(error.index, error.code) for error in answer.errors.error] == [(3, "DUPLICATE_REFERENCE")]
        assert caller.house.count(self.table, caller.account) == 0


def counts(answer: Any) -> dict[str, int]:
    """The counts of an answer that are not zero."""
    names = ("received", "created", "updated", "unchanged", "removed", "rejected")
    return {name: answer[name] for name in names if answer[name]}


def actions(answer: Any) -> list[tuple[Any, ...]]:
    """What became of each item."""
    return [(item.index, item.reference, item.action) for item in answer.items.item]


def content(caller: Caller, table: Any) -> list[tuple[Any, ...]]:
    """All rows that the account has in a table."""
    found = caller.house.rows(table.select().where(table.c.account_id == caller.account.id).order_by(table.c.id))
    return [tuple(row) for row in found]
