"""The typed API: fifteen operations, two versions of SOAP, and what goes wrong."""

import base64
import datetime
import socket
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from paraphe_client import (
    Address,
    Classroom,
    Contact,
    Course,
    Exchange,
    ExchangeError,
    ExchangeRefused,
    ExchangeUnavailable,
    FreeData,
    InvoicedTrainee,
    InvoicingElements,
    Student,
    Teacher,
)

from .fake import ENVELOPES, KEY, NS, USER, WSDL, Document, error, fault, hang_up, members

DAY = datetime.date(2026, 9, 14)
MORNING = datetime.datetime(2026, 9, 14, 8, 30, tzinfo=datetime.UTC)
ADA = Student(reference="S1", last_name="Le Goff", first_name="Ada")
ELEMENTS = InvoicingElements(
    invoice_number="F-1",
    amount_excl_vat=Decimal("1E+3"),
    trainees=[InvoicedTrainee(reference="S1", quantity=Decimal("7.50"), unit="HOUR")],
)
# Each operation with all it takes; the fake holds every message against the published schema.
CALLS = {
    "CheckConnection": lambda exchange: exchange.check_connection(),
    "SyncStudents": lambda exchange: exchange.sync_students(
        [
            Student(
                reference="S1",
                last_name="Œuvrard",
                first_name="Zoë 🌊",
                birth_date=DAY,
                address=Address(city="Nantes", country="FR"),
                financers=[],
                groups=("G1", "G2"),
                required_signature=False,
                data=FreeData(data8="x"),
                clear_fields=["phone"],
            )
        ],
        mode="REPLACE",
        on_error="KEEP_VALID",
        max_removals=3,
        dry_run=True,
    ),
    "SyncTeachers": lambda exchange: exchange.sync_teachers(
        [Teacher(reference="T1", last_name="Le Bris", first_name="Bo")]
    ),
    "SyncClassrooms": lambda exchange: exchange.sync_classrooms([Classroom(reference="R1", type="ROOM", capacity=12)]),
    "SyncCourses": lambda exchange: exchange.sync_courses(
        [Course(reference="C1", name="Droit", start=MORNING, end=MORNING.replace(tzinfo=None), date=DAY)]
    ),
    "SyncContacts": lambda exchange: exchange.sync_contacts([Contact(reference="K1", type="OPCO")]),
    "GetSignatureList": lambda exchange: exchange.get_signature_list(
        period_start=DAY,
        period_end=DAY,
        modified_since=MORNING,
        course_reference="C1",
        student_reference="S1",
        teacher_reference="T1",
        status="PRESENT",
        include_images=True,
        cursor="c",
        limit=10,
    ),
    "SendInvoice": lambda exchange: exchange.send_invoice("a.pdf", b"%PDF-", hints=ELEMENTS),
    "SendInvoicingInfo": lambda exchange: exchange.send_invoicing_info(ELEMENTS),
    "ReviewRecord": lambda exchange: exchange.review_record("2026-1", {"invoice_number": "F-1", "quantity": 3}),
    "AddSimpleInvoice": lambda exchange: exchange.add_simple_invoice("2026-1", "a.pdf", b"%PDF-"),
    "AddSimpleDocument": lambda exchange: exchange.add_simple_document(
        "2026-1", "AGREEMENT", "Convention", "a.pdf", b"%PDF-"
    ),
    "GetRecord": lambda exchange: exchange.get_record("2026-1", "INDEX", include_content=False),
    "GetRecordList": lambda exchange: exchange.get_record_list(
        limit=5,
        cursor="c",
        include_extracted=True,
        status="READY",
        created_from=MORNING,
        created_to=MORNING,
        invoice_number="F-1",
    ),
    "AcknowledgeRecords": lambda exchange: exchange.acknowledge_records(["2026-1"]),
}


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
@pytest.mark.parametrize("operation", CALLS)
def test_every_operation_sends_a_message_of_the_contract_and_returns_its_answer(fake, operation, soap):
    fake.records["2026-1"] = Document(b"")
    with Exchange(fake.url, USER, KEY, soap=soap) as exchange:
        answer = CALLS[operation](exchange)

    assert fake.operations() == [operation]
    assert (answer.return_code, answer.message, answer.request_id) == ("200 OK", "Done.", "req-1")
    assert (answer.duplicate, answer.errors) == (False, ())
    assert f"{NS}:{operation}" in str(fake.received[0].headers)


