"""WS-I Basic Profile 1.1 and 1.2: what it says of a binding, its operations and its address.

A test for each rule that a description can break; its number is in the name. R2717, R2726 and others speak of
rpc-literal bindings; R2705 says that there is none. R2712, R2744 and R2745 are rules of messages, which
test_basic_profile_answers.py holds to; what they need of a description is here.
"""

import re

import pytest

from .description import WSDL, parts, with_a_breach

HTTP = "http://schemas.xmlsoap.org/soap/http"
HEADERS = "//soap:header | //soap:headerfault"


def test_r2401_the_binding_is_a_soap_binding(description):
    assert len(description.all("//wsdl:binding")) == len(description.all("//wsdl:binding/soap:binding")) == 1


def test_r2701_r2702_the_binding_says_that_its_transport_is_http(description):
    assert [each.get("transport") for each in description.all("//soap:binding")] == [HTTP]


def test_r2705_the_binding_is_document_literal_throughout(description):
    styled = description.all("//soap:binding | //soap:operation")

    assert {each.get("style") for each in styled} == {"document"}


def test_r2706_r2723_what_is_carried_is_literal(description):
    carried = description.all(f"//soap:body | //soap:fault | {HEADERS}")

    assert {each.get("use") for each in carried} <= {"literal", None}
    assert not description.all("//@encodingStyle/..")


def test_r2707_r2728_no_reader_has_to_supply_literal_by_himself(description):
    assert not description.all("//soap:body[not(@use)] | //soap:fault[not(@use)] | //soap:header[not(@use)]")


def test_r2201_a_body_names_one_part_at_most(description):
    assert all(len(body.get("parts", "").split()) <= 1 for body, _ in description.bodies())


def test_r2210_a_message_has_one_part_where_the_body_names_none(description):
    assert all(len(parts(message)) <= 1 for body, message in description.bodies() if body.get("parts") is None)


def test_r2209_every_part_of_a_message_is_bound(description):
    """By a body that says nothing of parts, as the message has one."""
    for body, message in description.bodies():
        names = [part.get("name", "") for part in parts(message)]
        assert body.get("parts", " ".join(names)).split() == names


def test_r2205_headers_and_faults_refer_to_parts_defined_by_an_element(description):
    for header in description.all(HEADERS):
        (part,) = [each for each in parts(description.message(header)) if each.get("name") == header.get("part")]
        assert part.get("element")
    for fault in description.all("//wsdl:portType//wsdl:fault"):
        (part,) = parts(description.message(fault))
        assert part.get("element")


def test_r2710_the_operations_differ_in_what_is_on_the_wire(description):
    """The element in the Body tells an operation; no other operation may have the same."""
    requests = [description.message(each) for each in description.all("//wsdl:portType//wsdl:input")]
    elements = [part.get("element") for message in requests for part in parts(message)]

    assert len(set(elements)) == len(elements) == 15


def test_r2711_no_two_ports_have_one_address(description):
    places = [each.get("location") for each in description.all("//wsdl:port/soap:address")]

    assert len(set(places)) == len(places) == 1


def test_r2712_a_body_is_an_element_of_the_schema_with_the_name_of_its_operation(description):
    for operation, abstract in description.bound():
        (declared,) = abstract.findall(f"{{{WSDL}}}input")
        (part,) = parts(description.message(declared))
        assert part.get("element") == f"tns:{operation.get('name')}"
        assert description.referred(part, "element", "//xs:schema/xs:element") is not None


def test_r2716_document_literal_has_no_namespace_attribute(description):
    assert not description.all("//soap:*[@namespace]")


def test_r2718_the_binding_has_the_operations_of_its_port_type(description):
    bound, declared = (
        {each.get("name") for each in description.all(f"//wsdl:{where}/wsdl:operation")}
        for where in ("binding", "portType")
    )

    assert bound == declared


def test_r2720_r2749_a_header_names_one_part_by_the_attribute_part(description):
    headers = description.all(HEADERS)

    assert len(headers) == 15
    assert all(re.fullmatch(r"[\w.:-]+", each.get("part", "")) for each in headers)
    assert not [each for each in headers if each.get("parts") is not None]


def test_r2721_r2754_a_fault_of_the_binding_has_the_name_of_the_fault_around_it(description):
    faults = description.all("//soap:fault")

    assert len(faults) == 15
    assert all(each.get("name") and each.get("name") == each.getparent().get("name") for each in faults)


