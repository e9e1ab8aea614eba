"""Whom of an account an invoice may name: looked up by the words of the page, however many the account knows.

Each student and each contact has a *word*, the longest of its name, and the words of an invoice find them through an
index. It is worked out when an invoice is read, for those who came or were renamed since the last one: so it costs a
synchronisation nothing, which has a thousand of them to write, while an invoice names a few. Who came is numbered
higher than whoever has a word; an index of those who have none would cost a new student a thirtieth more.
"""

from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Engine,
    Select,
    Table,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from ..accounts import Account
from ..reading import Known, Look, Payer, Student, word_of, words_of
from ..store import Prepared, contact, is_among, lock_account, reading, student, update, writing

_NUMBERS = ("opca_number", "region_number", "unemployed_number", "file_number", "cfa_number")
RENAMED = " "
"""Stands for the word of who was renamed, until it is worked out anew."""

#: The columns that a name consists of, by the tables of those who have a word.
NAMES = {"student": frozenset({"last_name", "first_name"}), "contact": frozenset({"organisation"})}
_COLUMNS = {student: (student.c.last_name, student.c.first_name), contact: (contact.c.organisation,)}
_PAY_NOTHING = ("TUTOR", "APPRENTICESHIP_MASTER", "SIGNATORY")
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
            contact.c.account_id == account.id,
            contact.c.active,
            func.coalesce(contact.c.type, "").not_in(_PAY_NOTHING),
            is_among(connection, contact.c.name_word, words),
        )
    )
    others = select(student.c.id).where(student.c.account_id == account.id).limit(1)
    more = bool(students) or connection.scalar(others) is not None
    return Known(students, tuple(Payer(*row[1:]) for row in sorted(payers, key=itemgetter(0))), more=more)


def settle(engine: Engine, account: Account) -> None:
    """Work out the words of those who came, or were renamed, since an invoice was read last."""
    with reading(engine) as connection:
        lacking = _somebody_lacks().first(connection, {"account": account.id})
    for table in _COLUMNS:
        more = bool(getattr(lacking, table.name))
        while more:
            with writing(engine) as connection:
                lock_account(connection, account.id)
                more = _work_out(connection, table, account)


@cache
def _somebody_lacks() -> Prepared:
    """Return what tells of each table whether somebody in it has no word."""
    account: BindParameter[int] = bindparam("account")
    lacking = {table.name: or_(*map(exists, _lacking(table, account))) for table in _COLUMNS}
    columns: list[Any] = [found.label(name) for name, found in lacking.items()]
    return Prepared(select(*columns))


def _lacking(table: Table, account: int | BindParameter[int]) -> tuple[Select[Any], Select[Any]]:
    """Return what finds the ids and names of those without a word: of who was renamed, and of who came."""
    mine = (table.c.account_id == account) & table.c.name_word.is_not(None)
    last = func.coalesce(select(func.max(table.c.id)).where(mine).scalar_subquery(), literal_column("0"))
    names = select(table.c.id, *_COLUMNS[table])
    # "+ 0", because SQLite would look among all of the account instead of among all who came.
    new = names.where(table.c.id > last, table.c.account_id + literal_column("0") == account)
    return names.where(mine, table.c.name_word == literal_column(f"'{RENAMED}'")), new.order_by(table.c.id)


def _work_out(connection: Connection, table: Table, account: Account) -> bool:
    renamed, new = _lacking(table, account.id)
    rows = connection.execute(renamed.limit(_AT_ONCE)).all()
    rows = [*rows, *connection.execute(new.limit(_AT_ONCE - len(rows)))]
    if rows:
        update(connection, table, {"name_word": [word_of(*row[1:]) for row in rows], "id": [row[0] for row in rows]})
    return len(rows) == _AT_ONCE