@pytest.mark.parametrize("operation", CALLS)
def test_every_writing_operation_sends_a_message_id_though_the_caller_gave_none(fake, exchange, operation):
    fake.records["2026-1"] = Document(b"")
    CALLS[operation](exchange)
    CALLS[operation](exchange)

    ids = [request.text("messageId") for request in fake.received]
    reading = operation.startswith(("Get", "Check"))
    assert ids == [None, None] if reading else (None not in ids and ids[0] != ids[1])


@pytest.mark.parametrize("tail", ["", "/", "/soap/v1", "/soap/v1?wsdl", "/soap/v1?wsdl12"])
def test_the_public_address_will_do_and_messages_stay_with_the_host_that_was_named(fake, tail):
    with Exchange(fake.url + tail, USER, KEY) as exchange:
        exchange.sync_students([ADA])

    assert fake.operations() == ["SyncStudents"]


@pytest.mark.parametrize(("name", "soap"), [("v1.wsdl", "1.1"), ("v1-soap12.wsdl", "1.2")])
def test_a_wsdl_file_says_where_to_send_and_which_soap(fake, tmp_path, name, soap):
    path = tmp_path / name
    path.write_bytes((WSDL / name).read_bytes().replace(b"http://localhost:8080", fake.url.encode()))
    with Exchange(path, USER, KEY) as exchange:
        exchange.check_connection()

        assert exchange.soap == soap
    assert fake.operations() == ["CheckConnection"]


