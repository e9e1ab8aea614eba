"""WS-I Basic Profile 1.1 and 1.2: what it says of a document, its types, messages and port types.

A test for each rule that a description can break; its number is in the name. The document of SOAP 1.2 keeps the same
rules, as Basic Profile 2.0 has them. Rules that only allow something (R2114: one namespace for the WSDL and its schema;
R2800: any construct of XML Schema) cannot be broken, and those of rpc-literal bindings have nothing to hold to here.
"""

import pytest
import xmlschema
from lxml import etree

from .description import WSDL, XS, with_a_breach

ORDER = ("import", "types", "message", "portType", "binding", "service")


def children(description):
    """The WSDL's own elements in their order, but for the documentation."""
    found = [etree.QName(each) for each in description.all("/wsdl:definitions/*")]
    return [name.localname for name in found if name.namespace == WSDL and name.localname != "documentation"]


# The document ----------------------------------------------------------------------------------------------------


def test_r2001_only_descriptions_are_imported_by_wsdl_import(description):
    """And R2007, R2803, R2005, R2008, which say what such an import must be: there is none."""
    assert not description.all("//wsdl:import")


def test_r2002_r2003_schemas_are_imported_by_the_schema_s_import_inside_types_alone(description):
    """And R2004, R2009, R2010, R2011 of what is imported: there is nothing."""
    assert not description.all("//xs:import | //xs:include | //xs:redefine")
    assert [each.getparent().tag for each in description.all("//xs:schema")] == [f"{{{WSDL}}}types"]


def test_r2022_r2023_imports_and_types_stand_before_all_else(description):
    order = [ORDER.index(each) for each in children(description)]

    assert order == sorted(order)


def test_r2025_r2026_no_extension_is_required(description):
    assert not description.all("//@wsdl:required/..")
    assert {each.prefix for each in description.all("//*")} == {"wsdl", "soap", "xs"}


def test_r4003_the_encoding_is_utf_8(description):
    declaration = description.text.splitlines()[0]

    assert "encoding='UTF-8'" in declaration


def test_r4004_the_document_is_xml_1_0(description):
    assert description.text.startswith("<?xml version='1.0'")


def test_r4005_the_prefix_xml_is_not_declared(description):
    assert "xmlns:xml=" not in description.text


# Types -----------------------------------------------------------------------------------------------------------


def test_r2101_names_of_wsdl_components_are_of_this_document(description):
    for path, attribute, target in (
        ("//wsdl:portType//*[@message] | //soap:header", "message", "/wsdl:definitions/wsdl:message"),
        ("//wsdl:binding", "type", "/wsdl:definitions/wsdl:portType"),
        ("//wsdl:port", "binding", "/wsdl:definitions/wsdl:binding"),
    ):
        assert all(description.referred(node, attribute, target) is not None for node in description.all(path))


def test_r2102_names_of_schema_components_are_of_the_schema_or_of_what_it_imports(description):
    known = {(XS, name) for name in ("string", "int", "decimal", "boolean", "date", "dateTime", "base64Binary")}
    ours = description.root.get("targetNamespace")
    known |= {(ours, each.get("name")) for each in description.all("//xs:schema/*[not(self::xs:element)]")}

    for node in description.all("//xs:element[@type] | //xs:restriction"):
        prefix, _, name = (node.get("type") or node.get("base")).rpartition(":")
        assert (node.nsmap.get(prefix or None), name) in known
    assert not description.all("//xs:*[@ref]")


def test_r2105_every_schema_has_a_target_namespace(description):
    assert all(each.get("targetNamespace") for each in description.all("//xs:schema"))


def test_r2110_r2111_no_array_is_made_of_the_soap_encoding(description):
    assert "http://schemas.xmlsoap.org/soap/encoding/" not in description.text
    assert "arrayType" not in description.text


def test_r2112_no_element_is_named_array_of(description):
    """Types are: generators know `ArrayOf…` for a list by the type's name."""
    assert not [each for each in description.all("//xs:element") if each.get("name").startswith("ArrayOf")]


def test_r2801_the_types_are_xml_schema_1_0(description):
    inline = etree.tostring(description.one("//xs:schema"))

    try:
        etree.XMLSchema(etree.fromstring(inline))
        xmlschema.XMLSchema10(inline.decode())
    except (etree.XMLSchemaParseError, xmlschema.XMLSchemaException) as broken:
        raise AssertionError(broken) from broken


# Messages --------------------------------------------------------------------------------------------------------


def test_r2206_a_part_with_an_element_names_a_global_element(description):
    for part in description.all("//wsdl:part[@element]"):
        assert description.referred(part, "element", "//xs:schema/xs:element") is not None


def test_r2306_no_part_has_both_a_type_and_an_element(description):
    assert not description.all("//wsdl:part[@type and @element]")