def test_r2740_every_fault_of_the_port_type_is_bound(description):
    for operation, abstract in description.bound():
        bound, declared = (
            {each.get("name") for each in where.findall(f"{{{WSDL}}}fault")} for where in (operation, abstract)
        )
        assert bound == declared


def test_r2744_r2745_every_operation_has_a_soap_action_that_can_be_quoted(description):
    actions = [each.get("soapAction", "") for each in description.all("//wsdl:operation/soap:operation")]

    assert len(actions) == 15
    assert all(re.fullmatch(r"[a-z]+:[\x21\x23-\x7e]+", action) for action in actions)


# The rules are able to fail --------------------------------------------------------------------------------------

_BODY, _FAULT = '<soap:body use="literal"/>', '<soap:fault name="ServiceFault" use="literal"/>'
_HEADER = '<soap:header message="tns:CredentialsHeader" part="credentials" use="literal"/>'
_PART = '<wsdl:part name="parameters" element="tns:SyncTeachers"/>'
_ACTION = 'soapAction="urn:paraphe:exchange:v1:SyncTeachers"'
BREACHES = {
    test_r2401_the_binding_is_a_soap_binding: ("<soap:binding ", '<http:binding xmlns:http="urn:http" '),
    test_r2701_r2702_the_binding_says_that_its_transport_is_http: (HTTP, "http://schemas.xmlsoap.org/soap/smtp"),
    test_r2705_the_binding_is_document_literal_throughout: (f'{_ACTION} style="document"', f'{_ACTION} style="rpc"'),
    test_r2706_r2723_what_is_carried_is_literal: (_FAULT, _FAULT.replace("literal", "encoded")),
    test_r2707_r2728_no_reader_has_to_supply_literal_by_himself: (_FAULT, _FAULT.replace(' use="literal"', "")),
    test_r2201_a_body_names_one_part_at_most: (_BODY, _BODY.replace("/>", ' parts="parameters more"/>')),
    test_r2210_a_message_has_one_part_where_the_body_names_none: (
        _PART,
        _PART + '<wsdl:part name="more" element="tns:SyncStudents"/>',
    ),
    test_r2209_every_part_of_a_message_is_bound: (_BODY, _BODY.replace("/>", ' parts=""/>')),
    test_r2205_headers_and_faults_refer_to_parts_defined_by_an_element: (
        '<wsdl:part name="credentials" element=',
        '<wsdl:part name="credentials" type=',
    ),
    test_r2710_the_operations_differ_in_what_is_on_the_wire: (_PART, _PART.replace("SyncTeachers", "SyncStudents")),
    test_r2711_no_two_ports_have_one_address: (
        "</wsdl:service>",
        '<wsdl:port name="More"><soap:address location="http://localhost:8080/soap/v1"/></wsdl:port></wsdl:service>',
    ),
    test_r2712_a_body_is_an_element_of_the_schema_with_the_name_of_its_operation: (
        _PART,
        _PART.replace("SyncTeachers", "SyncTeachersResponse"),
    ),
    test_r2716_document_literal_has_no_namespace_attribute: (_BODY, _BODY.replace("/>", ' namespace="urn:x"/>')),
    test_r2718_the_binding_has_the_operations_of_its_port_type: (
        '<wsdl:operation name="SyncTeachers">',
        '<wsdl:operation name="SyncInstructors">',
    ),
    test_r2720_r2749_a_header_names_one_part_by_the_attribute_part: (_HEADER, _HEADER.replace("part=", "parts=")),
    test_r2721_r2754_a_fault_of_the_binding_has_the_name_of_the_fault_around_it: (
        _FAULT,
        _FAULT.replace("ServiceFault", "Fault"),
    ),
    test_r2740_every_fault_of_the_port_type_is_bound: (
        f'<wsdl:fault name="ServiceFault">\n        {_FAULT}\n      </wsdl:fault>',
        "",
    ),
    test_r2744_r2745_every_operation_has_a_soap_action_that_can_be_quoted: (_ACTION, 'soapAction="SyncTeachers"'),
}


@pytest.mark.parametrize("rule", BREACHES, ids=lambda rule: rule.__name__.removeprefix("test_"))
def test_a_breach_is_noticed(rule, version):
    broken = with_a_breach(version, *BREACHES[rule])

    with pytest.raises((AssertionError, ValueError)):
        rule(broken)


def test_every_rule_of_this_file_has_its_breach():
    assert [rule for name, rule in globals().items() if name.startswith("test_r")] == list(BREACHES)
