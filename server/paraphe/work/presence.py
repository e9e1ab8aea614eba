"""The service-fait check: hours invoiced against hours signed, for each trainee and half-day.

A difference is a *gap* with its reason. It stands on the statement and among the warnings of the answer, and refuses
nothing: the payer asks, and the training centre has the answer ready.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from ..accounts import Account
from ..documents.facts import Gap, InvoicedTrainee, Person, Presence, Sitting
from .elements import warning
from .sittings import Collected, collect

#: Minutes in a unit of quantity; a flat amount has none.
MINUTES = {"HOUR": 60, "HALF_DAY": 210, "DAY": 420}
# Hours are invoiced in hundredths: each half-day may be rounded by half of one.
_ROUNDED = Decimal("0.3")
_MOST_NAMED = 10
_COMPLETE = "Have the missing signatures given, or correct the invoice."


def gaps(found: Collected) -> list[Gap]:
    """Return what is invoiced and not signed, trainee by trainee, then what no trainer has signed."""
    return [*_of_trainees(found), *_of_the_whole(found), *_of_trainers(found.sittings)]


def _of_trainees(found: Collected) -> Iterator[Gap]:
    for each in found.invoiced.trainees:
        if not each.person.reference:
            yield Gap("UNKNOWN_TRAINEE", person=each.person)
        elif (missing := _missing(found, each)) is not None:
            yield Gap("LESS_SIGNED_THAN_INVOICED", -missing, each.person)
            yield from _half_days(found.sittings, each.person)
            if outside := found.outside.get(each.person.reference):
                yield Gap("OUTSIDE_PERIOD", outside, each.person)


def _missing(found: Collected, each: InvoicedTrainee) -> int | None:
    """Return the minutes that are invoiced and not signed; None if there are none, or no quantity to compare."""
    if each.quantity is None:
        return None
    presences = [there for sitting in found.sittings if (there := sitting.of(each.person))]
    return _shortfall(found, each.quantity, presences)


def _shortfall(found: Collected, quantity: Decimal, presences: Sequence[Presence]) -> int | None:
    if found.invoiced.unit not in MINUTES:
        return None
    missing = abs(quantity) * MINUTES[found.invoiced.unit] - sum(there.signed_minutes for there in presences)
    return round(missing) if missing > _ROUNDED * (len(presences) + 1) else None


def _half_days(sittings: Sequence[Sitting], person: Person) -> Iterator[Gap]:
    for sitting in sittings:
        there = sitting.of(person)
        if there is not None and there.signed_minutes < sitting.minutes:
            minutes = there.signed_minutes - sitting.minutes
            yield Gap("LESS_SIGNED_THAN_INVOICED", minutes, person, sitting.day, sitting.slot)


def _of_the_whole(found: Collected) -> Iterator[Gap]:
    """Compare the invoice's total, where it does not say how much is whose."""
    invoiced = found.invoiced
    known = {each.person.reference for each in invoiced.trainees} - {""}
    if invoiced.quantity is None or any(each.quantity is not None for each in invoiced.trainees) or not known:
        return
    presences = [each for sitting in found.sittings for each in sitting.trainees if each.person.reference in known]
    if (missing := _shortfall(found, invoiced.quantity, presences)) is not None:
        yield Gap("LESS_SIGNED_THAN_INVOICED", -missing)


def _of_trainers(sittings: Sequence[Sitting]) -> Iterator[Gap]:
    for sitting in sittings:
        signed = any(each.signed_minutes for each in sitting.trainees)
        if signed and not any(each.signed_minutes for each in sitting.trainers):
            person = sitting.trainers[0].person if sitting.trainers else None
            yield Gap("NOT_SIGNED_BY_TRAINER", None, person, sitting.day, sitting.slot)


# As warnings ---------------------------------------------------------------------------------------------------


def warnings_about(connection: Connection, account: Account, said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the gaps of an invoice as warnings; what is unknown of it is told by others."""
    found = collect(connection, account, "", said)
    return list(_told(found, gaps(found)))


def _told(found: Collected, every: Sequence[Gap]) -> Iterator[dict[str, Any]]:
    for index, each in enumerate(found.invoiced.trainees, 1):
        yield from _of_one(found, index, each, [gap for gap in every if gap.person == each.person])
    for gap in every:
        if gap.code == "LESS_SIGNED_THAN_INVOICED" and gap.person is None:
            message = f"{_hours(-(gap.minutes or 0))} of the hours invoiced are not signed."
            yield warning("LESS_SIGNED_THAN_INVOICED", message, _COMPLETE, field="quantity")
    unsigned = [_half_day(gap) for gap in every if gap.code == "NOT_SIGNED_BY_TRAINER"]
    if unsigned:
        message = f"No trainer has signed: {_named(unsigned)}."
        yield warning("NOT_SIGNED_BY_TRAINER", message, "Have the trainers sign.")


def _of_one(found: Collected, index: int, each: InvoicedTrainee, mine: Sequence[Gap]) -> Iterator[dict[str, Any]]:
    field = f"trainees[{index}].quantity"
    whole = next((gap for gap in mine if gap.code == "LESS_SIGNED_THAN_INVOICED" and gap.day is None), None)
    if whole is not None and each.quantity is not None:
        invoiced = abs(each.quantity) * MINUTES[found.invoiced.unit]
        signed = round(invoiced) + (whole.minutes or 0)
        message = f"Trainee {index}: {_hours(invoiced)} hours are invoiced, {_hours(signed)} are signed"
        days = [_half_day(gap) for gap in mine if gap.code == whole.code and gap.day is not None]
        message += f"; not signed in full: {_named(days)}." if days else "."
        yield warning("LESS_SIGNED_THAN_INVOICED", message, _COMPLETE, field=field)
    for gap in mine:
        if gap.code == "OUTSIDE_PERIOD":
            message = f"Trainee {index}: {_hours(gap.minutes or 0)} hours are signed around the period, not in it."
            yield warning("OUTSIDE_PERIOD", message, "Compare the period with the invoice.", field=field)


def _hours(minutes: int | Decimal) -> str:
    return f"{Decimal(minutes) / 60:.2f}"


def _half_day(gap: Gap) -> str:
    return f"{gap.day} {gap.slot.lower()}" if gap.slot else str(gap.day)


def _named(half_days: Sequence[str]) -> str:
    named = ", ".join(half_days[:_MOST_NAMED])
    more = len(half_days) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named
