"""The messages that are sent to databases of all sizes. Each answers with as many items whatever the size."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from paraphe import store
from paraphe.work.paging import cursor_at

from . import grown, messages
from .grown import CLASS, DAILY
from .grown_house import House

_EARLY = "2000-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages of an account, which are alike."""

    name: str
    bodies: Callable[[House, int], Sequence[bytes]]
    caller: str = "great"

    def prepare(self, house: House, turn: int) -> Callable[[], tuple[int, int]]:
        """Write the messages; return what sends them."""
        key = house.cast.small[0] if self.caller == "small" else getattr(house.cast, self.caller)
        bodies = self.bodies(house, turn)

        def send() -> tuple[int, int]:
            answers = [house.post(key, body) for body in bodies]
            return len(bodies), sum(map(_items, answers))

        return send


def _items(answer: bytes) -> int:
    return answer.count(b"personReference>") + answer.count(b"recordNumber>") + answer.count(b"action>")


@dataclass(frozen=True, slots=True)
class Signing:
    """A class signs in a course of the day, which was synchronised in this turn."""

    name: str

    def prepare(self, house: House, turn: int) -> Callable[[], tuple[int, int]]:
        """Say who signs; return what stores it."""
        people = [f"STU-{number:06d}" for number in range(CLASS)]

        def sign() -> tuple[int, int]:
            house.sign(house.cast.great, f"NEW-{turn}-0", people)
            return 1, CLASS

        return sign


def _asked(operation: str, elements: Mapping[str, object], times: int = 3) -> list[bytes]:
    return [messages.asked(operation, elements)] * times


# Signatures ------------------------------------------------------------------------------------------------------


def _signed_on(house: House, course: int) -> str:
    """Return when the class of a course signed; of the great account every second course is."""
    day, minute = divmod(course, 2 * DAILY)
    moment = grown.first_day(house.size, house.now) + timedelta(days=day, hours=8, minutes=minute)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _since(back: float, **filters: str | int) -> Callable[[House, int], Sequence[bytes]]:
    """Ask for what changed since a class signed: the fiftieth last one (0), the middle one (0.5), the first one (1)."""

    def bodies(house: House, _: int) -> Sequence[bytes]:
        classes = house.size.courses // 2
        course = 2 * int((classes - 50) * (1 - back))
        return _asked("GetSignatureList", {"modifiedSince": _signed_on(house, course), **filters})

    return bodies