def test_credentials_go_out_as_http_basic_in_utf_8(fake, exchange):
    exchange.check_connection()

    basic = fake.received[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(basic).decode() == f"{USER}:{KEY}"


def test_an_item_may_be_a_mapping_and_none_means_not_sent(fake, exchange):
    exchange.sync_students([{"reference": "S1", "last_name": "B", "first_name": "C", "email": None, "groups": []}])

    names = [etree.QName(node).localname for node in fake.received[0].body.find(f".//{{{NS}}}student")]
    assert names == ["reference", "lastName", "firstName", "groups"]


@pytest.mark.parametrize(
    ("item", "wrong"), [({"reference": "S1"}, ValueError), ({"reference": "S1", "nom": "x"}, TypeError)]
)
def test_an_item_that_lacks_a_name_or_has_a_wrong_one_is_not_sent(fake, exchange, item, wrong):
    with pytest.raises(wrong, match=r"lastName|nom"):
        exchange.sync_students([item])

    assert not fake.received


def test_values_come_back_as_decimals_days_and_aware_times(fake, exchange):
    fake.records["2026-1"] = Document(b"abc")
    record = exchange.get_record("2026-1", "ZIP")

    assert record.content == b"abc"
    assert record.record_index.version == 1
    assert record.record_index.created_on == datetime.datetime(2026, 9, 1, 8, tzinfo=datetime.UTC)
    assert record.record_index.invoice.invoice_date == datetime.date(2026, 8, 31)
    assert str(record.record_index.invoice.quantity) == "7.50"
    assert record.record_index.extracted_on is None


@pytest.mark.slow
def test_twenty_megabytes_come_back_whole(fake, exchange):
    content = bytes(range(256)) * 80_000
    fake.records["2026-1"] = Document(content)

    assert exchange.get_record("2026-1", "ZIP").content == content


def test_what_a_newer_server_adds_anywhere_is_passed_over(fake, exchange):
    def newer(handler):
        inner = f"<novelty>1</novelty>{members()}<novelty><a/></novelty><created>3</created>"
        handler.soap(next(iter(ENVELOPES)), "SyncStudents", inner, valid=False)
        return True

    fake.arrive.append(newer)

    assert exchange.sync_students([ADA]).created == 3


# --- refused ---------------------------------------------------------------------------------------------------


def test_500_error_is_raised_with_all_that_it_says(fake, exchange):
    fake.answers["SyncStudents"] = lambda _: members(
        "500 ERROR", "No.", errors=error("VALUE_OUT_OF_RANGE", index=1, reference="S1", field="birthDate", hint="Do.")
    )
    with pytest.raises(ExchangeRefused) as refused:
        exchange.sync_students([ADA], message_id="m1")

    assert (refused.value.return_code, refused.value.message, refused.value.request_id) == ("500 ERROR", "No.", "req-1")
    (item,) = refused.value.errors
    assert (item.index, item.reference, item.field, item.code, item.hint) == (
        1,
        "S1",
        "birthDate",
        "VALUE_OUT_OF_RANGE",
        "Do.",
    )
    assert (refused.value.fault, refused.value.again, refused.value.message_id) == (False, False, "m1")


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_a_fault_is_raised_with_its_typed_detail(fake, soap):
    problem = error("SCHEMA_INVALID", path="/SyncStudents/students/student[1]", line=4, value="x")
    fake.answers["SyncStudents"] = lambda _: fault(soap, problem)
    with Exchange(fake.url, USER, KEY, soap=soap) as exchange, pytest.raises(ExchangeRefused) as refused:
        exchange.sync_students([ADA])

    assert refused.value.fault
    assert refused.value.codes == {"SCHEMA_INVALID"}
    assert (refused.value.errors[0].line, refused.value.errors[0].value) == (4, "x")
    assert str(refused.value) == "Refused. (requestId req-1)"


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_a_fault_without_detail_gives_its_reason(fake, soap):
    fake.answers["CheckConnection"] = lambda _: fault(soap, message="Closed.", detail=False)
    with Exchange(fake.url, USER, KEY, soap=soap) as exchange, pytest.raises(ExchangeRefused, match="Closed"):
        exchange.check_connection()


@pytest.mark.parametrize("code", ["IN_PROGRESS", "SERVER_BUSY", "SERVER_ERROR", "TOO_MANY_REQUESTS", "TOO_SLOW"])
def test_a_refusal_that_passes_says_so(fake, exchange, code):
    fake.answers["CheckConnection"] = lambda _: fault("1.1", error(code))
    with pytest.raises(ExchangeRefused) as refused:
        exchange.check_connection()

    assert refused.value.again


# --- not reached -----------------------------------------------------------------------------------------------


def test_a_broken_connection_says_that_the_same_message_may_be_sent_again(fake, exchange):
    fake.answered.append(hang_up)
    with pytest.raises(ExchangeUnavailable, match="safe to send the message again") as broken:
        exchange.sync_students([ADA])
    assert broken.value.again

    answer = exchange.sync_students([ADA], message_id=broken.value.message_id)

    assert answer.duplicate
    assert fake.applied == ["S1"]


def test_an_answer_that_is_cut_off_is_no_answer(fake, exchange):
    def cut(handler):
        handler.answer(200, b"<Envelope/>" * 1000, cut=5)
        return True

    fake.arrive.append(cut)
    with pytest.raises(ExchangeUnavailable):
        exchange.check_connection()


def test_an_answer_without_a_result_is_no_answer(fake, exchange):
    def empty(handler):
        body = f'<CheckConnectionResponse xmlns="{NS}"/>'
        handler.answer(
            200, f'<a:Envelope xmlns:a="{next(iter(ENVELOPES))}"><a:Body>{body}</a:Body></a:Envelope>'.encode()
        )
        return True

    fake.arrive.append(empty)
    with pytest.raises(ExchangeUnavailable, match="did not answer as an exchange does"):
        exchange.check_connection()


def test_an_answer_beside_the_contract_is_an_error_of_its_own(fake, exchange):
    def odd(handler):
        handler.soap(next(iter(ENVELOPES)), "CheckConnection", members() + "<serverTime>noon</serverTime>", valid=False)
        return True

    fake.arrive.append(odd)
    with pytest.raises(ExchangeError, match="does not follow the contract: serverTime is 'noon'"):
        exchange.check_connection()


def test_nobody_listens_there():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with Exchange(url, USER, KEY) as exchange, pytest.raises(ExchangeUnavailable, match="was not reached"):
            exchange.check_connection()


def test_silence_ends_after_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Exchange(url, USER, KEY, timeout=0.05) as exchange, pytest.raises(ExchangeUnavailable, match="in time"):
            exchange.check_connection()


@pytest.mark.parametrize(
    ("status", "again"), [(200, True), (302, False), (404, False), (413, False), (429, True), (502, True), (503, True)]
)
def test_a_page_of_a_proxy_is_not_taken_for_an_answer(fake, exchange, status, again):
    def page(handler):
        handler.answer(status, b"<html>Sorry</html>", {"Retry-After": "7", "Location": "http://127.0.0.1:9/"})
        return True

    fake.arrive.append(page)
    with pytest.raises(ExchangeUnavailable) as unavailable:
        exchange.check_connection()

    assert (unavailable.value.status, unavailable.value.again, unavailable.value.retry_after) == (status, again, 7.0)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "/nowhere/v1.wsdl", "https://", "ftp://exchange.example"])
