"""WS-Security and mandatory headers: what is done, what is refused with the reason, and what is not ours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zeep
from lxml import etree
from zeep.wsse.username import UsernameToken

from .house import ENVELOPES, envelope_of

OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
WSSE, WSU = f"{OASIS}-wssecurity-secext-1.0.xsd", f"{OASIS}-wssecurity-utility-1.0.xsd"
PROFILE = f"{OASIS}-username-token-profile-1.0"
BASE64 = f"{OASIS}-soap-message-security-1.0#Base64Binary"
CHECK = "<CheckConnection/>"
ROLE = {"1.1": "actor", "1.2": "role"}


@pytest.fixture
def house(houses):
    """Over one database: it plays no role."""
    return houses("sqlite")


@pytest.fixture
def nobody(caller):
    """The caller, who says nothing of who it is by HTTP."""
    caller.session.auth = None
    caller.session.trust_env = False
    return caller


def token(caller, kind=f"{PROFILE}#PasswordText", more=""):
    return (
        f"<w:UsernameToken><w:Username>{caller.account.api_user}</w:Username>"
        f'<w:Password Type="{kind}">{caller.api_key}</w:Password>{more}</w:UsernameToken>'
    )


def security(caller, inside, attributes=' s:mustUnderstand="1"'):
    namespaces = f'xmlns:w="{WSSE}" xmlns:u="{WSU}" xmlns:s="{ENVELOPES[caller.version]}"'
    return f"<w:Security {namespaces}{attributes}>{inside}</w:Security>"


def timestamp(created=timedelta(), expires=timedelta(minutes=5), form="%Y-%m-%dT%H:%M:%SZ"):
    now = datetime.now(UTC)
    return (
        f'<u:Timestamp u:Id="T-1"><u:Created>{now + created:{form}}</u:Created>'
        f"<u:Expires>{now + expires:{form}}</u:Expires></u:Timestamp>"
    )


# UsernameToken -------------------------------------------------------------------------------------------------


def test_a_token_with_a_timestamp_nonce_and_creation_is_taken(nobody):
    nonce = f'<w:Nonce EncodingType="{BASE64}">bm9uY2U=</w:Nonce><u:Created>2020-01-01T00:00:00Z</u:Created>'

    for inside in (timestamp() + token(nobody, more=nonce), token(nobody) + timestamp()):
        assert nobody.post(CHECK, security(nobody, inside)).text("account") == nobody.account.name


@pytest.mark.parametrize("kind", ["PasswordText", "wsse:PasswordText", f" {PROFILE}#PasswordText"])
def test_other_spellings_of_plain_passwords_are_taken(nobody, kind):
    assert nobody.post(CHECK, security(nobody, token(nobody, kind))).ok


@pytest.mark.parametrize("kind", [f"{PROFILE}#PasswordDigest", "wsse:PasswordDigest", "urn:x", "]]>&amp;"])
def test_another_password_is_refused_with_the_reason_and_what_to_use(nobody, kind):
    reply = nobody.post(CHECK, security(nobody, token(nobody, kind.replace(">", "&gt;"))))

    (error,) = reply.errors
    assert error["code"] == "CREDENTIALS_UNSUPPORTED"
    assert "digest of the key cannot be checked" in error["message"]
    assert "PasswordText" in error["hint"]


def test_zeeps_token_with_a_digest_is_refused_and_with_a_timestamp_is_taken(nobody):
    query = {"1.1": "wsdl", "1.2": "wsdl12"}[nobody.version]
    said = (nobody.account.api_user, nobody.api_key)

    def client(wsse):
        transport = zeep.Transport(session=nobody.session)
        return zeep.Client(f"{nobody.address}?{query}", wsse=wsse, transport=transport).service

    stamp = etree.fromstring(f'<s xmlns:u="{WSU}">{timestamp()}</s>')[0]
    assert client(UsernameToken(*said, timestamp_token=stamp)).CheckConnection().returnCode == "200 OK"
    with pytest.raises(zeep.exceptions.Fault, match="PasswordDigest"):
        client(UsernameToken(*said, use_digest=True)).CheckConnection()


# Timestamp -----------------------------------------------------------------------------------------------------


def test_a_message_that_has_expired_is_refused_with_both_times(caller):
    reply = caller.post(CHECK, security(caller, timestamp(expires=-timedelta(hours=1))))

    (error,) = reply.errors
    assert error["code"] == "CREDENTIALS_REFUSED"
    assert f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:}" in error["message"]
    assert f"here it is {datetime.now(UTC):%Y-%m-%dT%H:}" in error["message"]
    assert "clock" in error["hint"]


@pytest.mark.parametrize(
    "said",
    [
        {"expires": -timedelta(minutes=4)},
        {"created": timedelta(days=1), "expires": timedelta(days=1)},
        {"form": "%Y-%m-%dT%H:%M:%S.1234567Z"},
        {"form": "%Y-%m-%dT%H:%M:%S+00:00"},
        {"form": "%Y-%m-%dT%H:%M:%S"},
    ],
)
def test_clocks_that_differ_and_other_ways_to_write_a_time_do_no_harm(caller, said):
    assert caller.post(CHECK, security(caller, timestamp(**said))).ok


@pytest.mark.parametrize(
    "inside",
    [
        "<u:Created>2020-01-01T00:00:00Z</u:Created>",
        "<u:Created>yesterday</u:Created><u:Expires/>",
        "<u:Expires>9999-12-31T23:59:59-12:00</u:Expires>",
    ],
)
def test_a_timestamp_that_does_not_expire_soon_is_no_matter(caller, inside):
    assert caller.post(CHECK, security(caller, f"<u:Timestamp>{inside}</u:Timestamp>")).ok


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01T00:00:00Z", "12026-01-01T00:00:00Z", "&lt;"])
def test_an_expiry_that_is_no_time_is_refused(caller, text):
    inside = f"<u:Timestamp><u:Expires>{text}</u:Expires></u:Timestamp>"

    assert caller.post(CHECK, security(caller, inside)).codes == ["INVALID_ENVELOPE"]


def test_the_beginning_of_time_has_expired(caller):
    inside = "<u:Timestamp><u:Expires>0001-01-01T00:00:00+12:00</u:Expires></u:Timestamp>"

    assert caller.post(CHECK, security(caller, inside)).codes == ["CREDENTIALS_REFUSED"]


# What is not checked -------------------------------------------------------------------------------------------


SIGNATURE = '<d:Signature xmlns:d="http://www.w3.org/2000/09/xmldsig#"/>'


def test_a_signature_in_a_mandatory_header_is_refused_as_it_would_not_be_checked(nobody):
    reply = nobody.post(CHECK, security(nobody, token(nobody) + SIGNATURE))

    assert reply.codes == ["CREDENTIALS_UNSUPPORTED"]
    assert "Signature" in (reply.text("message") or "")


def test_a_signature_in_another_header_is_passed_over(nobody):
    assert nobody.post(CHECK, security(nobody, token(nobody) + SIGNATURE, "")).ok


# Mandatory headers ---------------------------------------------------------------------------------------------


def mandatory(version, tag="x:Transaction", more="", mark="1"):
    return f'<{tag} xmlns:x="urn:x" xmlns:s="{ENVELOPES[version]}" s:mustUnderstand="{mark}"{more}>5</{tag}>'


def not_understood(reply):
    """The header blocks that an answer names as not understood, each as a qualified name."""
    root = etree.fromstring(reply.body)
    blocks = root.findall(f"{{{ENVELOPES['1.2']}}}Header/{{{ENVELOPES['1.2']}}}NotUnderstood")
    names: list[Any] = [(block.nsmap, *block.attrib["qname"].split(":")) for block in blocks]
    return [f"{{{declared[prefix]}}}{name}" for declared, prefix, name in names]


@pytest.mark.parametrize("mark", ["1", "true", " 1 "])
def test_a_mandatory_header_that_is_not_known_is_refused_as_the_standard_says(caller, mark):
    reply = caller.post(CHECK, mandatory(caller.version, mark=mark) + mandatory(caller.version, "x:Other", mark=mark))

    assert reply.codes == ["HEADER_NOT_UNDERSTOOD"] * 2
    assert b"soap:MustUnderstand<" in reply.body
    expected = ["{urn:x}Transaction", "{urn:x}Other"]
    assert not_understood(reply) == (expected if caller.version == "1.2" else [])


@pytest.mark.parametrize("mark", ["0", "false", ""])
def test_a_header_that_is_not_mandatory_is_ignored(caller, mark):
    assert caller.post(CHECK, mandatory(caller.version, mark=mark)).ok


def test_a_strange_namespace_is_named_well_formed(caller):
    strange = f'<Étrange xmlns="urn:a?b=c&amp;d=&#39;e" xmlns:s="{ENVELOPES[caller.version]}" s:mustUnderstand="1"/>'

    reply = caller.post(CHECK, strange)

    assert reply.codes == ["HEADER_NOT_UNDERSTOOD"]
    assert not_understood(reply) == (["{urn:a?b=c&d='e}Étrange"] if caller.version == "1.2" else [])


OTHERS = {
    "1.1": ["urn:somebody", "http://example.org/proxy"],
    "1.2": ["urn:somebody", "http://www.w3.org/2003/05/soap-envelope/role/none"],
}
OURS = {
    "1.1": ["", "http://schemas.xmlsoap.org/soap/actor/next"],
    "1.2": [
        "",
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    ],
}


def test_headers_for_somebody_else_are_not_ours(nobody):
    for role in OTHERS[nobody.version]:
        target = f' s:{ROLE[nobody.version]}="{role}"'
        assert nobody.post(CHECK, mandatory(nobody.version, more=target)).codes == ["CREDENTIALS_REQUIRED"]
        theirs = security(nobody, token(nobody) + timestamp(expires=-timedelta(days=1)), target)
        assert nobody.post(CHECK, theirs).codes == ["CREDENTIALS_REQUIRED"]


def test_headers_for_the_last_or_the_next_receiver_are_ours(nobody):
    for role in OURS[nobody.version]:
        target = f' s:{ROLE[nobody.version]}="{role}"'
        assert nobody.post(CHECK, mandatory(nobody.version, more=target)).codes == ["HEADER_NOT_UNDERSTOOD"]
        assert nobody.post(CHECK, security(nobody, token(nobody), target)).ok


def test_very_many_headers_are_answered_with_as_many_errors_as_every_fault_has(caller):
    reply = caller.send(envelope_of(caller.version, CHECK, mandatory(caller.version) * 5000))

    assert reply.codes == ["HEADER_NOT_UNDERSTOOD"] * 100


def test_long_names_of_headers_do_not_make_a_long_answer(caller):
    long = mandatory(caller.version).replace("urn:x", f"urn:{'x' * 9_000}")

    reply = caller.post(CHECK, long * 50)

    assert reply.codes == ["HEADER_NOT_UNDERSTOOD"] * 50
    assert len(reply.body) < 50_000
