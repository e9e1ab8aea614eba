"""How a message is answered: what is found out about its caller's way while it is read, and applied at the end."""

from dataclasses import dataclass

from ...call import Answer
from ...contract import Operation
from ...errors import Code, Refused
from ...spool import Apart, Body, joined
from ...xml.arrival import Arrival
from ...xml.request import Request
from . import envelope
from .addressing import Addressing, InvalidAddressing
from .envelope import NotUnderstood
from .mtom import Attached, Package


@dataclass(slots=True)
class Manner:
    """What is known so far: the SOAP version, whether binaries may go beside the envelope, where to address it.

    `package` and `arrival` are the request's, until what it refers to is taken; `request` is what it says,
    until the operation takes it. `media_type` is that of the answer which was written last,
    `status` that of HTTP which it comes with.
    """

    version: str
    with_attachments: bool = False
    addressing: Addressing | None = None
    package: Package | None = None
    arrival: Arrival | None = None
    request: Request | None = None
    media_type: str = ""
    status: int = 200

    def write_answer(self, operation: Operation, answer: Answer) -> Body:
        """Write the answer of an operation."""
        self.media_type = envelope.MEDIA_TYPES[self.version]
        header = self.addressing.of_answer(operation.name) if self.addressing else ""
        if not self.with_attachments:
            apart = Apart()
            return apart.joined(envelope.write_answer(self.version, operation, answer, header, apart.mark))
        attached = Attached()
        message = envelope.write_answer(self.version, operation, answer, header, attached.attach)
        if not attached:
            return joined([message])
        self.media_type = attached.media_type(self.version)
        return attached.package(self.version, message)

    def write_fault(self, code: Code, answer: Answer, operation: str | None, refused: Refused | None = None) -> Body:
        """Write a fault; `operation` is the name of the one that was asked for, if that is known."""
        self.media_type = envelope.MEDIA_TYPES[self.version]
        header = self.addressing.of_fault(operation, refused) if self.addressing else ""
        subcodes = refused.subcodes if isinstance(refused, InvalidAddressing) else ()
        if isinstance(refused, NotUnderstood) and self.version == "1.2":
            header = refused.blocks() + header
        return joined([envelope.write_fault(self.version, code, answer, header, subcodes)])
