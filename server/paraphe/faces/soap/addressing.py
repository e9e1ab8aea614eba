"""WS-Addressing 1.0, and its draft of August 2004, as far as an answer on the same connection needs it.

A message with such headers is answered with them: Action, MessageID, RelatesTo, To, and the reference parameters of
its ReplyTo. The operation is the element in the Body, whatever the Action of the message says.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from uuid import uuid4

from lxml import etree

from ...contract import NAMESPACE
from ...errors import Code, Error, Refused
from ...xml.encode import text_of

_2005 = "http://www.w3.org/2005/08/addressing"
_2004 = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
# Where an answer goes that comes back on the connection of its message.
_ANONYMOUS = {_2005: f"{_2005}/anonymous", _2004: f"{_2004}/role/anonymous"}
# The Action of the faults that SOAP itself defines.
_SOAP_FAULT = {_2005: f"{_2005}/soap/fault", _2004: f"{_2004}/fault"}
# What the Action is if the WSDL does not say (WS-Addressing 1.0 Metadata, section 4.4.4).
_ACTION = f"{NAMESPACE}:ExchangePortType"
_ONCE = ("Action", "FaultTo", "From", "MessageID", "ReplyTo", "To")
UNDERSTOOD = frozenset(f"{{{namespace}}}{name}" for namespace in _ANONYMOUS for name in (*_ONCE, "RelatesTo"))
_LONGEST = 10_000  # characters of a message's MessageID and reference parameters, which its answer repeats


class InvalidAddressing(Refused):
    """An addressing header that cannot be followed; `subcodes` name the fault, qualified, the finest one last."""

    def __init__(self, namespace: str, subcode: str, message: str, hint: str) -> None:
        super().__init__(Error(Code.INVALID_ENVELOPE, message, hint=hint))
        coarse = "InvalidAddressingHeader" if namespace == _2005 else "InvalidMessageInformationHeader"
        self.subcodes = [f"{{{namespace}}}{name}" for name in ([coarse, subcode] if namespace == _2005 else [coarse])]


@dataclass(frozen=True, slots=True)
class Addressing:
    """What the addressing headers of a message say about its answer."""

    namespace: str
    message_id: str
    #: Header blocks that the answer, or a fault, repeats.
    parameters: str = ""
    fault_parameters: str = ""

    def of_answer(self, operation: str) -> str:
        """Return the header blocks of the answer of an operation."""
        return self._blocks(f"{_ACTION}:{operation}Response", self.parameters)

    def of_fault(self, operation: str | None, refused: Refused | None) -> str:
        """Return the header blocks of a fault, of one that was met before the `operation` was known or later."""
        if isinstance(refused, InvalidAddressing):
            action = f"{self.namespace}/fault"
        elif operation is None:
            action = _SOAP_FAULT[self.namespace]
        else:
            action = f"{_ACTION}:{operation}:Fault:ServiceFault"
        return self._blocks(action, self.fault_parameters)

    def _blocks(self, action: str, parameters: str) -> str:
        blocks = [("Action", action), ("MessageID", f"urn:uuid:{uuid4()}"), ("To", _ANONYMOUS[self.namespace])]
        if self.message_id:
            blocks.append(("RelatesTo", text_of(self.message_id)))
        written = (f'<wsa:{name} xmlns:wsa="{self.namespace}">{text}</wsa:{name}>' for name, text in blocks)
        return "".join(written) + parameters


def read(headers: Sequence[etree._Element]) -> tuple[Addressing | None, InvalidAddressing | None]:
    """Return what the header blocks say about the answer, and what is wrong with them; None for none.

    Even a fault about them is related to the message. With both editions in one message, the first one counts.
    """
    first = next((block for block in headers if block.tag in UNDERSTOOD), None)
    if first is None:
        return None, None
    namespace = str(etree.QName(first).namespace)
    found: dict[str, etree._Element] = {}
    wrong: InvalidAddressing | None = None
    for block in headers:
        name = etree.QName(block)
        if name.namespace != namespace or name.localname not in _ONCE:
            continue
        if found.setdefault(name.localname, block) is not block:
            message = f"The header {name.localname} of WS-Addressing stands twice."
            wrong = wrong or InvalidAddressing(namespace, "InvalidCardinality", message, "Send each of them once.")
    wrong = wrong or _elsewhere(namespace, found)
    message_id = (found["MessageID"].text or "").strip() if "MessageID" in found else ""
    parameters = _parameters(namespace, found.get("ReplyTo"))
    fault_parameters = _parameters(namespace, found["FaultTo"]) if "FaultTo" in found else parameters
    if len(message_id) + len(parameters) + len(fault_parameters) > _LONGEST:
        message = f"The MessageID and the reference parameters have more than {_LONGEST} characters."
        wrong = wrong or InvalidAddressing(namespace, "InvalidAddress", message, "Send shorter ones.")
        return Addressing(namespace, ""), wrong
    return Addressing(namespace, message_id, parameters, fault_parameters), wrong


def _elsewhere(namespace: str, found: Mapping[str, etree._Element]) -> InvalidAddressing | None:
    for name in ("ReplyTo", "FaultTo"):
        address = found[name].findtext(f"{{{namespace}}}Address", "").strip() if name in found else ""
        if address and address != _ANONYMOUS[namespace]:
            return InvalidAddressing(
                namespace,
                "OnlyAnonymousAddressSupported",
                f"The header {name} asks for an answer at {address[:120]}; answers come on the same connection only.",
                f"Leave {name} out, or send the address {_ANONYMOUS[namespace]}.",
            )
    return None


def _parameters(namespace: str, endpoint: etree._Element | None) -> str:
    """Return the reference parameters of an endpoint as header blocks; too much text for ones that are too long."""
    given = None if endpoint is None else endpoint.find(f"{{{namespace}}}ReferenceParameters")
    written = ""
    for parameter in () if given is None else given:
        block = deepcopy(parameter)
        if namespace == _2005:
            block.set(f"{{{namespace}}}IsReferenceParameter", "true")
        written += etree.tostring(block, encoding="unicode", with_tail=False)
        if len(written) > _LONGEST:
            break
    return written
