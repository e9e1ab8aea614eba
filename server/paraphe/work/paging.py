"""Pages of a list: how many items one answer holds, and where the next answer begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from ..errors import Code, Error, Refused

MOST = 1000


def limit_of(request: Mapping[str, Any]) -> int:
    """Return how many items the caller wants, 1000 if he does not say; Refused unless it is 1 to 1000."""
    limit: int = request.get("limit", MOST)
    if limit > MOST:
        raise Refused(
            Error(
                Code.LIMIT_EXCEEDED,
                f"One answer holds at most {MOST} items; {limit} were asked for.",
                field="limit",
                hint=f"Ask for at most {MOST} and go on with nextCursor.",
            )
        )
    if limit < 1:
        raise Refused(Error(Code.VALUE_OUT_OF_RANGE, "The limit must be at least 1.", field="limit", value=str(limit)))
    return limit


def cursor_at(kind: str, position: object) -> str:
    """Write a position as a cursor. `kind` names the list and its version ("s1"), so that no other list takes it."""
    return urlsafe_b64encode(f"{kind}:{position}".encode()).decode().rstrip("=")


def position_of(kind: str, cursor: str) -> str:
    """Return the position that `cursor_at` wrote; Refused (INVALID_CURSOR) for anything it did not write."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise invalid_cursor() from None
    name, _, position = text.partition(":")
    if name != kind or not position.isprintable() or cursor_at(name, position) != cursor:
        raise invalid_cursor()
    return position


def invalid_cursor() -> Refused:
    """Say in the same words, whatever is wrong with a cursor, that it is not one of ours."""
    return Refused(
        Error(
            Code.INVALID_CURSOR,
            "This cursor does not come from an earlier answer of this operation to this account.",
            field="cursor",
            hint="Send nextCursor as it was received, or leave the cursor out to begin anew.",
        )
    )