def test_a_wrong_address_is_unavailable(address):
    with Exchange(address, USER, KEY) as exchange, pytest.raises(ExchangeUnavailable):
        exchange.check_connection()


def test_no_message_ever_names_the_key(fake):
    with Exchange(fake.url.replace("//", "//a:b@"), USER, KEY) as exchange:
        fake.arrive.append(hang_up)
        with pytest.raises(ExchangeError) as broken:
            exchange.check_connection()

    assert KEY not in f"{broken.value!r}{broken.value}{exchange!r}"
    assert "a:b" not in str(broken.value)


# --- the dataclasses are the contract's ------------------------------------------------------------------------


def _types():
    schema: Any = etree.parse(WSDL / "v1.wsdl").find(".//{http://www.w3.org/2001/XMLSchema}schema")
    return {node.get("name"): node for node in schema if node.get("name")}


CONTRACT = _types()
RENAMED = {"ItemError": "ErrorItem", "Notice": "Warning", "ConnectionAnswer": "CheckConnectionResult"}


def _shapes():
    import paraphe_client

    shapes = {name: getattr(paraphe_client, name) for name in paraphe_client.__all__}
    for name, shape in shapes.items():
        kind = RENAMED.get(name, name.replace("Answer", "Result"))
        if isinstance(shape, type) and kind in CONTRACT and etree.QName(CONTRACT[kind]).localname == "complexType":
            yield pytest.param(shape, CONTRACT[kind], id=name)


SHAPES = list(_shapes())


def test_every_type_of_the_contract_has_a_dataclass():
    kinds = {name for name, node in CONTRACT.items() if etree.QName(node).localname == "complexType"}
    kinds = {name for name in kinds if not name.startswith("ArrayOf")} - {"Credentials", "ServiceFault"}

    assert {shape.values[1].get("name") for shape in SHAPES} == kinds


@pytest.mark.parametrize(("shape", "kind"), SHAPES)
def test_a_dataclass_has_the_elements_of_its_type_and_demands_what_the_contract_demands(shape, kind):
    from dataclasses import MISSING

    from paraphe_client.codec import camel

    contract = {node.get("name"): node.get("minOccurs") == "0" for node in kind.iter("{*}element")}
    ours = {camel(field.name): field.default is not MISSING for field in fields(shape)}

    assert ours == contract


def test_closed_lists_are_the_contracts():
    from typing import get_args

    from paraphe_client import items

    for name in dir(items):
        values = get_args(getattr(items, name))
        if values and name in CONTRACT:
            assert list(values) == [node.get("value") for node in CONTRACT[name].iter("{*}enumeration")], name
