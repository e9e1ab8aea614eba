"""What the papers say, as JSON for templates: facts counted together, nothing worded.

Dates and moments are ISO 8601, durations are hours in hundredths ("7.50"), what is not known is an empty text.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .facts import (
    Attached,
    Gap,
    Invoiced,
    InvoicedTrainee,
    Issue,
    Organisation,
    Person,
    Presence,
    Sitting,
    Training,
    by_name,
)
from .images import Pictures

Said = dict[str, Any]
#: What becomes of planned minutes.
_KINDS = ("planned", "signed", "justified", "unjustified", "unsigned")


def hours(minutes: int) -> str:
    """Write minutes as hours in hundredths, rounded half up: 440 are "7.33", -440 are "-7.33"."""
    return f"{_sign(minutes)}{_hundredths(abs(minutes)).scaleb(-2):.2f}"


def _hundredths(minutes: int) -> Decimal:
    return Decimal((10 * minutes + 3) // 6)


def _sign(number: int) -> str:
    return "-" if number < 0 else ""


def _text(value: date | datetime | None) -> str:
    if value is None:
        return ""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()


# People and places ---------------------------------------------------------------------------------------------


def issue(given: Issue) -> Said:
    """Say what makes this paper this paper."""
    return {
        "document_id": given.document_id,
        "created_on": _text(given.created_on),
        "record_number": given.record_number,
        "url": given.url,
        "specimen": given.specimen,
    }


def organisation(given: Organisation, pictures: Pictures) -> Said:
    """Say who trains."""
    return {
        "name": given.name,
        "siret": given.siret,
        "activity_number": given.activity_number,
        "address": list(given.address),
        "city": given.city,
        "representative": person(given.representative) if given.representative else {},
        "quality": given.quality,
        "logo": pictures.logo(given.logo),
    }


def person(given: Person) -> Said:
    """Say who somebody is."""
    return {
        "reference": given.reference,
        "civility": given.civility,
        "last_name": given.last_name,
        "first_name": given.first_name,
        "employer": given.employer,
        "standing": given.standing.value,
    }


def training(given: Training) -> Said:
    """Say what is taught."""
    return {
        "name": given.name,
        "number": given.number,
    }


def nature(trainees: Iterable[Person]) -> str:
    """Say by which of the ways of Code du travail, L.6313-1, they are taught; of more than one, the general one."""
    everybody = list(trainees)
    return "APPRENTICESHIP" if everybody and all(each.is_apprentice for each in everybody) else "TRAINING"


# Sittings ------------------------------------------------------------------------------------------------------


def sitting(given: Sitting) -> Said:
    """Say what a sitting is, without the people in it."""
    return {
        "reference": given.reference,
        "name": given.name,
        "module": given.module,
        "date": given.day.isoformat(),
        "slot": given.slot.value,
        "start": _text(given.start),
        "end": _text(given.end),
        "length": hours(given.minutes),
        "place": given.place,
        "modality": given.modality,
    }


def presence(given: Presence, planned: int, pictures: Pictures) -> Said:
    """Say whether somebody was there, and what became of the `planned` minutes."""
    image = pictures.signature(given.image)
    return {
        "person": person(given.person),
        "status": given.status,
        "mark": _mark(given),
        "late": given.late,
        "signed_on": _text(given.signed_on),
        "received_on": _text(given.received_on),
        "arrived_at": _text(given.arrived_at),
        "left_at": _text(given.left_at),
        "justification": given.justification,
        "image": image,
        "image_unreadable": bool(given.image) and not image,
        "url": given.url,
        "hours": _as_hours(_spent(given, planned)),
    }


def _mark(given: Presence) -> str:
    """Return what stands in the place of the signature. DECLARED is present by the centre's word, unsigned."""
    if given.signed_on or given.image:
        return "SIGNED"
    if given.status in ("ABSENT", "EXCUSED"):
        return given.status
    return "NOT_SIGNED" if given.status == "EXPECTED" else "DECLARED"


def _spent(given: Presence, planned: int) -> Counter[str]:
    """Divide the planned minutes: signed, missed with a reason, missed without, not signed so far."""
    spent = Counter(planned=planned, signed=given.signed_minutes)
    missed = max(0, planned - given.signed_minutes)
    if given.status == "EXPECTED":
        spent["unsigned"] = missed
    elif given.justified or given.justification:
        spent["justified"] = missed
    elif _mark(given) == "DECLARED" and not given.signed_minutes:
        spent["unsigned"] = missed
    else:
        spent["unjustified"] = missed
    return spent


def _as_hours(spent: Counter[str]) -> dict[str, str]:
    return {kind: hours(spent[kind]) for kind in _KINDS}


def attended(sittings: Iterable[Sitting], who: Person, pictures: Pictures) -> list[Said]:
    """Say of each sitting of a trainee what it is and whether the trainee was there; those without are passed over."""
    lines = ((each, each.of(who)) for each in _by_time(sittings))
    return [sitting(each) | presence(there, each.minutes, pictures) for each, there in lines if there]


