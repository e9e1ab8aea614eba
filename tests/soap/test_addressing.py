"""WS-Addressing: a message with such headers is answered with them, on the same connection."""

import re
from uuid import UUID

import pytest
from lxml import etree

from .house import ENVELOPES, V1, envelope_of

W3C = "http://www.w3.org/2005/08/addressing"
DRAFT = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
ANONYMOUS = {W3C: f"{W3C}/anonymous", DRAFT: f"{DRAFT}/role/anonymous"}
MESSAGE_ID = "urn:uuid:0d8c0b1e-6f43-4d0e-9d69-0f7a3c6b5a41"
ACTION = "urn:paraphe:exchange:v1:ExchangePortType"
CHECK = "<CheckConnection/>"


@pytest.fixture
def house(houses):
    """Over one database: it plays no role."""
    return houses("sqlite")


def headers(version, namespace=W3C, mandatory=True, **more):
    """The headers that stacks send, with others in their place; None leaves one out."""
    known = {"Action": "urn:paraphe:exchange:v1:CheckConnection", "MessageID": MESSAGE_ID, "To": "http://x/soap/v1"}
    known |= {"ReplyTo": f"<a:Address>{ANONYMOUS[namespace]}</a:Address>"} | more
    mark = f' s:mustUnderstand="1" xmlns:s="{ENVELOPES[version]}"' if mandatory else ""
    return "".join(
        f'<a:{name} xmlns:a="{namespace}"{mark}>{text}</a:{name}>' for name, text in known.items() if text is not None
    )


def addressing_of(reply, namespace=W3C):
    """The addressing headers of an answer by their names, each once; without the MessageID, which is new each time."""
    root = etree.fromstring(reply.body)
    blocks = root.findall(f"{{{ENVELOPES[reply.version]}}}Header/{{{namespace}}}*")
    found = {etree.QName(block).localname: block.text for block in blocks}
    assert len(found) == len(blocks)
    if found:
        message_id = found.pop("MessageID") or ""
        assert UUID(message_id.removeprefix("urn:uuid:")).version == 4
        assert message_id != MESSAGE_ID
    return found


def fault_codes(reply):
    """The qualified names that a fault has for its kind, the coarsest first."""
    root = etree.fromstring(reply.body)
    values = [*root.iter("faultcode"), *root.iter(f"{{{ENVELOPES['1.2']}}}Value")]
    names = []
    for value in values:
        prefix, _, name = (value.text or "").partition(":")
        names.append(f"{{{value.nsmap[prefix]}}}{name}")
    return names


def answered(namespace, action, related=True):
    relates = {"RelatesTo": MESSAGE_ID} if related else {}
    return {"Action": action, "To": ANONYMOUS[namespace]} | relates


# Answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("namespace", [W3C, DRAFT])
@pytest.mark.parametrize("mandatory", [True, False])
def test_an_answer_is_related_to_its_message(caller, namespace, mandatory):
    reply = caller.post(CHECK, headers(caller.version, namespace, mandatory))

    assert reply.ok
    assert addressing_of(reply, namespace) == answered(namespace, f"{ACTION}:CheckConnectionResponse")


def test_without_such_headers_there_are_none_in_the_answer(caller):
    assert b"Header" not in caller.post(CHECK).body


def test_a_refusal_by_the_operation_is_an_answer_of_the_operation(caller):
    payload = "<GetRecord><recordNumber>2026-999999</recordNumber><format>PDF</format></GetRecord>"

    reply = caller.post(payload, headers(caller.version))

    assert reply.codes == ["UNKNOWN_RECORD"]
    assert addressing_of(reply) == answered(W3C, f"{ACTION}:GetRecordResponse")


@pytest.mark.parametrize("action", ["urn:nonsense", "", None])
def test_what_the_action_says_does_not_matter(caller, action):
    said = headers(caller.version, Action=action)

    reply = caller.post(CHECK, said, headers={"SOAPAction": '"urn:paraphe:exchange:v1:SyncStudents"'})

    assert addressing_of(reply)["Action"] == f"{ACTION}:CheckConnectionResponse"


@pytest.mark.parametrize("left_out", ["MessageID", "ReplyTo", "To"])
def test_headers_may_be_left_out(caller, left_out):
    reply = caller.post(CHECK, headers(caller.version, **{left_out: None}))

    assert reply.ok
    assert ("RelatesTo" in addressing_of(reply)) == (left_out != "MessageID")


def test_a_message_id_is_repeated_as_it_was_written(caller):
    reply = caller.post(CHECK, headers(caller.version, MessageID="  urn:x:&lt;é&amp;]]&gt;  "))

    assert addressing_of(reply)["RelatesTo"] == "urn:x:<é&]]>"


def test_reference_parameters_are_repeated_as_headers(caller):
    parameter = '<p:Queue xmlns:p="urn:p" xmlns:q="urn:q" at="q:one"><p:Name>é &amp; a</p:Name></p:Queue>'
    reply_to = f"<a:Address>{ANONYMOUS[W3C]}</a:Address><a:ReferenceParameters>{parameter}</a:ReferenceParameters>"

    reply = caller.post(CHECK, headers(caller.version, ReplyTo=reply_to))

    (block,) = etree.fromstring(reply.body).findall(f"{{{ENVELOPES[reply.version]}}}Header/{{urn:p}}Queue")
    assert block.get(f"{{{W3C}}}IsReferenceParameter") == "true"
    assert (block.get("at"), block.nsmap["q"], block.findtext("{urn:p}Name")) == ("q:one", "urn:q", "é & a")


def test_of_two_editions_the_first_one_counts(caller):
    reply = caller.post(CHECK, headers(caller.version, DRAFT) + headers(caller.version, W3C))

    assert addressing_of(reply, W3C) == {}
    assert addressing_of(reply, DRAFT)["RelatesTo"] == MESSAGE_ID


