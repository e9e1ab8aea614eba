"""The messages that are sent to all servers, each with what its answer must say, and those that only ours take."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from io import BytesIO
from random import Random

from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, StreamObject

from .. import messages
from ..load import NUMBER, Caller
from .running import Running

LISTED = 1000
_NUMBER = NUMBER.decode()
_MB = 1_000_000
_OK = (b"200 OK<", 1)
_NEVER = 1 << 30

#: Gives the bodies that a caller sends in turn; callers are numbered, so that each has items of its own.
Bodies = Callable[[int], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of message, and how it is sent."""

    name: str
    bodies: Bodies
    #: Texts, each with how often it must stand in the answer.
    told: tuple[tuple[bytes, int], ...]
    #: What is sent once before, so that there is something to change.
    seeds: Bodies = lambda _: ()
    account: str = "lists"
    callers: int = 1
    #: Only Paraphe has it.
    ours: bool = False
    #: Seconds without work after which what is done behind the answers is over.
    quiet: float = 0.05
    #: How many messages are sent at most in one measurement.
    most: int = _NEVER
    #: The file that each message must leave in the server's folder, in bytes; 0 if it is not looked for.
    kept: int = 0

    @property
    def title(self) -> str:
        """What a table calls it."""
        return self.name if self.callers == 1 else f"{self.name}, {self.callers} callers"

    def at(self, server: Running) -> list[Caller]:
        """Make its callers."""
        return [self._caller(server, self.bodies(number), self.told) for number in range(self.callers)]

    def seeding(self, server: Running) -> list[Caller]:
        """Make the callers that send what is sent before."""
        made = (self._caller(server, self.seeds(number), (_OK,)) for number in range(self.callers))
        return [caller for caller in made if caller.requests]

    def _caller(self, server: Running, bodies: Sequence[bytes], told: tuple[tuple[bytes, int], ...]) -> Caller:
        return Caller(tuple(server.request(body, self.account) for body in bodies), told=told)


# Students --------------------------------------------------------------------------------------------------------


def new(size: int) -> Workload:
    """Give students that no server has met: their references hold the number of the message."""
    body = messages.sync_students(_NUMBER, f"N-{_NUMBER}", range(size))
    return Workload(f"SyncStudents {size}, new", lambda _: [body], _counted(size, created=size))


def changed(size: int, callers: int = 1) -> Workload:
    """Give known students another address in each message."""

    def bodies(caller: int) -> list[bytes]:
        body = messages.sync_students(_NUMBER, f"C-{callers}-{caller}", range(size))
        return [body.replace(b"<addressLine1>", b"<addressLine1>" + NUMBER + b", ")]

    told = _counted(size, updated=size)
    return Workload(f"SyncStudents {size}, changed", bodies, told, seeds=bodies, callers=callers)


def unchanged(size: int) -> Workload:
    """Give students as they are known."""
    body = messages.sync_students(_NUMBER, "U", range(size))
    return Workload(f"SyncStudents {size}, unchanged", lambda _: [body], _counted(size), seeds=lambda _: [body])


def _counted(size: int, created: int = 0, updated: int = 0) -> tuple[tuple[bytes, int], ...]:
    counts = {"received": size, "created": created, "updated": updated, "unchanged": size - created - updated}
    return (_OK, *((f"{name}>{count}<".encode(), 1) for name, count in counts.items()))


def hundred_thousand(size: int = 100_000) -> Workload:
    """Give a hundred thousand students, all of them new or changed."""
    return replace(changed(size), name=f"SyncStudents {size}", told=(_OK, (f"received>{size}<".encode(), 1)))


# Files -----------------------------------------------------------------------------------------------------------


@cache
def invoice(noise: int = _MB) -> tuple[bytes, int]:
    """Return an invoice that can be read, made long by an image that nobody can compress; and where that begins."""
    image = StreamObject()
    image.set_data(Random(1).randbytes(noise))  # noqa: S311 - the same each time
    fixture = files("paraphe.fixtures").joinpath("invoices", "FAC-2026-041.pdf").read_bytes()
    writer = PdfWriter(clone_from=PdfReader(BytesIO(fixture)))
    writer.root_object[NameObject("/PieceInfo")] = writer._add_object(image)
    written = BytesIO()
    writer.write(written)
    content = written.getvalue()
    return content, content.index(image.get_data()[:100])


