"""Whom of an account an invoice may name: looked up by the words of the page, however many the account knows.

Each student and each contact has a *word*, the longest of its name, and the words of an invoice find them through an
index. It is worked out when an invoice is read, for those who came or were renamed since the last one: so it costs a
synchronisation next to nothing, which has a thousand of them to write, while an invoice names a few. The account notes
that somebody came, so that nobody is looked for in vain. Who came is numbered higher than whoever has a word; an index
of those who have none would cost a new student a thirtieth more.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, bindparam, func, select, update

from .. import store
from ..accounts import Account
from ..reading import Known, Look, Payer, Student, word_of, words_of
from ..store import Prepared, contact, is_among, lock_account, reading, student, writing

_NUMBERS = ("opca_number", "region_number", "unemployed_number", "file_number", "cfa_number")
RENAMED = " "
"""Stands for the word of who was renamed, until it is worked out anew."""

#: The columns that a name consists of, by the tables of those who have a word.
NAMES = {"student": frozenset({"last_name", "first_name"}), "contact": frozenset({"organisation"})}
_COLUMNS = {student: (student.c.last_name, student.c.first_name), contact: (contact.c.organisation,)}
_PAY_NOTHING = ("TUTOR", "APPRENTICESHIP_MASTER", "SIGNATORY")
_LACKING = Prepared(select(store.account.c.words_lacking).where(store.account.c.id == bindparam("account")))
_NOTE = Prepared(  # an account's row is not written again for each of its messages
    update(store.account)
    .where(store.account.c.id == bindparam("account"), store.account.c.words_lacking != bindparam("lacking"))
    .values(words_lacking=bindparam("lacking"))
)
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


def words_lack(connection: Connection, account: Account) -> None:
    """Note that some of an account may lack their words; in the transaction that brings them, under its lock."""
    _NOTE.execute(connection, {"account": account.id, "lacking": True})


def settle(engine: Engine, account: Account) -> None:
    """Work out the words of those who came, or were renamed, since an invoice was read last."""
    with reading(engine) as connection:
        lacking = _LACKING.first(connection, {"account": account.id}).words_lacking
    while lacking:
        with writing(engine) as connection:
            lock_account(connection, account.id)
            lacking = any(_work_out(connection, table, account) for table in _COLUMNS)
            if not lacking:
                _NOTE.execute(connection, {"account": account.id, "lacking": False})


def _lacking(connection: Connection, table: Table, account: Account) -> Sequence[Row[Any]]:
    """Return the ids and names of some without a word: of who was renamed, then of who came, in their order."""
    worded = (table.c.account_id == account.id) & table.c.name_word.is_not(None)
    names = select(table.c.id, *_COLUMNS[table])
    renamed = connection.execute(names.where(worded, table.c.name_word == RENAMED).limit(_AT_ONCE)).all()
    last = connection.scalar(select(func.max(table.c.id)).where(worded))
    # "+ 0", because SQLite would look among all of the account instead of among all who came.
    mine = table.c.account_id == account.id
    came = (mine,) if last is None else (table.c.id > last, table.c.account_id + 0 == account.id)
    new = names.where(*came).order_by(table.c.id)
    return [*renamed, *connection.execute(new.limit(_AT_ONCE - len(renamed)))]


def _work_out(connection: Connection, table: Table, account: Account) -> bool:
    rows = _lacking(connection, table, account)
    if rows:
        store.update(
            connection, table, {"name_word": [word_of(*row[1:]) for row in rows], "id": [row[0] for row in rows]}
        )
    return len(rows) == _AT_ONCE
