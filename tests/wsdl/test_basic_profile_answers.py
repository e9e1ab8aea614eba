"""WS-I Basic Profile 1.1 and 1.2: what it says of envelopes and of HTTP, held to by the answers of a running server.

A test for each rule; its number is in the name. Two deviations are asked for by the contract: a call without any
credentials is answered 401 with its fault (R1126 says 500), because several stacks send HTTP Basic only when they are
asked to; and the header `Credentials` may be left out (R2738), because it is one of several ways to say who calls.
For SOAP 1.2 the same is looked at where its own specification says nothing else.
"""

import http.client

import pytest
import requests
from lxml import etree

from paraphe import contract

from ..soap.house import ENVELOPES, MEDIA_TYPES, envelope_of, fixture_of
from .description import published

CASES = (
    "a result",
    "a refusal",
    "a fault of the schema",
    "a fault of the server's limits",
    "a wrong key",
    "no operation",
)
answers = pytest.mark.parametrize("case", CASES)
faults = pytest.mark.parametrize("case", CASES[2:])


@pytest.fixture
def caller(house, version):
    """Somebody with a fresh account."""
    return house.account(version)


@pytest.fixture
def post(caller):
    """Give `post(body, …)`: what the server answers."""

    def posted(body, headers=None, auth=caller.session.auth):
        kind = {"Content-Type": MEDIA_TYPES[caller.version]}
        return requests.post(caller.address, body, headers=kind | (headers or {}), auth=auth, timeout=60)

    return posted


@pytest.fixture
def answered(post, version):
    """Give `answered(case)`: an answer of each kind that there is."""
    kinds = {
        "a result": lambda: post(fixture_of(version, "SyncStudents")),
        "a refusal": lambda: post(fixture_of(version, "GetRecord", "unknown-record")),
        "a fault of the schema": lambda: post(fixture_of(version, "SyncStudents", "invalid")),
        "a fault of the server's limits": lambda: post(envelope_of(version, "<x>" * 2000 + "</x>" * 2000)),
        "a wrong key": lambda: post(fixture_of(version, "CheckConnection"), auth=("pa_nobody", "wrong")),
        "no operation": lambda: post(envelope_of(version, "<Fly/>")),
    }
    return lambda case: kinds[case]()


def opened(response):
    """The envelope and the namespace of its version of SOAP."""
    root = etree.fromstring(response.content)
    return root, etree.QName(root).namespace


# Envelopes -------------------------------------------------------------------------------------------------------


@answers
def test_r1005_r1006_no_encoding_style_is_said(answered, case):
    root, soap = opened(answered(case))

    assert not [node for node in root.iter() if node.get(f"{{{soap}}}encodingStyle")]


@answers
def test_r1008_r1009_an_answer_has_neither_a_dtd_nor_a_processing_instruction(answered, case):
    content = answered(case).content

    assert b"<!DOCTYPE" not in content
    assert b"<?" not in content.removeprefix(b"<?xml ")


@answers
def test_r1011_nothing_stands_behind_the_body(answered, case):
    root, soap = opened(answered(case))

    assert [each.tag for each in root][-1] == f"{{{soap}}}Body"


@answers
def test_r1012_an_answer_is_utf_8_and_says_so(answered, case):
    response = answered(case)

    response.content.decode("utf-8")
    assert response.headers["Content-Type"].endswith("; charset=utf-8")


@answers
def test_r1014_what_is_in_the_body_has_a_namespace(answered, case):
    root, soap = opened(answered(case))

    (payload,) = root.find(f"{{{soap}}}Body")
    assert etree.QName(payload).namespace in (contract.NAMESPACE, soap)


@answers
def test_r1032_r1033_the_envelope_has_no_attributes_and_no_needless_declarations(answered, case):
    response = answered(case)
    root, _ = opened(response)

    assert not [node.attrib for node in (root, *root) if node.attrib]
    assert b"xmlns:xml=" not in response.content


@answers
def test_r2113_no_array_type_is_said(answered, case):
    assert b"arrayType" not in answered(case).content


