"""The XML inside a Factur-X invoice: exact, held against the page, and its broken rules named."""

from datetime import date
from decimal import Decimal

import pytest

from paraphe.reading import read

from .paper import edited, written
from .test_doubt import codes
from .test_layouts import PEOPLE, paper, table, values

HOURS = ("35.00", "17.50", "7.00")
LINE = """<ram:IncludedSupplyChainTradeLineItem>
<ram:SpecifiedTradeProduct><ram:Name>Gestion</ram:Name><ram:Description>{}</ram:Description>
</ram:SpecifiedTradeProduct>
<ram:NetPriceProductTradePrice><ram:ChargeAmount>12.00</ram:ChargeAmount></ram:NetPriceProductTradePrice>
<ram:BilledQuantity unitCode="HUR">{}</ram:BilledQuantity><ram:SpecifiedTradeSettlementLineMonetarySummation>
<ram:LineTotalAmount>{}</ram:LineTotalAmount></ram:SpecifiedTradeSettlementLineMonetarySummation>
</ram:IncludedSupplyChainTradeLineItem>"""
XML = """<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
<rsm:ExchangedDocument><ram:ID>FA-26-11-0340</ram:ID><ram:TypeCode>380</ram:TypeCode><ram:IssueDateTime>
<udt:DateTimeString format="102">20261002</udt:DateTimeString></ram:IssueDateTime></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>{lines}
<ram:SellerTradeParty><ram:SpecifiedLegalOrganization><ram:ID>00290361500017</ram:ID>
</ram:SpecifiedLegalOrganization></ram:SellerTradeParty>
<ram:BuyerTradeParty><ram:Name>OPCO Cohésia</ram:Name></ram:BuyerTradeParty>
<ram:ApplicableHeaderTradeSettlement><ram:ApplicableTradeTax><ram:CalculatedAmount>0.00</ram:CalculatedAmount>
<ram:BasisAmount>714.00</ram:BasisAmount><ram:RateApplicablePercent>0</ram:RateApplicablePercent></ram:ApplicableTradeTax>
<ram:BillingSpecifiedPeriod><ram:StartDateTime><udt:DateTimeString>20260901</udt:DateTimeString></ram:StartDateTime>
<ram:EndDateTime><udt:DateTimeString>20260930</udt:DateTimeString></ram:EndDateTime></ram:BillingSpecifiedPeriod>
<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount>714.00</ram:LineTotalAmount>
<ram:TaxBasisTotalAmount>714.00</ram:TaxBasisTotalAmount><ram:TaxTotalAmount>0.00</ram:TaxTotalAmount>
<ram:GrandTotalAmount>714.00</ram:GrandTotalAmount><ram:DuePayableAmount>714.00</ram:DuePayableAmount>
</ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>
</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"""


def xml() -> str:
    people = zip(PEOPLE, HOURS, strict=True)
    return XML.format(
        lines="".join(LINE.format(f"{last} {first}", hours, Decimal(hours) * 12) for (last, first), hours in people)
    )


def with_xml(content: bytes | str, lines: list[str] | None = None) -> bytes:
    writer = edited(paper(lines or table()))
    writer.add_attachment("factur-x.xml", content if isinstance(content, bytes) else content.encode())
    return written(writer)


def test_the_xml_wins_and_needs_no_person_when_the_page_says_the_same():
    reading = read(with_xml(xml()))

    assert values(reading)["invoice_date"] == date(2026, 10, 2)
    assert {each.rule for name, each in reading.values.items() if name.startswith("period")} == {"factur-x.xml"}
    assert [each.last_name for each in reading.trainees] == [last for last, _ in PEOPLE]
    assert not reading.needs_review(), reading.warnings


def test_the_xml_is_enough_where_the_page_cannot_be_read():
    reading = read(with_xml(xml(), ["."]))

    assert values(reading)["quantity"] == Decimal("59.50")
    assert len(reading.trainees) == 3


def test_a_page_that_says_otherwise_is_a_warning():
    reading = read(with_xml(xml().replace("FA-26-11-0340", "FA-26-11-0341")))

    assert values(reading)["invoice_number"] == "FA-26-11-0341"
    assert "EINVOICE_DIFFERS" in codes(reading)


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("<ram:GrandTotalAmount>714", "<ram:GrandTotalAmount>715", "BR-CO-15"),
        ("<ram:LineTotalAmount>420", "<ram:LineTotalAmount>421", "BR-CO-10"),
        ("<ram:DuePayableAmount>714", "<ram:DuePayableAmount>700", "BR-CO-16"),
        ("<ram:ID>FA-26-11-0340</ram:ID>", "", "BR-02"),
    ],
)
def test_a_broken_rule_is_a_warning_with_its_number(before, after, rule):
    reading = read(with_xml(xml().replace(before, after)))

    assert any(each.code == "EINVOICE_RULE" and rule in each.message for each in reading.warnings)


@pytest.mark.parametrize(
    "content",
    [
        b"<not-closed",
        b"<Order/>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b"",
    ],
    ids=["not XML", "another paper", "entities", "outside", "empty"],
)
def test_xml_that_cannot_be_used_is_a_warning_and_the_page_is_read(content):
    reading = read(with_xml(content))

    assert "EINVOICE_UNUSABLE" in codes(reading)
    assert values(reading)["invoice_number"] == "FA-26-11-0340"