def test_r2204_parts_are_defined_by_an_element(description):
    """A document-literal body refers to such parts only; R2205 says the same of headers and faults."""
    assert not description.all("//wsdl:part[not(@element)]")


# Port types ------------------------------------------------------------------------------------------------------


def test_r2303_every_operation_is_a_request_and_its_answer(description):
    """Neither Solicit-Response nor Notification: the input stands first."""
    for operation in description.all("//wsdl:portType/wsdl:operation"):
        ways = [etree.QName(each).localname for each in operation]
        assert [way for way in ways if way != "documentation"] == ["input", "output", "fault"]


def test_r2304_the_operations_have_names_of_their_own(description):
    names = [each.get("name") for each in description.all("//wsdl:portType/wsdl:operation")]

    assert len(set(names)) == len(names) == 15


def test_r2305_parameter_order_leaves_out_one_part_at_most(description):
    assert not description.all("//*[@parameterOrder]")


# The rules are able to fail --------------------------------------------------------------------------------------

_TYPES = "<wsdl:types>"
_PART = '<wsdl:part name="parameters" element="tns:SyncStudents"/>'
BREACHES = {
    test_r2001_only_descriptions_are_imported_by_wsdl_import: (
        _TYPES,
        f'<wsdl:import namespace="urn:x" location="types.xsd"/>{_TYPES}',
    ),
    test_r2002_r2003_schemas_are_imported_by_the_schema_s_import_inside_types_alone: (
        _TYPES,
        f'<wsdl:documentation><xs:import xmlns:xs="{XS}" schemaLocation="types.xsd"/></wsdl:documentation>{_TYPES}',
    ),
    test_r2022_r2023_imports_and_types_stand_before_all_else: (_TYPES, f'<wsdl:message name="Early"/>{_TYPES}'),
    test_r2025_r2026_no_extension_is_required: (_TYPES, f'<x:policy xmlns:x="urn:x" wsdl:required="true"/>{_TYPES}'),
    test_r4003_the_encoding_is_utf_8: ("encoding='UTF-8'", "encoding='ISO-8859-1'"),
    test_r4004_the_document_is_xml_1_0: ("version='1.0'", "version='1.1'"),
    test_r4005_the_prefix_xml_is_not_declared: (
        "<wsdl:types>",
        '<wsdl:types xmlns:xml="http://www.w3.org/XML/1998/namespace">',
    ),
    test_r2101_names_of_wsdl_components_are_of_this_document: (
        '<soap:header message="tns:',
        '<soap:header xmlns:other="urn:x" message="other:',
    ),
    test_r2102_names_of_schema_components_are_of_the_schema_or_of_what_it_imports: (
        'type="xs:boolean"',
        'xmlns:other="urn:x" type="other:boolean"',
    ),
    test_r2105_every_schema_has_a_target_namespace: (_TYPES, f'{_TYPES}<xs:schema xmlns:xs="{XS}"/>'),
    test_r2110_r2111_no_array_is_made_of_the_soap_encoding: (
        'type="xs:boolean"',
        'type="xs:boolean" wsdl:arrayType="xs:boolean[]"',
    ),
    test_r2112_no_element_is_named_array_of: ('<xs:element name="student"', '<xs:element name="ArrayOfStudent"'),
    test_r2801_the_types_are_xml_schema_1_0: ("<xs:sequence>", "<xs:assert test='true()'/><xs:sequence>"),
    test_r2206_a_part_with_an_element_names_a_global_element: (_PART, _PART.replace("SyncStudents", "SyncPupils")),
    test_r2306_no_part_has_both_a_type_and_an_element: (_PART, _PART.replace("/>", ' type="tns:Student"/>')),
    test_r2204_parts_are_defined_by_an_element: (_PART, _PART.replace("element", "type")),
    test_r2303_every_operation_is_a_request_and_its_answer: (
        '<wsdl:input message="tns:SyncStudentsRequest"/>',
        "",
    ),
    test_r2304_the_operations_have_names_of_their_own: (
        '<wsdl:operation name="SyncTeachers">',
        '<wsdl:operation name="SyncStudents">',
    ),
    test_r2305_parameter_order_leaves_out_one_part_at_most: (
        '<wsdl:operation name="SyncTeachers">',
        '<wsdl:operation name="SyncTeachers" parameterOrder="teachers">',
    ),
}


@pytest.mark.parametrize("rule", BREACHES, ids=lambda rule: rule.__name__.removeprefix("test_"))
def test_a_breach_is_noticed(rule, version):
    broken = with_a_breach(version, *BREACHES[rule])

    with pytest.raises((AssertionError, ValueError)):
        rule(broken)


def test_every_rule_of_this_file_has_its_breach():
    assert [rule for name, rule in globals().items() if name.startswith("test_r")] == list(BREACHES)
