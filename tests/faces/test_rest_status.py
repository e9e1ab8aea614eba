"""The closed table from error codes to HTTP statuses."""

from paraphe.errors import Code
from paraphe.faces.http import status_line
from paraphe.faces.rest.status import STATUSES, status_of


def test_every_code_has_one_status_and_every_status_has_its_words():
    codes = [code for codes in STATUSES.values() for code in codes]

    assert sorted(codes) == sorted(Code)
    for status, its in STATUSES.items():
        assert status_line(status).startswith(f"{status} ")
        assert {status_of(code) for code in its} == {status}
