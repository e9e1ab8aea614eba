"""Whom of an account an invoice may name: looked up by the words of the page, however many the account knows.

Each student and each contact has a *word*, the longest of its name, and the words of an invoice find them through an
index. It is worked out when an invoice is read, for those who came or were renamed since the last one: so it costs a
synchronisation nothing, which has a thousand of them to write, while an invoice names a few.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, select

from ..accounts import Account
from ..reading import Known, Look, Payer, Student, word_of, words_of
from ..store import contact, is_among, lock_account, reading, student, update, writing

_NUMBERS = ("opca_number", "region_number", "unemployed_number", "file_number", "cfa_number")
#: The columns that a name consists of, by the tables of those who have a word; the word is emptied when one changes.
NAMES = {"student": frozenset({"last_name", "first_name"}), "contact": frozenset({"organisation"})}
_COLUMNS = {student: (student.c.last_name, student.c.first_name), contact: (contact.c.organisation,)}
_AT_ONCE = 1000  # so that other writers wait some 20 ms at most


def looking(engine: Engine, account: Account) -> Look:
    """Return what gives the students and payers of an account whom an invoice with certain words may name."""
    settle(engine, account)

    def look(words: Sequence[str]) -> Known:
        with reading(engine) as connection:
            return known_to(connection, account, words)

    return look


def known_to(connection: Connection, account: Account, words: Sequence[str]) -> Known:
    """Return the students and payers of an account whose names stand in these words. Three statements at most."""
    there = set(words)
    numbers = [student.c[name] for name in _NUMBERS]
    found = connection.execute(
        select(student.c.id, student.c.reference, student.c.last_name, student.c.first_name, *numbers).where(
            student.c.account_id == account.id, is_among(connection, student.c.name_word, words)
        )
    )
    # Sorted here: told to, PostgreSQL may go through the primary key, past everybody.
    students = tuple(
        Student(row[1], row[2] or "", row[3] or "", tuple(filter(None, row[4:])))
        for row in sorted(found, key=itemgetter(0))
        if there.issuperset(words_of(f"{row[2] or ''} {row[3] or ''}"))
    )
    payers = connection.execute(
        select(contact.c.id, contact.c.reference, contact.c.organisation, contact.c.siret).where(
            contact.c.account_id == account.id, contact.c.active, is_among(connection, contact.c.name_word, words)
        )
    )
    others = select(student.c.id).where(student.c.account_id == account.id).limit(1)
    more = bool(students) or connection.scalar(others) is not None
    return Known(students, tuple(Payer(*row[1:]) for row in sorted(payers, key=itemgetter(0))), more=more)


def settle(engine: Engine, account: Account) -> None:
    """Work out the words of those who came, or were renamed, since an invoice was read last."""
    for table in _COLUMNS:
        with reading(engine) as connection:
            lacking = connection.execute(_lacking(table, account).limit(1)).first() is not None
        while lacking:
            with writing(engine) as connection:
                lock_account(connection, account.id)
                lacking = _work_out(connection, table, account)


def _lacking(table: Table, account: Account) -> Select[Any]:
    without = (table.c.account_id == account.id) & table.c.name_word.is_(None)
    return select(table.c.id, *_COLUMNS[table]).where(without)


def _work_out(connection: Connection, table: Table, account: Account) -> bool:
    rows = connection.execute(_lacking(table, account).limit(_AT_ONCE)).all()
    if rows:
        update(connection, table, {"name_word": [word_of(*row[1:]) for row in rows], "id": [row[0] for row in rows]})
    return len(rows) == _AT_ONCE
