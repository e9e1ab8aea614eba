"""Who calls: four ways to say it, one way to be refused."""

import base64
from datetime import UTC, datetime

import pytest
import zeep
from zeep.wsse.username import UsernameToken

from paraphe import accounts, contract, store

from .house import credentials_header

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
CHECK = "<CheckConnection/>"
one_version = pytest.mark.parametrize("version", ["1.1"], indirect=True)


@pytest.fixture
def nobody(caller):
    """The caller, who says nothing of who it is."""
    caller.session.auth = None
    caller.session.trust_env = False
    return caller


def token(user, key, kind=f"{PROFILE}#PasswordText"):
    type_ = f' Type="{kind}"' if kind else ""
    return (
        f'<w:Security xmlns:w="{WSSE}"><w:UsernameToken><w:Username>{user}</w:Username>'
        f"<w:Password{type_}>{key}</w:Password></w:UsernameToken></w:Security>"
    )


def basic(text, encoding="utf-8"):
    return {"Authorization": "Basic " + base64.b64encode(text.encode(encoding)).decode()}


# Ways ----------------------------------------------------------------------------------------------------------


def test_http_basic_is_taken(caller):
    assert caller.post(CHECK).text("account") == caller.account.name


def test_the_header_credentials_is_taken(nobody):
    reply = nobody.post(CHECK, credentials_header(nobody.account.api_user, nobody.api_key))

    assert reply.text("account") == nobody.account.name


def test_the_header_credentials_is_taken_from_a_stub(nobody):
    header = {"credentials": {"apiUser": nobody.account.api_user, "apiKey": nobody.api_key}}

    assert nobody.call("CheckConnection", _soapheaders=header).account == nobody.account.name


@pytest.mark.parametrize("kind", [f"{PROFILE}#PasswordText", ""], ids=["PasswordText", "without type"])
def test_a_username_token_with_its_password_in_plain_is_taken(nobody, kind):
    reply = nobody.post(CHECK, token(nobody.account.api_user, nobody.api_key, kind))

    assert reply.text("account") == nobody.account.name


@one_version
def test_the_username_token_that_zeep_makes_is_taken(nobody):
    security = UsernameToken(nobody.account.api_user, nobody.api_key)
    transport = zeep.Transport(session=nobody.session)
    client = zeep.Client(f"{nobody.address}?wsdl", wsse=security, transport=transport)

    assert client.service.CheckConnection().account == nobody.account.name


def test_credentials_may_be_marked_as_mandatory_headers(nobody):
    namespace = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
    mark = f'<Credentials xmlns:s="{namespace[nobody.version]}" s:mustUnderstand="1" '
    header = credentials_header(nobody.account.api_user, nobody.api_key).replace("<Credentials ", mark)

    assert nobody.post(CHECK, header).ok


# None ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "",
        f'<Credentials xmlns="{contract.NAMESPACE}"/>',
        f'<Credentials xmlns="{contract.NAMESPACE}"><apiUser/><apiKey> </apiKey></Credentials>',
        '<x:Credentials xmlns:x="urn:another"><x:apiUser>u</x:apiUser></x:Credentials>',
    ],
    ids=["nothing", "an empty header", "empty members", "a header of somebody else"],
)
def test_none_is_a_401_with_a_challenge_for_basic_and_a_fault(nobody, header):
    reply = nobody.post(CHECK, header)

    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith('Basic realm="')
    assert reply.is_fault
    assert reply.codes == ["CREDENTIALS_REQUIRED"]


def test_an_empty_header_beside_basic_counts_as_none(caller):
    assert caller.post(CHECK, f'<Credentials xmlns="{contract.NAMESPACE}"/>').ok


@one_version
@pytest.mark.parametrize("operation", contract.operations())
def test_no_operation_answers_without_credentials(nobody, operation):
    assert nobody.fixture(operation).codes == ["CREDENTIALS_REQUIRED"]


# Wrong ones ----------------------------------------------------------------------------------------------------


def test_a_wrong_user_and_a_wrong_key_are_refused_alike(nobody, other):
    user, key = nobody.account.api_user, nobody.api_key
    pairs = [(user, "0" * 64), ("pa_" + "a" * 16, key), (other.account.api_user, key), (user, other.api_key), ("", "")]

    replies = [nobody.post(CHECK, headers=basic(f"{user}:{key}")) for user, key in pairs]

    assert {tuple(reply.codes) for reply in replies} == {("CREDENTIALS_REFUSED",)}
    assert len({(reply.status, reply.text("message"), reply.errors[0]["hint"]) for reply in replies}) == 1
    assert not any("WWW-Authenticate" in reply.headers for reply in replies)


def test_half_of_the_credentials_are_wrong_ones(nobody):
    for user, key in ((nobody.account.api_user, ""), ("", nobody.api_key)):
        assert nobody.post(CHECK, credentials_header(user, key)).codes == ["CREDENTIALS_REFUSED"]


def test_a_password_digest_is_refused_with_the_reason(nobody):
    reply = nobody.post(CHECK, token(nobody.account.api_user, "c2VjcmV0", f"{PROFILE}#PasswordDigest"))

    assert reply.is_fault
    assert reply.codes == ["CREDENTIALS_UNSUPPORTED"]
    assert "PasswordDigest" in (reply.text("message") or "")
    assert "PasswordText" in reply.errors[0]["hint"]


def test_a_revoked_key_is_refused_from_the_next_call_on_and_another_one_still_works(caller):
    now = datetime.now(UTC)
    assert caller.post(CHECK).ok
    with store.writing(caller.house.engine) as connection:
        second = accounts.add_key(connection, caller.account, "second", now)
        first = accounts.keys(connection, caller.account)[0]
        accounts.revoke_key(connection, caller.account, first.id, now)

    assert caller.post(CHECK).codes == ["CREDENTIALS_REFUSED"]
    caller.session.auth = (caller.account.api_user, second.api_key)
    assert caller.post(CHECK).ok


@pytest.mark.parametrize(
    "header",
    [
        "Basic %%%",
        "Basic",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode("é:è".encode("latin-1")).decode(),
    ],
)
def test_a_basic_header_that_says_nothing_usable_is_refused(nobody, header):
    reply = nobody.post(CHECK, headers={"Authorization": header})

    assert reply.codes in (["CREDENTIALS_REFUSED"], ["CREDENTIALS_REQUIRED"])


@one_version
def test_an_unknown_scheme_counts_as_none(nobody):
    assert nobody.post(CHECK, headers={"Authorization": "Negotiate abc"}).status == 401


def test_who_is_not_known_learns_nothing_of_the_schema(nobody):
    reply = nobody.post("<SyncStudents><nonsense/></SyncStudents>", headers=basic("nobody:nothing"))

    assert reply.codes == ["CREDENTIALS_REFUSED"]


def test_the_use_of_a_key_is_written_down(caller):
    caller.post(CHECK)

    caller.house.settle()
    with store.reading(caller.house.engine) as connection:
        (key,) = accounts.keys(connection, caller.account)
    assert key.last_used_on is not None
