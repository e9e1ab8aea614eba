"""accounts.py: making accounts and keys, and recognising who calls."""

from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter_ns

import pytest
from sqlalchemy import event, insert, select, update

from paraphe import accounts, store
from paraphe.accounts import Gate, Impossible

NOW = datetime(2026, 9, 14, 7, 30, tzinfo=UTC)


@pytest.fixture
def school(engine):
    """A database with its secret; give `school(what, …)`: call a function of accounts.py in its own transaction."""
    with store.writing(engine) as connection:
        if connection.scalar(select(store.secret.c.value)) is None:
            connection.execute(insert(store.secret).values(name="server", value=bytes(range(32))))

    def call(what, *arguments, **options):
        with store.writing(engine) as connection:
            return what(connection, *arguments, **options)

    return call


@pytest.fixture
def new(school):
    """The first key of an account."""
    return school(accounts.create, "Lycée Horizon", "SANDBOX", "Europe/Paris", NOW)


@pytest.fixture
def clock():
    """A clock that the test sets: a list of one moment."""
    return [NOW]


@pytest.fixture
def later(engine):
    """What writes down the uses of keys."""
    with store.Later(engine) as later:
        yield later


@pytest.fixture
def gate(engine, new, clock, later):
    return Gate(engine, lambda: clock[0], later)


@pytest.fixture
def last_used_on(school, new, later):
    """Give `last_used_on()`: what is written down about the first key of the account."""

    def read():
        assert later.settle(60)
        return school(accounts.keys, new.account)[0].last_used_on

    return read


@pytest.fixture
def statements(engine):
    """The SQL statements of this test with their parameters, as they come, without BEGIN."""
    seen = []

    def listener(connection, cursor, statement, parameters, *_):
        if not statement.startswith("BEGIN"):
            seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listener)
    yield seen
    event.remove(engine, "before_cursor_execute", listener)


# Accounts ----------------------------------------------------------------------------------------------------------


def test_an_account_comes_with_a_user_that_tells_nothing_and_a_key_of_256_bits(new):
    assert new.account.name == "Lycée Horizon"
    assert new.account.time_zone.key == "Europe/Paris"
    assert new.api_user == new.account.api_user
    assert len(bytes.fromhex(new.api_key)) == 32
    assert new.api_user.startswith("pa_")
    assert len(new.api_user) == 19
    assert new.api_user.isascii()


def test_a_key_is_not_stored_and_not_shown_by_accident(engine, new):
    with store.reading(engine) as connection:
        row = connection.execute(select(store.key)).one()
    assert new.api_key not in repr(new)
    assert bytes.fromhex(new.api_key) != row.digest
    assert new.api_key not in repr(row)


def test_a_name_may_stand_once_in_each_environment(school, new):
    other = school(accounts.create, "Lycée Horizon", "PRODUCTION", "Europe/Paris", NOW)
    assert other.account.id != new.account.id

    with pytest.raises(Impossible, match="an account Lycée Horizon in SANDBOX already"):
        school(accounts.create, " Lycée  Horizon ", "SANDBOX", "Europe/Paris", NOW)

    assert [(found.name, found.environment) for found in school(accounts.accounts)] == [
        ("Lycée Horizon", "PRODUCTION"),
        ("Lycée Horizon", "SANDBOX"),
    ]


@pytest.mark.parametrize(
    ("name", "environment", "time_zone", "message"),
    [
        (" ", "SANDBOX", "UTC", "1 to 100"),
        ("x" * 101, "SANDBOX", "UTC", "1 to 100"),
        ("a\0b", "SANDBOX", "UTC", "printable"),
        ("CFA", "sandbox", "UTC", "one of PRODUCTION, SANDBOX"),
        ("CFA", "SANDBOX", "Paris", "'Paris' is no time zone"),
        ("CFA", "SANDBOX", "../../etc/passwd", "no time zone"),
        ("CFA", "SANDBOX", "", "no time zone"),
    ],
)
def test_what_is_no_account_is_refused_and_nothing_is_stored(school, name, environment, time_zone, message):
    with pytest.raises(Impossible, match=message):
        school(accounts.create, name, environment, time_zone, NOW)
    assert school(accounts.accounts) == []


def test_an_account_is_found_by_its_name_or_its_user(school, new):
    assert school(accounts.find, "Lycée Horizon") == school(accounts.find, new.api_user) == new.account

    with pytest.raises(Impossible, match="no account CFA"):
        school(accounts.find, "CFA")


def test_a_name_in_both_environments_needs_to_be_told_apart(school, new):
    school(accounts.create, "Lycée Horizon", "PRODUCTION", "Europe/Paris", NOW)

    with pytest.raises(Impossible, match="in each environment"):
        school(accounts.find, "Lycée Horizon")
    assert school(accounts.find, "Lycée Horizon", "SANDBOX") == new.account


def test_a_database_without_secret_is_refused_with_the_way_out(engine):
    with store.writing(engine) as connection:
        connection.execute(store.secret.delete())
    with pytest.raises(Impossible, match="paraphe init"):
        Gate(engine)


# Recognition -------------------------------------------------------------------------------------------------------


def test_user_and_key_open_their_account(gate, new):
    assert gate.recognise(new.api_user, new.api_key) == new.account
    assert gate.recognise_key(new.api_key) == new.account