def totals(sittings: Iterable[Sitting], people: Iterable[Person]) -> dict[str, str]:
    """Add up the hours of some trainees. The sum is made in minutes, so it may differ from that of rounded lines."""
    return _as_hours(_sum(sittings, people))


def signed_minutes(sittings: Iterable[Sitting], people: Iterable[Person]) -> int:
    """Add up the signed minutes of some trainees."""
    return _sum(sittings, people)["signed"]


def _sum(sittings: Iterable[Sitting], people: Iterable[Person]) -> Counter[str]:
    references = {each.reference for each in people}
    return sum(
        (
            _spent(there, each.minutes)
            for each in sittings
            for there in each.trainees
            if there.person.reference in references
        ),
        Counter[str](),
    )


def modalities(sittings: Sequence[Sitting], who: Person) -> list[Said]:
    """Divide the hours of a trainee by modality; on site also by whether the trainee was alone with the trainer."""
    kinds: dict[str, list[Sitting]] = {}
    for each in sittings:
        alone = each.modality == "ON_SITE" and len(each.trainees) == 1
        kinds.setdefault("ON_SITE_ALONE" if alone else each.modality, []).append(each)
    return [{"modality": kind, **totals(those, [who])} for kind, those in sorted(kinds.items())]


def _by_time(sittings: Iterable[Sitting]) -> list[Sitting]:
    return sorted(sittings, key=lambda each: (each.start, each.reference))


def people_in(sittings: Sequence[Sitting], pictures: Pictures, *, trainers: bool) -> list[Said]:
    """Say of everybody in the sittings who it is, and per sitting whether they were there (empty if not in it)."""
    found: dict[str, Person] = {}
    cells: dict[tuple[str, int], Said] = {}
    for number, each in enumerate(sittings):
        for there in each.trainers if trainers else each.trainees:
            found[there.person.reference] = there.person
            cells[there.person.reference, number] = presence(there, each.minutes, pictures)
    return [
        {**person(who), "presences": [cells.get((who.reference, number), {}) for number in range(len(sittings))]}
        for who in by_name(found.values())
    ]


# Invoices and documents ----------------------------------------------------------------------------------------


def invoiced(given: Invoiced) -> Said:
    """Say what the invoice says."""
    return {
        "record_number": given.record_number,
        "invoice_number": given.invoice_number,
        "invoice_date": _text(given.invoice_date),
        "period_start": _text(given.period_start),
        "period_end": _text(given.period_end),
        "payer_name": given.payer_name,
        "contract_number": given.contract_number,
        "file_number": given.file_number,
        "quantity": _quantity(given.quantity),
        "unit": given.unit,
    }


def invoiced_trainee(given: InvoicedTrainee) -> Said:
    """Say what the invoice says of a trainee."""
    return {
        "person": person(given.person),
        "invoiced": _quantity(given.quantity),
        "unit": given.unit,
        "contract_number": given.contract_number,
        "file_number": given.file_number,
    }


def _quantity(given: Decimal | None) -> str:
    return "" if given is None else f"{given:.2f}"


def delta(signed: int, quantity: Decimal | None, unit: str) -> str:
    """Return signed minus invoiced hours; empty if the invoice does not count in hours."""
    if quantity is None or unit != "HOUR":
        return ""
    return f"{_hundredths(signed).scaleb(-2) - quantity:.2f}"


def gap(given: Gap) -> Said:
    """Say where invoice and signatures differ."""
    return {
        "code": given.code,
        "hours": "" if given.minutes is None else hours(given.minutes),
        "person": person(given.person) if given.person else {},
        "date": _text(given.day),
        "slot": given.slot.value if given.slot else "",
    }


def attached(given: Attached) -> Said:
    """Say which document belongs to the record."""
    return {
        "document_type": given.document_type,
        "title": given.title,
        "file_name": given.file_name,
        "sha256": given.sha256,
        "size_bytes": given.size_bytes,
        "level": given.level,
    }


def span(
    sittings: Sequence[Sitting], invoice: Invoiced, *, whole_period: bool = False
) -> tuple[date | None, date | None]:
    """Return first and last day of the sittings; the period of the invoice if there are none, or if asked for."""
    if sittings and not (whole_period and invoice.period_start and invoice.period_end):
        return min(each.day for each in sittings), max(each.end.date() for each in sittings)
    return invoice.period_start, invoice.period_end


def months(first: date | None, last: date | None) -> str:
    """Count months from the first to the last day, both included, in hundredths: 1 to 30 September is "1.00".

    Days beyond whole months count as a share of the month in which the next one would end.
    """
    if first is None or last is None or last < first:
        return ""
    end = date.fromordinal(last.toordinal() + 1)
    whole = 12 * (end.year - first.year) + end.month - first.month
    if _later(first, whole) > end:
        whole -= 1
    reached, following = _later(first, whole), _later(first, whole + 1)
    share = Decimal((end - reached).days) / (following - reached).days
    return f"{whole + share:.2f}"


def _later(day: date, count: int) -> date:
    """Return the same day `count` months later, or the first of the month after if there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        return date(year + (month == 11), (month + 1) % 12 + 1, 1)
