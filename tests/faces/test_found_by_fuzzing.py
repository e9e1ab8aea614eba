"""What fuzzing has found in the faces, each as the promise that was broken."""

import pytest

from paraphe.faces import http

from ..soap.house import envelope_of
from .plain import one_database


@one_database
@pytest.mark.parametrize(
    "charset", ["charset*=utf-8''utf-8", "charset*0=utf; charset*1=-8", "charset*=\"utf-8''utf-8\""]
)
def test_a_charset_may_be_written_as_rfc_2231_has_it(caller, charset):
    assert caller.send("CheckConnection", b"{}", f"application/json; {charset}").ok


@one_database
def test_a_charset_as_rfc_2231_has_it_is_read_in_soap_too(caller):
    body = envelope_of("1.1", "<CheckConnection/>")

    assert caller.soap.send(body, headers={"Content-Type": "text/xml; charset*=utf-8''utf-8"}).ok


@pytest.mark.parametrize("value", ["x''%ff", "''", "A\0\0''utf-8", "utf-8''"])
def test_parameters_of_a_content_type_are_texts_whatever_is_sent(value):
    _, parameters = http.content_type(f"text/xml; charset*={value}")

    assert all(isinstance(text, str) for text in parameters.values())


@one_database
@pytest.mark.parametrize("parameters", ["a*0=x; a*=y", "a*=x; a*1=y", f"a*{'9' * 200}=x", "a*-1=x; a*0=y"])
def test_parameters_that_rfc_2231_does_not_allow_spoil_no_answer(caller, parameters):
    assert caller.send("CheckConnection", b"{}", f"application/json; {parameters}").ok


@pytest.mark.parametrize("weight", ["\x1c0.5", "0.5\x1c", " 0.5 ", "\x1f1"])
def test_a_weight_with_blanks_around_it_is_a_weight(weight):
    assert http.least_to_compress(f"gzip;q={weight}") == http.least_to_compress("gzip;q=0.5")


@one_database
@pytest.mark.parametrize("weight", ["nan", "1e309", "\u0661", "0x1"])
def test_no_accept_encoding_spoils_an_answer(caller, weight):
    answer = caller.send("CheckConnection", b"{}", Accept_Encoding=f"gzip;q={weight}".encode().decode("latin-1"))

    assert answer.ok