@pytest.mark.parametrize(
    "wrong",
    [
        lambda new, other: (new.api_user, other.api_key),
        lambda new, other: (other.api_user, new.api_key),
        lambda new, other: ("pa_" + "a" * 16, new.api_key),
        lambda new, other: (new.account.name, new.api_key),
        lambda new, other: (new.api_user.upper(), new.api_key),
        lambda new, other: (new.api_user, new.api_key.upper()),
        lambda new, other: (new.api_user, new.api_key + " "),
        lambda new, other: (new.api_user, ""),
        lambda new, other: ("", ""),
        lambda new, other: ("", new.api_key),
        lambda new, other: ("pa_" + "0" * 16, ""),
        lambda new, other: ("\ud800", "\udfff"),
        lambda new, other: ("é" * 1000, "x" * 100_000),
    ],
)
def test_anything_else_opens_nothing(school, gate, new, wrong):
    other = school(accounts.create, "CFA Estuaire", "SANDBOX", "Europe/Paris", NOW)
    assert gate.recognise(*wrong(new, other)) is None


def test_a_revoked_key_opens_nothing_from_the_next_call_on_and_others_still_do(school, gate, new):
    second = school(accounts.add_key, new.account, "next year", NOW)
    assert gate.recognise(new.api_user, new.api_key)

    school(accounts.revoke_key, new.account, new.id, NOW)

    assert gate.recognise(new.api_user, new.api_key) is None
    assert gate.recognise_key(new.api_key) is None
    assert gate.recognise(new.api_user, second.api_key) == new.account


def test_a_key_of_another_account_cannot_be_revoked(school, new):
    other = school(accounts.create, "CFA Estuaire", "SANDBOX", "Europe/Paris", NOW)

    with pytest.raises(Impossible, match="CFA Estuaire has no key"):
        school(accounts.revoke_key, other.account, new.id, NOW)

    assert [key.revoked_on for key in school(accounts.keys, new.account)] == [None]


def test_a_key_revoked_twice_keeps_the_first_date(school, new):
    school(accounts.revoke_key, new.account, new.id, NOW)
    key = school(accounts.revoke_key, new.account, new.id, NOW + timedelta(days=1))
    assert key.revoked_on == NOW


def test_keys_are_listed_with_what_is_known_of_them(school, new):
    school(accounts.add_key, new.account, "next year", NOW)
    assert [(key.label, key.created_on, key.last_used_on) for key in school(accounts.keys, new.account)] == [
        ("first", NOW, None),
        ("next year", NOW, None),
    ]


@pytest.mark.parametrize("right", [True, False])
def test_right_and_wrong_cost_one_query_that_an_index_answers(engine, gate, new, last_used_on, statements, right):
    gate.recognise(new.api_user, new.api_key)  # writes down the day
    assert last_used_on()
    statements.clear()

    gate.recognise(new.api_user, new.api_key if right else "wrong")

    assert statements == []  # besides the one that goes to the driver by itself
    query, parameters = gate._by_digest.sql, {"digest": bytes(32)}
    with store.writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            # So few rows are read without an index.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            explain = "EXPLAIN "
        else:
            explain = "EXPLAIN QUERY PLAN "
        asked = parameters if engine.dialect.name == "postgresql" else tuple(parameters.values())
        plan = str(connection.exec_driver_sql(explain + query, asked).all())
    assert "uq_key_digest" in plan or "INDEX sqlite_autoindex_key" in plan
    assert "SCAN" not in plan.upper().replace("INDEX SCAN", "")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_wrong_user_and_wrong_key_take_the_same_time(gate, new):
    """The medians of interleaved calls; a difference that a caller could measure would be far larger."""
    attempts = {"user": ("pa_" + "a" * 16, "f" * 64), "key": (new.api_user, "f" * 64)}
    times: dict[str, list[int]] = {name: [] for name in attempts}
    for _ in range(300):
        for name, attempt in attempts.items():
            start = perf_counter_ns()
            gate.recognise(*attempt)
            times[name].append(perf_counter_ns() - start)
    assert median(times["user"]) == pytest.approx(median(times["key"]), rel=0.25)


# Use ---------------------------------------------------------------------------------------------------------------


def test_the_use_of_a_key_is_written_down_once_a_day(gate, new, clock, last_used_on):
    gate.recognise(new.api_user, new.api_key)
    assert last_used_on() == NOW

    clock[0] = NOW + timedelta(hours=23)
    gate.recognise(new.api_user, new.api_key)
    assert last_used_on() == NOW

    clock[0] = NOW + timedelta(hours=24)
    gate.recognise_key(new.api_key)
    assert last_used_on() == clock[0]


def test_two_who_notice_a_new_day_at_once_write_it_down_once(engine, gate, new, clock, last_used_on, later):
    other = Gate(engine, lambda: NOW + timedelta(minutes=5), later)
    gate.recognise(new.api_user, new.api_key)
    other.recognise(new.api_user, new.api_key)

    assert last_used_on() == NOW


def test_a_wrong_user_with_a_right_key_is_no_use(gate, new, last_used_on):
    gate.recognise("pa_nobody", new.api_key)
    assert last_used_on() is None


def test_a_caller_does_not_wait_for_the_use_to_be_written_down(engine, gate, new, last_used_on):
    with store.writing(engine) as connection:
        connection.execute(select(store.key).with_for_update())
        assert gate.recognise(new.api_user, new.api_key) == new.account

    assert last_used_on() == NOW


def test_the_account_is_read_anew_at_each_call(engine, gate, new):
    with store.writing(engine) as connection:
        connection.execute(update(store.account).values(time_zone="Indian/Reunion"))
    recognised = gate.recognise(new.api_user, new.api_key)
    assert recognised.time_zone.key == "Indian/Reunion"
