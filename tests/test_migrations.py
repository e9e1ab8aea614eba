"""migrations/: the versions of the database, on SQLite and PostgreSQL, each time from an empty one."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from paraphe import migrations, store
from paraphe.migrations import WrongVersion

_numbers = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    name = f"empty_{next(_numbers)}"
    with request.getfixturevalue("postgresql_admin").connect() as admin:
        admin.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        yield request.getfixturevalue("postgresql_server")(name)
        admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def empty(url):
    engine = store.open_engine(url)
    yield engine
    engine.dispose()


def secrets(engine):
    with store.reading(engine) as connection:
        return list(connection.execute(select(store.secret.c.name, store.secret.c.value)))


def at_version(engine, version):
    with store.writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})


def test_an_upgrade_brings_an_empty_database_to_what_the_program_needs(empty):
    assert migrations.current(empty) is None

    assert migrations.upgrade(empty) == (None, migrations.head())

    assert migrations.current(empty) == migrations.head()
    migrations.ensure_current(empty)


def test_the_files_are_named_by_the_versions_that_alembic_finds_in_them():
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))

    found = [script.revision for script in scripts.walk_revisions()]

    assert migrations._versions() == sorted(found)
    assert scripts.get_current_head() == migrations.head()


def test_the_versions_and_the_tables_in_the_code_agree(empty):
    migrations.upgrade(empty)

    with store.reading(empty) as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, store.metadata) == []


def test_they_agree_on_constraints_that_alembic_does_not_compare(empty):
    migrations.upgrade(empty)

    found = inspect(empty)
    for table in store.metadata.tables.values():
        expected = {key.target_fullname for key in table.foreign_keys}
        assert {f"{key['referred_table']}.id" for key in found.get_foreign_keys(table.name)} == expected
        assert found.get_pk_constraint(table.name)["constrained_columns"] == table.primary_key.columns.keys()


def test_an_upgrade_makes_one_secret_and_a_second_one_changes_nothing(empty):
    migrations.upgrade(empty)
    ((name, value),) = secrets(empty)
    assert (name, len(value)) == ("server", 32)

    assert migrations.upgrade(empty) == (migrations.head(), migrations.head())

    assert secrets(empty) == [(name, value)]


def test_two_databases_have_different_secrets(tmp_path):
    values: set[bytes] = set()
    for name in ("one", "two"):
        engine = store.open_engine(f"sqlite:///{tmp_path / name}")
        migrations.upgrade(engine)
        values.update(value for _, value in secrets(engine))
        engine.dispose()
    assert len(values) == 2


def test_upgrades_at_the_same_time_do_the_work_once(url):
    def one(_):
        engine = store.open_engine(url)
        try:
            return migrations.upgrade(engine)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        before = [before for before, _ in pool.map(one, range(4))]

    assert sorted(before, key=str) == [migrations.head()] * 3 + [None]


def test_an_upgrade_that_fails_leaves_nothing_behind(empty, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("os.urandom", lambda size: None)  # the last step: a secret that may not be NULL
        with pytest.raises(Exception, match=r"(?i)not.null"):
            migrations.upgrade(empty)
    assert inspect(empty).get_table_names() == []

    migrations.upgrade(empty)

    migrations.ensure_current(empty)


def test_an_empty_database_is_refused_with_the_way_out(empty):
    with pytest.raises(WrongVersion, match="empty: run `paraphe init`"):
        migrations.ensure_current(empty)


def test_an_older_database_is_refused_with_the_way_out(empty, monkeypatch):
    migrations.upgrade(empty)
    monkeypatch.setattr(migrations, "head", lambda: "0002")

    with pytest.raises(WrongVersion, match="at version 0001, this program needs 0002: run `paraphe upgrade`"):
        migrations.ensure_current(empty)


@pytest.mark.parametrize("attempt", [migrations.ensure_current, migrations.upgrade])
def test_a_newer_database_is_refused_and_left_alone(empty, attempt):
    migrations.upgrade(empty)
    at_version(empty, "9999")

    with pytest.raises(WrongVersion, match="at version 9999, which is newer than this program"):
        attempt(empty)

    assert migrations.current(empty) == "9999"


def test_a_database_of_something_else_is_left_alone(empty):
    with store.writing(empty) as connection:
        connection.execute(text("CREATE TABLE account (name text)"))

    with pytest.raises(WrongVersion, match=r"tables of something else \(account\)"):
        migrations.upgrade(empty)

    assert inspect(empty).get_table_names() == ["account"]
