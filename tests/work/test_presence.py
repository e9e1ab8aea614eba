"""The service-fait check: what is invoiced and not signed is told with its reason, trainee by trainee."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import update

from paraphe import store
from paraphe.work.invoices import send_invoicing_info
from paraphe.work.presence import gaps
from paraphe.work.signatures import record_attendance
from paraphe.work.sittings import collect

from .cast import add_courses, add_people, caller, statements

DAYS = [f"CRS-{number}" for number in range(1, 5)]  # mornings of three hours, from 14 to 17 September
IMAGE = b"\x89PNG a signature"


@pytest.fixture
def school(engine, account, context):
    """Two trainees and a trainer, who have signed on four mornings; gives `call`."""
    add_people(engine, account, store.student, ["STU-1", "STU-2"])
    add_people(engine, account, store.teacher, ["TEA-1"])
    add_courses(engine, account, DAYS)
    call = caller(engine, context)
    call(record_attendance, [row for day in DAYS for row in everybody(day)])
    return call


def row(day, person="STU-1", status="PRESENT", image=IMAGE, **more):
    kind = "TEACHER" if person.startswith("TEA") else "STUDENT"
    known = {"course_reference": day, "person_type": kind, "person_reference": person, "status": status}
    return known | {"image": image, "collect_mode": "TABLET" if image else None} | more


def everybody(day):
    return [row(day), row(day, "STU-2"), row(day, "TEA-1")]


def attend(call, *rows):
    call(record_attendance, list(rows))


def invoice(*quantities, unit="HOUR", start=date(2026, 9, 14), end=date(2026, 9, 17), **more):
    trainees = [
        {"reference": f"STU-{number}"} | ({} if quantity is None else {"quantity": Decimal(quantity)})
        for number, quantity in enumerate(quantities, 1)
    ]
    total = sum((Decimal(quantity) for quantity in quantities if quantity is not None), Decimal())
    known = {"invoice_number": "F-1", "invoice_date": end, "period_start": start, "period_end": end}
    return known | {"quantity": total, "unit": unit, "trainees": trainees} | more


def warned(call, said):
    answer = call(send_invoicing_info, invoice=said)
    assert answer["status"] == "READY"
    return [(each["code"], each["field"]) for each in answer["warnings"]]


def message(call, said):
    (warning,) = call(send_invoicing_info, invoice=said)["warnings"]
    return warning["message"]


LESS = ("LESS_SIGNED_THAN_INVOICED", "trainees[1].quantity")


def test_what_is_signed_is_not_told(school):
    assert warned(school, invoice("12", "12")) == []


def test_less_invoiced_than_signed_is_not_told(school):
    assert warned(school, invoice("9", "12")) == []


def test_less_signed_than_invoiced_is_told_with_the_half_days(school):
    attend(school, row("CRS-2", status="ABSENT", image=None))

    assert warned(school, invoice("12", "12")) == [LESS]
    assert "12.00 hours are invoiced, 9.00 are signed" in message(school, invoice("12", "12"))
    assert "2026-09-15 morning" in message(school, invoice("12", "12"))


@pytest.mark.parametrize(
    ("status", "more", "expected"),
    [
        ("EXPECTED", {"image": None}, [LESS]),
        ("EXCUSED", {"image": None}, [LESS]),
        ("PRESENT", {"image": None, "collect_mode": "MANUAL"}, [LESS]),
        ("PRESENT", {"image": None, "collect_mode": "PAPER_SCAN"}, []),
        ("LATE", {"minutes_present": 150}, [LESS]),
        ("EARLY_DEPARTURE", {"minutes_present": 180}, []),
    ],
)
def test_only_what_a_trainee_signed_counts(school, status, more, expected):
    attend(school, row("CRS-3", status=status, **more))

    assert warned(school, invoice("12", "12")) == expected


def test_who_need_not_sign_counts_as_soon_as_he_was_there(school, engine):
    attend(school, row("CRS-3", image=None, collect_mode="MANUAL"))
    with store.writing(engine) as connection:
        first = store.student.c.reference == "STU-1"
        connection.execute(update(store.student).where(first).values(required_signature=False))

    assert warned(school, invoice("12", "12")) == []


@pytest.mark.parametrize(("quantity", "unit"), [("1.71", "DAY"), ("3.42", "HALF_DAY"), ("99", "FLAT")])
def test_days_are_seven_hours_and_flat_amounts_are_not_compared(school, quantity, unit):
    assert warned(school, invoice(quantity, unit=unit)) == []


def lines(*said, **more):
    """An invoice whose lines are (quantity, unit) of the first trainee; the signatures are twelve hours."""
    trainees = [{"reference": "STU-1", "quantity": Decimal(quantity), "unit": unit} for quantity, unit in said]
    return invoice("12") | {"trainees": trainees} | more


def test_a_trainees_quantity_counts_in_its_own_unit(school):
    assert warned(school, lines((5, "DAY"), quantity=Decimal(35))) == [LESS]
    assert "35.00 hours are invoiced, 12.00 are signed" in message(school, lines((5, "DAY"), quantity=Decimal(35)))
    assert warned(school, lines((12, "HOUR"), unit="DAY", quantity=Decimal("1.71"))) == []
    assert warned(school, lines((1, "DAY"), (Decimal("1.42"), "HALF_DAY"))) == []


def test_lines_of_one_trainee_are_added_up_before_they_are_compared(school):
    assert warned(school, lines((6, "HOUR"), (6, "HOUR"))) == []
    assert warned(school, lines((12, "HOUR"), (12, "HOUR"), quantity=Decimal(24))) == [LESS]
    assert "Trainee 1, 2: 24.00 hours are invoiced, 12.00 are signed" in message(
        school, lines((12, "HOUR"), (12, "HOUR"), quantity=Decimal(24))
    )


def test_a_total_beyond_the_trainees_quantities_is_compared_as_well(school):
    assert warned(school, lines((12, "HOUR"), unit="DAY", quantity=Decimal(5))) == [
        ("LESS_SIGNED_THAN_INVOICED", "quantity")
    ]


def test_a_credit_for_hours_of_the_same_trainee_is_taken_off(school):
    assert warned(school, lines((14, "HOUR"), (-2, "HOUR"))) == []


def test_hundredths_that_were_rounded_for_each_half_day_are_no_gap(school):
    attend(school, *(row(day, status="LATE", minutes_present=179) for day in DAYS))

    assert warned(school, invoice("11.95")) == []
    assert warned(school, invoice("11.97")) == [LESS]


def test_without_quantities_of_the_trainees_the_total_is_compared(school):
    assert warned(school, invoice(None, None, quantity=Decimal(24))) == []
    assert warned(school, invoice(None, None, quantity=Decimal(25))) == [("LESS_SIGNED_THAN_INVOICED", "quantity")]


def test_what_was_signed_around_the_period_is_told(school):
    said = invoice("12", start=date(2026, 9, 15))

    assert warned(school, said) == [LESS, ("OUTSIDE_PERIOD", "trainees[1].quantity")]


def test_a_sitting_that_no_trainer_signed_is_told(school):
    attend(school, row("CRS-4", "TEA-1", status="EXPECTED", image=None))

    assert warned(school, invoice("12")) == [("NOT_SIGNED_BY_TRAINER", None)]
    assert "2026-09-17 morning" in message(school, invoice("12"))


def test_a_trainee_without_reference_is_unknown_to_the_statement(engine, account, school):
    said = invoice("12") | {"trainees": [{"last_name": "Loisel", "first_name": "Maëlys"}]}
    with store.reading(engine) as connection:
        found = gaps(collect(connection, account, "2026-000001", said))

    assert [(gap.code, gap.person and gap.person.last_name) for gap in found] == [("UNKNOWN_TRAINEE", "Loisel")]


@pytest.mark.parametrize("values", [{"cancelled": True}, {"invoiceable": False}, {"active": False}])
def test_what_did_not_take_place_or_is_not_invoiced_does_not_count(school, engine, values):
    with store.writing(engine) as connection:
        connection.execute(update(store.course).where(store.course.c.reference == "CRS-1").values(values))

    assert warned(school, invoice("12")) == [LESS]


def test_a_sitting_of_the_planning_without_attendance_is_named(school, engine, account):
    add_courses(engine, account, ["CRS-9"], day=date(2026, 9, 18))
    with store.writing(engine) as connection:
        connection.execute(update(store.course).where(store.course.c.reference == "CRS-9").values(students='["STU-1"]'))

    assert "2026-09-18 morning" in message(school, invoice("15", end=date(2026, 9, 18)))


def test_the_half_days_and_their_order_are_those_of_the_accounts_time_zone(school, engine, account):
    with store.reading(engine) as connection:
        found = collect(connection, account, "2026-000001", invoice("12", "12"))

    assert [str(sitting.start) for sitting in found.sittings][:1] == ["2026-09-14 09:00:00+02:00"]
    assert [sitting.reference for sitting in found.sittings] == DAYS
    assert [each.person.reference for each in found.sittings[0].trainees] == ["STU-1", "STU-2"]
    assert [each.person.reference for each in found.sittings[0].trainers] == ["TEA-1"]


def test_a_record_of_one_payer_says_nothing_of_the_trainees_of_others(school, engine, account):
    with store.reading(engine) as connection:
        found = collect(connection, account, "2026-000001", invoice("12"))

    assert {each.person.reference for sitting in found.sittings for each in sitting.trainees} == {"STU-1"}


def test_another_account_has_no_part_in_it(school, engine, other_account, context):
    stranger = caller(engine, context, account=other_account)

    assert ("NOT_SIGNED_BY_TRAINER", None) not in warned(stranger, invoice("12"))
    with store.reading(engine) as connection:
        assert collect(connection, other_account, "2026-000001", invoice("12")).sittings == ()


def test_the_number_of_statements_does_not_depend_on_how_much_there_is(school, engine, account):
    def counted(days):
        with store.reading(engine) as connection, statements(engine) as seen:
            collect(connection, account, "2026-000001", invoice("12", "12", end=days))
        return len(seen)

    few = counted(date(2026, 9, 14))
    many = [f"CRS-{number}" for number in range(100, 160)]
    add_courses(engine, account, many, day=date(2026, 10, 1))
    school(record_attendance, [entry for day in many for entry in everybody(day)])

    assert counted(date(2026, 12, 31)) == few <= 6