def test_r2712_r2301_the_body_holds_the_one_element_that_the_description_names(answered, version):
    root, soap = opened(answered("a result"))
    described = published(version)

    (payload,) = root.find(f"{{{soap}}}Body")
    message = described.one("/wsdl:definitions/wsdl:message[@name='SyncStudentsAnswer']/wsdl:part")
    assert message.get("element") == f"tns:{etree.QName(payload).localname}"
    assert etree.QName(payload).namespace == contract.NAMESPACE
    schema = etree.XMLSchema(etree.fromstring(etree.tostring(described.one("//xs:schema"))))
    schema.assertValid(payload)


# Faults ----------------------------------------------------------------------------------------------------------


@faults
def test_r1000_r1001_a_fault_has_its_own_unqualified_children_only(answered, case, version):
    root, soap = opened(answered(case))
    (fault,) = root.iter(f"{{{soap}}}Fault")

    if version == "1.1":
        assert [each.tag for each in fault] == ["faultcode", "faultstring", "detail"]
    else:
        assert [each.tag for each in fault] == [f"{{{soap}}}{name}" for name in ("Code", "Reason", "Detail")]


@faults
def test_r1004_r1031_the_fault_code_is_one_of_soap_and_has_no_dots(answered, case, version):
    root, soap = opened(answered(case))
    path = "faultcode" if version == "1.1" else f"{{{soap}}}Code/{{{soap}}}Value"
    code = next(root.iter(f"{{{soap}}}Fault")).find(path)

    prefix, _, name = code.text.partition(":")
    assert code.nsmap[prefix] == ENVELOPES[version]
    assert name in {"1.1": ("Client", "Server"), "1.2": ("Sender", "Receiver")}[version]


@faults
def test_r1126_a_fault_has_the_status_500(answered, case, version):
    """SOAP 1.2 says 400 for what is the sender's."""
    assert answered(case).status_code == (500 if version == "1.1" else 400)


# HTTP ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES[:2])
def test_r1111_r1124_what_is_no_fault_has_the_status_200(answered, case):
    assert answered(case).status_code == 200


def test_r1114_another_method_than_post_is_answered_405(caller):
    response = requests.put(caller.address, b"", auth=caller.session.auth, timeout=60)

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


def test_r1109_r2744_the_soap_action_of_the_description_is_taken_in_quotes(post, version):
    action = f"{contract.NAMESPACE}:SyncStudents"
    body = fixture_of(version, "SyncStudents")

    assert published(version).one(f"//soap:operation[@soapAction='{action}']") is not None
    assert post(body, headers={"SOAPAction": f'"{action}"'}).status_code == 200


@pytest.mark.parametrize("action", ['""', '"urn:paraphe:exchange:v1:GetRecord"', "SyncStudents", None])
def test_r1127_the_soap_action_is_not_relied_on(post, version, action):
    response = post(fixture_of(version, "SyncStudents"), headers={"SOAPAction": action} if action else {})

    assert response.status_code == 200
    assert b"<SyncStudentsResponse" in response.content or b":SyncStudentsResponse" in response.content


def test_r1141_http_1_0_and_1_1_are_answered(caller, version):
    """1.1 by every other test of this file."""
    host = caller.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    connection._http_vsn, connection._http_vsn_str = 10, "HTTP/1.0"  # type: ignore[attr-defined]
    connection.request("POST", "/soap/v1", envelope_of(version, "<Fly/>"), {"Content-Type": MEDIA_TYPES[version]})

    assert b"Fault" in connection.getresponse().read()
    connection.close()


def test_r1017_no_type_has_to_be_said(answered, version):
    """Nor does an answer say any."""
    assert b":type=" not in answered("a result").content


# What a caller may send ------------------------------------------------------------------------------------------


def test_r1015_an_envelope_of_another_namespace_is_a_fault(post):
    response = post(b'<Envelope xmlns="urn:no-soap"><Body/></Envelope>')

    assert response.status_code in (400, 500)
    assert b"VersionMismatch" in response.content


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_r1012_r4001_envelopes_in_utf_8_and_utf_16_are_taken_with_a_byte_order_mark(post, version, encoding):
    text = envelope_of(version, "<CheckConnection/>").decode().partition("?>")[2]
    mark = "\ufeff" if encoding == "utf-8" else ""
    body = (mark + f'<?xml version="1.0" encoding="{encoding}"?>' + text).encode(encoding)
    kind = MEDIA_TYPES[version].replace("utf-8", encoding)

    assert post(body, headers={"Content-Type": kind}).status_code == 200
