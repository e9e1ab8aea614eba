"""The service-fait check: hours invoiced against hours signed, for each trainee and half-day.

A difference is a *gap* with its reason. It stands on the statement and among the warnings of the answer, and refuses
nothing: the payer asks, and the training centre has the answer ready.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from ..accounts import Account
from ..documents.facts import Gap, Invoiced, InvoicedTrainee, Presence, Sitting
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


def _invoiced_minutes(invoiced: Invoiced, lines: Iterable[InvoicedTrainee]) -> Decimal | None:
    """Add up what lines of an invoice say, each in its own unit; None if none has a quantity that has a length."""
    units = ((line, MINUTES.get(line.unit or invoiced.unit)) for line in lines)
    every = [line.quantity * minutes for line, minutes in units if minutes and line.quantity is not None]
    return sum(every, Decimal()) if every else None


_Attended = list[tuple[Sitting, Presence]]


def _by_trainee(sittings: Sequence[Sitting]) -> dict[str, _Attended]:
    """Return the sittings that each trainee was to be in, by references: one pass, however many there are of both."""
    found: dict[str, _Attended] = {}
    for sitting in sittings:
        for there in sitting.trainees:
            found.setdefault(there.person.reference, []).append((sitting, there))
    return found


def _of_trainees(found: Collected) -> Iterator[Gap]:
    """Compare what all lines of a trainee say together: a signature stands for one of them only."""
    attended = _by_trainee(found.sittings)
    for reference, lines in _by_reference(found.invoiced).items():
        if not reference:
            yield from (Gap("UNKNOWN_TRAINEE", person=each.person) for _, each in lines)
            continue
        person, mine = lines[0][1].person, attended.get(reference, [])
        invoiced = _invoiced_minutes(found.invoiced, (each for _, each in lines))
        if (missing := _shortfall(invoiced, [there for _, there in mine])) is not None:
            yield Gap("LESS_SIGNED_THAN_INVOICED", -missing, person)
            yield from _half_days(mine)
            if outside := found.outside.get(reference):
                yield Gap("OUTSIDE_PERIOD", outside, person)


def _by_reference(invoiced: Invoiced) -> dict[str, list[tuple[int, InvoicedTrainee]]]:
    """Return the lines of each trainee with their numbers; under "" those that name nobody who is known."""
    found: dict[str, list[tuple[int, InvoicedTrainee]]] = {}
    for index, each in enumerate(invoiced.trainees, 1):
        found.setdefault(each.person.reference, []).append((index, each))
    return found


def _shortfall(invoiced: Decimal | None, presences: Sequence[Presence]) -> int | None:
    """Return the minutes that are invoiced and not signed; None if there are none, or nothing to compare."""
    if invoiced is None:
        return None
    missing = abs(invoiced) - sum(there.signed_minutes for there in presences)
    return round(missing) if missing > _ROUNDED * (len(presences) + 1) else None


def _half_days(attended: _Attended) -> Iterator[Gap]:
    for sitting, there in attended:
        if there.signed_minutes < sitting.minutes:
            minutes = there.signed_minutes - sitting.minutes
            yield Gap("LESS_SIGNED_THAN_INVOICED", minutes, there.person, sitting.day, sitting.slot)


def _of_the_whole(found: Collected) -> Iterator[Gap]:
    """Compare the invoice's total, where the quantities of its trainees do not make it."""
    invoiced = found.invoiced
    known = {each.person.reference for each in invoiced.trainees} - {""}
    minutes = MINUTES.get(invoiced.unit)
    if invoiced.quantity is None or minutes is None or not known:
        return
    total = abs(invoiced.quantity) * minutes
    if abs(_invoiced_minutes(invoiced, invoiced.trainees) or Decimal()) >= total:
        return
    presences = [each for sitting in found.sittings for each in sitting.trainees if each.person.reference in known]
    if (missing := _shortfall(total, presences)) is not None:
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
    theirs: dict[str, list[Gap]] = {}
    for gap in every:
        if gap.person is not None and gap.code in ("LESS_SIGNED_THAN_INVOICED", "OUTSIDE_PERIOD"):
            theirs.setdefault(gap.person.reference, []).append(gap)
    for reference, lines in _by_reference(found.invoiced).items():
        yield from _of_one(found.invoiced, lines, theirs.get(reference, []))
    for gap in every:
        if gap.code == "LESS_SIGNED_THAN_INVOICED" and gap.person is None:
            message = f"{_hours(-(gap.minutes or 0))} of the hours invoiced are not signed."
            yield warning("LESS_SIGNED_THAN_INVOICED", message, _COMPLETE, field="quantity")
    unsigned = [_half_day(gap) for gap in every if gap.code == "NOT_SIGNED_BY_TRAINER"]
    if unsigned:
        message = f"No trainer has signed: {_named(unsigned)}."
        yield warning("NOT_SIGNED_BY_TRAINER", message, "Have the trainers sign.")


def _of_one(
    invoiced: Invoiced, lines: Sequence[tuple[int, InvoicedTrainee]], mine: Sequence[Gap]
) -> Iterator[dict[str, Any]]:
    """Tell the gaps of a trainee, at the first of the lines that name him."""
    field = f"trainees[{lines[0][0]}].quantity"
    who = f"Trainee {', '.join(str(index) for index, _ in lines)}"
    whole = next((gap for gap in mine if gap.code == "LESS_SIGNED_THAN_INVOICED" and gap.day is None), None)
    if whole is not None:
        minutes = abs(_invoiced_minutes(invoiced, (each for _, each in lines)) or Decimal())
        signed = round(minutes) + (whole.minutes or 0)
        message = f"{who}: {_hours(minutes)} hours are invoiced, {_hours(signed)} are signed"
        days = [_half_day(gap) for gap in mine if gap.code == whole.code and gap.day is not None]
        message += f"; not signed in full: {_named(days)}." if days else "."
        yield warning("LESS_SIGNED_THAN_INVOICED", message, _COMPLETE, field=field)
    for gap in mine:
        if gap.code == "OUTSIDE_PERIOD":
            message = f"{who}: {_hours(gap.minutes or 0)} hours are signed around the period, not in it."
            yield warning("OUTSIDE_PERIOD", message, "Compare the period with the invoice.", field=field)


def _hours(minutes: int | Decimal) -> str:
    return f"{Decimal(minutes) / 60:.2f}"


def _half_day(gap: Gap) -> str:
    return f"{gap.day} {gap.slot.lower()}" if gap.slot else str(gap.day)


def _named(half_days: Sequence[str]) -> str:
    named = ", ".join(half_days[:_MOST_NAMED])
    more = len(half_days) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named
