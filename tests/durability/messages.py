"""The load: messages of all writing operations, as one program of a training centre sends them, drawn from a seed.

Each message bears a *token*, a name that no other one has, in what it stores; so everything that is stored can be
traced to who sent it.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from .repositories import REPOSITORIES

_MOST_ITEMS = 400


@dataclass(frozen=True)
class Message:
    """What is to be sent, and the same with a digest in the place of the file."""

    operation: str
    request: dict[str, Any]
    noted: dict[str, Any]


@dataclass
class Writer:
    """Draws the messages of one program: it alone writes its repositories and its records."""

    name: str
    random: Random
    repositories: Sequence[str]
    records: list[str] = field(default_factory=list)
    _drawn: int = 0
    _known: dict[str, int] = field(default_factory=dict)

    def draw(self) -> Message:
        """Return the next message."""
        self._drawn += 1
        token = f"{self.name}-{self._drawn}"
        makers = [self._sync, self._sync, self._send_invoice, self._send_info]
        if self.records:
            makers += [self._add, self._add, self._review, self._acknowledge]
        operation, request = self.random.choice(makers)(token)
        if self.random.random() < 0.7:
            request = {"messageId": token, **request}
        noted = request
        if "content" in request:
            content = request["content"]
            digest = {"sha256": hashlib.sha256(content).hexdigest(), "sizeBytes": len(content)}
            noted = request | {"content": digest}
            request = request | {"content": base64.b64encode(content).decode()}
        return Message(operation, request, noted)

    # Repositories

    def _sync(self, token: str) -> tuple[str, dict[str, Any]]:
        operation = self.random.choice(self.repositories)
        options: dict[str, Any] = {}
        if self.random.random() < 0.3:
            options["mode"] = "REPLACE"
            if self.random.random() < 0.8:
                options["maxRemovals"] = 100_000
        if self.random.random() < 0.4:
            options["onError"] = "KEEP_VALID"
        if self.random.random() < 0.1:
            options["dryRun"] = True
        items = [_item(operation, reference, token) for reference in self._references(operation)]
        if self.random.random() < 0.3:
            self.random.choice(items).update(_WRONG.get(operation, {"start": "2026-09-02", "end": "2026-09-01"}))
        return operation, options | {REPOSITORIES[operation][0]: items}

    def _references(self, operation: str) -> list[str]:
        """Some that are known, some that are new; mostly few, now and then hundreds."""
        known = self._known.get(operation, 0)
        size = self.random.choice([1, 3, 10, 30, self.random.randint(100, _MOST_ITEMS)])
        new = self.random.randint(0, size) if known < 2 * _MOST_ITEMS else 0
        self._known[operation] = known + new
        old = self.random.sample(range(known), min(known, size - new))
        numbers = [*old, *range(known, known + new)] or [0]
        self._known[operation] = max(self._known[operation], 1)
        self.random.shuffle(numbers)
        return [f"{REPOSITORIES[operation][1]}-{number}" for number in numbers]

    # Records

    def _send_invoice(self, token: str) -> tuple[str, dict[str, Any]]:
        return "SendInvoice", {**self._file(token), "hints": {"invoiceNumber": token}}

    def _send_info(self, token: str) -> tuple[str, dict[str, Any]]:
        return "SendInvoicingInfo", {"invoice": _invoice(token)}

    def _add(self, token: str) -> tuple[str, dict[str, Any]]:
        at = {"recordNumber": self.random.choice(self.records[-20:])}
        if self.random.random() < 0.5:
            return "AddSimpleInvoice", at | self._file(token)
        return "AddSimpleDocument", at | {"documentType": "AGREEMENT", "title": token} | self._file(token)

    def _review(self, token: str) -> tuple[str, dict[str, Any]]:
        return "ReviewRecord", {"recordNumber": self.random.choice(self.records[-5:]), "invoice": _invoice(token)}

    def _acknowledge(self, token: str) -> tuple[str, dict[str, Any]]:
        among = self.records[-20:]
        return "AcknowledgeRecords", {"recordNumbers": self.random.sample(among, self.random.randint(1, len(among)))}

    def _file(self, token: str) -> dict[str, Any]:
        size = self.random.choice([1_000, 20_000, 200_000, 600_000])
        content = b"%PDF-1.4\n%" + token.encode() + b"\n" + self.random.randbytes(size) + b"\n%%EOF\n"
        return {"fileName": token, "content": content}


#: What the schema lets pass and the rules do not; for people it is an end before the start.
_WRONG = {
    "SyncClassrooms": {"type": "SITE", "siteReference": "S-1"},
    "SyncCourses": {"start": "2026-09-02T09:00:00Z", "end": "2026-09-01T09:00:00Z"},
}


def _item(operation: str, reference: str, token: str) -> dict[str, Any]:
    both = {"reference": reference, "data": {"data1": token}}
    match operation:
        case "SyncStudents" | "SyncTeachers":
            return both | {"lastName": token, "firstName": "Dominique", "start": "2026-09-01"}
        case "SyncClassrooms":
            return both | {"name": token, "type": "ROOM"}
        case "SyncCourses":
            return both | {"name": token, "start": "2026-09-01T09:00:00Z", "end": "2026-09-01T12:00:00Z"}
    return both | {"organisation": token, "type": "EMPLOYER"}


def _invoice(token: str) -> dict[str, Any]:
    amount = "90.00"
    return {
        "invoiceNumber": token,
        "invoiceDate": "2026-09-21",
        "periodStart": "2026-09-01",
        "periodEnd": "2026-09-18",
        "payerName": "OPCO Horizon",
        "quantity": "3.00",
        "unit": "HOUR",
        "amountExclVat": amount,
        "vatAmount": "0.00",
        "amountInclVat": amount,
        "trainees": [{"lastName": "Exemple", "firstName": "Dominique", "quantity": "3.00"}],
    }