def _cursor_in_the_middle(house: House, _: int) -> Sequence[bytes]:
    return _asked("GetSignatureList", {"cursor": cursor_at("s1", house.size.attendance // 4)})


def _cursor_at_the_end(house: House, _: int) -> Sequence[bytes]:
    with store.reading(house.engine) as connection:
        ours = store.account.c.id == house.cast.great.account.id
        last = connection.scalar(select(store.account.c.last_revision).where(ours))
    return _asked("GetSignatureList", {"cursor": cursor_at("s1", last)}, 20)


def _period(days: int | None) -> Callable[[House, int], Sequence[bytes]]:
    """Ask for the last day, or for all days."""

    def bodies(house: House, _: int) -> Sequence[bytes]:
        begin = grown.first_day(house.size, house.now).date()
        last = begin + timedelta(days=house.size.courses // (2 * DAILY) - 1)
        return _asked("GetSignatureList", {"periodStart": last if days else begin, "periodEnd": last})

    return bodies


_SIGNATURES = (
    Messages("GetSignatureList, nothing new behind the cursor", _cursor_at_the_end),
    Messages("GetSignatureList 1000, cursor in the middle", _cursor_in_the_middle),
    Messages("GetSignatureList 1000, modifiedSince at the end", _since(0)),
    Messages("GetSignatureList 1000, modifiedSince in the middle", _since(0.5)),
    Messages("GetSignatureList of a course (20)", _since(1, courseReference="CRS-000200")),
    Messages("GetSignatureList 200, of a student", _since(1, studentReference="STU-000003", limit=200)),
    Messages("GetSignatureList 200, status ABSENT", _since(1, status="ABSENT", limit=200)),
    Messages("GetSignatureList, a rare status (10)", _since(1, status="EXCUSED")),
    Messages("GetSignatureList 1000, period of one day", _period(1)),
    Messages("GetSignatureList 1000, period of all days", _period(None)),
    Messages("GetSignatureList 1000, of a small account", _since(0.5), "small"),
)

# Records ---------------------------------------------------------------------------------------------------------


def _number(house: House, count: int) -> str:
    return f"{house.now.year}-{count:06d}"


def _records(**filters: str | int) -> Callable[[House, int], Sequence[bytes]]:
    return lambda house, _: _asked("GetRecordList", filters)


def _records_in_the_middle(house: House, _: int) -> Sequence[bytes]:
    return _asked("GetRecordList", {"cursor": cursor_at("r1", _number(house, house.size.records // 4))})


def _opened_on(house: House, count: int) -> datetime:
    row = (count - 1) // 2 * 4 + (count - 1) % 2
    return house.now - timedelta(days=1000) + timedelta(seconds=row * 86_400_000 / house.size.records)


def _records_of_late(house: House, _: int) -> Sequence[bytes]:
    begin = _opened_on(house, house.size.records // 2 - 999)
    return _asked("GetRecordList", {"limit": 900, "createdFrom": f"{begin:%Y-%m-%dT%H:%M:%SZ}"})


def _records_of_early_days(house: House, _: int) -> Sequence[bytes]:
    end = _opened_on(house, 900)
    return _asked("GetRecordList", {"limit": 800, "includeExtracted": "true", "createdTo": f"{end:%Y-%m-%dT%H:%M:%SZ}"})


def _acknowledged(house: House, turn: int) -> Sequence[bytes]:
    first = house.size.records // 4 + 1100 + turn * 1000
    return [messages.acknowledge([_number(house, count) for count in range(first, first + 1000)])]


def _opened(house: House, turn: int) -> Sequence[bytes]:
    return [messages.send_invoicing_info(f"INFO-{turn}-{number}", number) for number in range(20)]


_RECORDS = (
    Messages("GetRecordList 1000, from the beginning", _records()),
    Messages("GetRecordList 1000, cursor in the middle", _records_in_the_middle),
    Messages("GetRecordList 1000, includeExtracted", _records(includeExtracted="true")),
    Messages("GetRecordList 1000, status READY", _records(status="READY")),
    Messages("GetRecordList 900, createdFrom lately", _records_of_late),
    Messages("GetRecordList 800, createdTo early", _records_of_early_days),
    Messages("GetRecordList of an invoice number (1)", _records(invoiceNumber="FAC-000777")),
    Messages("GetRecordList, all extracted but 10", _records(), "done"),
    Messages("GetRecordList of a small account (10)", _records(), "small"),
    Messages(
        "GetRecord INDEX",
        lambda house, _: _asked(
            "GetRecord", {"recordNumber": _number(house, house.size.records // 4), "format": "INDEX"}, 20
        ),
    ),
    Messages("AcknowledgeRecords 1000", _acknowledged),
    Messages("SendInvoicingInfo", _opened),
)

# Everything ------------------------------------------------------------------------------------------------------


def _students(state: str) -> Callable[[House, int], Sequence[bytes]]:
    def bodies(_: House, turn: int) -> Sequence[bytes]:
        return [
            messages.sync_students(
                f"{state}-{turn}-{part}", f"NEW{turn}-{part}", range(100), changed=state == "changed"
            )
            for part in range(3)
        ]

    return bodies


def _courses(house: House, turn: int) -> Sequence[bytes]:
    people = [f"STU-{number:06d}" for number in range(CLASS)]
    tomorrow = (house.now + timedelta(days=1)).date().isoformat()
    names = [f"NEW-{turn}-{number}" for number in range(100)]
    return [messages.sync_courses(f"courses-{turn}", names, tomorrow, people)]


def _again(house: House, turn: int) -> Sequence[bytes]:
    return [messages.sync_students("again", "AGAIN", range(1))] * (20 if turn else 1)


WORKLOADS = (
    Messages("CheckConnection", lambda house, _: [messages.check_connection()] * 50),
    Messages("SyncStudents 100, new", _students("new")),
    Messages("SyncStudents 100, changed", _students("changed")),
    Messages("SyncCourses 100, new", _courses),
    Messages("SyncStudents 1, sent again", _again),
    Signing("20 participants sign"),
    *_SIGNATURES,
    *_RECORDS,
)
