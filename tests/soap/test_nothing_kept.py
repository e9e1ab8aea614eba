"""A refused message is forgotten when its answer is sent, not at some garbage collection: strangers send large ones."""

import gc

import pytest

pytestmark = pytest.mark.slow

MANY = "<a/>" * 1000
REFUSED = {
    "INVALID_ENVELOPE": f"<CheckConnection/><CheckConnection>{MANY}</CheckConnection>",
    "UNKNOWN_OPERATION": f"<Nothing>{MANY}</Nothing>",
    "CREDENTIALS_REQUIRED": f"<SyncStudents><students>{MANY}</students></SyncStudents>",
    "MALFORMED_MESSAGE": f"<CheckConnection>{MANY}",
}


def trees():
    return sum(type(each).__name__ == "_Document" for each in gc.get_objects())


@pytest.mark.parametrize("code", REFUSED)
def test_a_refused_message_is_not_kept(caller, code):
    one = caller.again()
    if code == "CREDENTIALS_REQUIRED":
        one.session.auth = None
    assert one.post(REFUSED[code]).codes[0] == code
    gc.collect()
    gc.disable()
    try:
        before = trees()
        for _ in range(5):
            one.post(REFUSED[code])
        # The answers were parsed, too, by the caller; those do not stay.
        assert trees() <= before + 1
    finally:
        gc.enable()