def test_a_repeated_answer_relates_to_the_message_that_it_answers(caller):
    payload = "<SyncStudents><messageId>M-1</messageId><students/></SyncStudents>"
    caller.post(payload, headers(caller.version))

    again = caller.post(payload, headers(caller.version, MessageID="urn:second"))

    assert again.text("duplicate") == "true"
    assert addressing_of(again)["RelatesTo"] == "urn:second"


def test_headers_for_somebody_else_are_not_ours(caller):
    who = {"1.1": "actor", "1.2": "role"}[caller.version]
    said = re.sub(r's:mustUnderstand="1"', rf's:mustUnderstand="1" s:{who}="urn:proxy"', headers(caller.version))

    reply = caller.post(CHECK, said.replace(ANONYMOUS[W3C], "http://127.0.0.1:9/"))

    assert reply.ok
    assert addressing_of(reply) == {}


# Faults --------------------------------------------------------------------------------------------------------


def test_a_fault_of_an_operation_has_the_action_that_belongs_to_it(caller):
    reply = caller.post("<GetRecord/>", headers(caller.version))

    assert set(reply.codes) == {"SCHEMA_INVALID"}
    assert addressing_of(reply) == answered(W3C, f"{ACTION}:GetRecord:Fault:ServiceFault")


@pytest.mark.parametrize(("namespace", "action"), [(W3C, f"{W3C}/soap/fault"), (DRAFT, f"{DRAFT}/fault")])
@pytest.mark.parametrize("payload", ["<Nothing/>", "", "<a/><b/>"])
def test_a_fault_of_no_operation_has_the_action_of_soap(caller, namespace, action, payload):
    reply = caller.post(payload, headers(caller.version, namespace))

    assert reply.codes[0] in ("UNKNOWN_OPERATION", "INVALID_ENVELOPE")
    assert addressing_of(reply, namespace) == answered(namespace, action)


@pytest.mark.parametrize("name", ["ReplyTo", "FaultTo"])
@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", f"{W3C}/none", "urn:x"])
def test_an_answer_elsewhere_is_refused(caller, name, address):
    reply = caller.post(CHECK, headers(caller.version, **{name: f"<a:Address> {address} </a:Address>"}))

    assert reply.codes == ["INVALID_ENVELOPE"]
    assert address in reply.errors[0]["message"]
    assert addressing_of(reply) == answered(W3C, f"{W3C}/fault")
    finest = f"{{{W3C}}}OnlyAnonymousAddressSupported"
    sender = [f"{{{ENVELOPES['1.2']}}}Sender", f"{{{W3C}}}InvalidAddressingHeader"]
    assert fault_codes(reply) == ([finest] if caller.version == "1.1" else [*sender, finest])


def test_in_the_draft_too(caller):
    said = headers(caller.version, DRAFT, ReplyTo="<a:Address>http://127.0.0.1:9/</a:Address>")

    reply = caller.post(CHECK, said)

    assert fault_codes(reply)[-1] == f"{{{DRAFT}}}InvalidMessageInformationHeader"
    assert addressing_of(reply, DRAFT) == answered(DRAFT, f"{DRAFT}/fault")


@pytest.mark.parametrize("name", ["Action", "MessageID", "ReplyTo", "To"])
def test_a_header_twice_is_refused(caller, name):
    twice = headers(caller.version) + f'<a:{name} xmlns:a="{W3C}"/>'

    reply = caller.post(CHECK, twice)

    assert reply.codes == ["INVALID_ENVELOPE"]
    assert fault_codes(reply)[-1] == f"{{{W3C}}}InvalidCardinality"


def test_several_relations_are_in_order(caller):
    relations = f'<a:RelatesTo xmlns:a="{W3C}">urn:1</a:RelatesTo>' * 2

    assert caller.post(CHECK, headers(caller.version) + relations).ok


def test_what_would_be_long_to_repeat_is_refused(caller):
    long = "x" * 10_001
    endpoint = f"<a:ReferenceParameters><p>{long}</p></a:ReferenceParameters>"

    for said in ({"MessageID": long}, {"ReplyTo": endpoint}, {"FaultTo": endpoint}):
        reply = caller.post(CHECK, headers(caller.version, **said))
        assert reply.codes == ["INVALID_ENVELOPE"]
        assert len(reply.body) < 4000


def test_a_fault_goes_to_who_is_not_known_too(caller):
    caller.session.auth = None

    reply = caller.post(CHECK, headers(caller.version))

    assert reply.status == 401
    assert addressing_of(reply) == answered(W3C, f"{ACTION}:CheckConnection:Fault:ServiceFault")


def test_a_header_that_addressing_does_not_have_is_not_understood(caller):
    reply = caller.send(
        envelope_of(
            caller.version,
            CHECK,
            f'<a:Nonsense xmlns:a="{W3C}" xmlns:s="{ENVELOPES[caller.version]}" s:mustUnderstand="1"/>',
        )
    )

    assert reply.codes == ["HEADER_NOT_UNDERSTOOD"]


def test_zeep_with_its_addressing_plugin_is_answered(caller):
    import zeep
    from zeep.wsa import WsAddressingPlugin

    query = {"1.1": "wsdl", "1.2": "wsdl12"}[caller.version]
    transport = zeep.Transport(session=caller.session)
    client = zeep.Client(f"{caller.address}?{query}", plugins=[WsAddressingPlugin()], transport=transport)

    assert client.service.CheckConnection().account == caller.account.name
    sent = etree.fromstring(caller.last.body).findtext(f".//{{{W3C}}}RelatesTo")
    assert sent is not None
    assert caller.last.result.find(f"{V1}account") is not None
