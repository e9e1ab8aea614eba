"""What can be wrong between what clients were told and what is stored."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a promise was broken."""

    LOSS = "LOSS"  # answered with 200 OK, and not stored as sent
    DOUBLE = "DOUBLE"  # stored more often than it was answered
    REMNANT = "REMNANT"  # stored, though it was refused, was a dry run, or nobody ever sent it
    HALF = "HALF"  # stored in part
    DIGEST = "DIGEST"  # a file is not what its row says
    ANSWER = "ANSWER"  # two answers, or an answer and what is stored, contradict each other
    JOURNAL = "JOURNAL"  # the journal tells another story
    DAMAGE = "DAMAGE"  # the database says of itself that it is damaged


@dataclass(frozen=True)
class Finding:
    """One broken promise."""

    kind: Kind
    sentence: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.sentence}"