def _in_base64(content: bytes, place: int) -> str:
    """Write a file with a number in it, which makes another file of it each time. `place`: where that does no harm."""
    text = b64encode(content).decode()
    begin = place // 3 * 4 + 400
    return text[:begin] + _NUMBER + text[begin + len(_NUMBER) :]


def _sent(content: bytes, place: int) -> bytes:
    said = {"messageId": _NUMBER, "fileName": "FAC-2026-041.pdf", "content": _in_base64(content, place)}
    return messages.asked("SendInvoice", said)


def stored() -> Workload:
    """Give a megabyte that is no PDF: it is stored and a record opened, and nothing is there to be read."""
    body = _sent(Random(2).randbytes(_MB), 0)  # noqa: S311 - the same each time
    told = (_OK, (b"recordNumber>", 2))
    return Workload("SendInvoice 1 MB, stored", lambda _: [body], told, account="files", kept=_MB)


def read() -> Workload:
    """Give a PDF of a megabyte, an invoice which ours reads and holds against the signatures."""
    content, place = invoice()
    return Workload(
        "SendInvoice 1 MB, read",
        lambda _: [_sent(content, place)],
        (_OK, (b"recordNumber>", 2)),
        account="invoices",
        kept=len(content),
    )


def read_and_proved() -> Workload:
    """Give the same invoice to an account whose papers are made, behind the answer."""
    return replace(read(), name="SendInvoice 1 MB, read, papers made", account="papers", ours=True, quiet=1.5, most=2)


def attached() -> Workload:
    """Add a PDF of a megabyte to the first record of the account."""
    content, place = invoice()
    said = {"messageId": _NUMBER, "recordNumber": f"{datetime.now(UTC):%Y}-000001", "documentType": "AGREEMENT"}
    said |= {"title": "Convention", "fileName": "C.pdf", "content": _in_base64(content, place)}
    body = messages.asked("AddSimpleDocument", said)
    return Workload(
        "AddSimpleDocument 1 MB",
        lambda _: [body],
        (_OK, (b"documentId>", 2)),
        seeds=lambda _: [_sent(b"no PDF" * 200, 0)],
        account="files",
        ours=True,
        most=30,
        kept=len(content),
    )


# All -------------------------------------------------------------------------------------------------------------

_check_connection = Workload("CheckConnection", lambda _: [messages.check_connection()], (_OK,))
_get_record_list = Workload(
    f"GetRecordList {LISTED}",
    lambda _: [messages.get_record_list()],
    (_OK, (b"recordIndex>", 2 * LISTED), (b"amountInclVat>", 2 * LISTED)),
)


def _signatures(said: dict[str, object], name: str, told: tuple[bytes, int]) -> Workload:
    body = messages.asked("GetSignatureList", {"modifiedSince": "2020-01-01T00:00:00Z", **said, "limit": LISTED})
    expected = (_OK, (b"<personReference>", LISTED), told)
    return Workload(f"GetSignatureList {LISTED}{name}", lambda _: [body], expected, account="signatures", ours=True)


def one_caller(sizes: Sequence[int] = (1, 100, 1000), largest: int = 10_000) -> list[Workload]:
    """Return what is sent by one caller; of `largest` students (0: of none) only the unchanged ones."""
    return [
        _check_connection,
        *(make(size) for size in sizes for make in (new, changed, unchanged)),
        *([unchanged(largest)] if largest else []),
        _get_record_list,
        _signatures({}, "", (b"<image>", 0)),
        _signatures({"includeImages": "true"}, " with images", (b"<image>", LISTED)),
        stored(),
        read(),
        read_and_proved(),
        attached(),
    ]


def asked_of_postgresql() -> list[Workload]:
    """Return the messages whose round trips are counted."""
    return [_check_connection, *(changed(size) for size in (1, 100, 1000, 2000, 10_000))]


def eight_callers() -> list[Workload]:
    """Return what is sent by eight callers at once."""
    lists = [replace(each, callers=8) for each in (_check_connection, _get_record_list)]
    return [lists[0], *(changed(size, 8) for size in (1, 100, 1000)), lists[1], replace(stored(), callers=8)]
