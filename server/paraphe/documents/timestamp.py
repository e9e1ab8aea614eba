"""Time stamps by RFC 3161: an authority signs a digest together with its own clock."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Authority:
    """Where time stamps come from. It has `seconds` for each, all in all."""

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    seconds: float = 3.0
