"""How French invoices write days, periods, hours, amounts and names."""

from datetime import date
from decimal import Decimal

import pytest

from paraphe.reading.dates import days, periods
from paraphe.reading.measures import in_text
from paraphe.reading.names import name, named_by_case, named_in_prose


@pytest.mark.parametrize(
    "text", ["05/02/2026", "05/02/26", "05-02-2026", "5.2.2026", "2026-02-05", "5 février 2026", "jeudi 5 février 2026",
             "5 FÉVRIER 2026", "5 févr. 2026"],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(text):
    assert [each for each, _, _ in days(f"Le {text} à Lyon")] == [date(2026, 2, 5)]


def test_the_first_of_a_month_may_be_written_1er():
    assert [each for each, _, _ in days("le 1er avril 2026")] == [date(2026, 4, 1)]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("du 01/09/2026 au 30/09/2026", date(2026, 9, 1), date(2026, 9, 30)),
        ("du 01/09 au 30/09/2026", date(2026, 9, 1), date(2026, 9, 30)),
        ("du 1er au 30 septembre 2026", date(2026, 9, 1), date(2026, 9, 30)),
        ("du 15 novembre au 2 décembre 2026", date(2026, 11, 15), date(2026, 12, 2)),
        ("du 15 décembre au 2 janvier 2027", date(2026, 12, 15), date(2027, 1, 2)),
        ("01/09/2026 → 30/09/2026", date(2026, 9, 1), date(2026, 9, 30)),
        ("01.09.2026 - 30.09.2026", date(2026, 9, 1), date(2026, 9, 30)),
        ("2026-09-01 / 2026-09-30", date(2026, 9, 1), date(2026, 9, 30)),
        ("Septembre 2026", date(2026, 9, 1), date(2026, 9, 30)),
        ("octobre à décembre 2026", date(2026, 10, 1), date(2026, 12, 31)),
        ("3e trimestre 2026", date(2026, 7, 1), date(2026, 9, 30)),
        ("1er semestre 2026", date(2026, 1, 1), date(2026, 6, 30)),
        ("les 4, 5 et 6 mai 2026", date(2026, 5, 4), date(2026, 5, 6)),
        ("les 30 et 31 mars, 1er et 2 avril 2026", date(2026, 3, 30), date(2026, 4, 2)),
        ("du 4 au 5 mai et du 11 au 12 mai 2026", date(2026, 5, 4), date(2026, 5, 12)),
        ("29/12 et 05/01/2027", date(2026, 12, 29), date(2027, 1, 5)),
        ("tranche 4/12, du 01/06/2026 au 30/06/2026", date(2026, 6, 1), date(2026, 6, 30)),
    ],
)
def test_a_period_is_read_however_it_is_written(text, start, end):
    assert [(each.start, each.end) for each in periods(text)] == [(start, end)]


@pytest.mark.parametrize(
    "text",
    ["le 12 septembre 2026", "31/02/2026", "FA-26-11-0340", "du 30/09/2026 au 01/09/2026", "Paris 12, 15 mai 2026"],
)
def test_what_is_no_period_is_none(text):
    assert periods(text) == []


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("17,50 h", "HOURS", "17.50"),
        ("17h30", "HOURS", "17.50"),
        ("21 h 00", "HOURS", "21.00"),
        ("151.67 heures", "HOURS", "151.67"),
        ("70:00", "CLOCK", "70.00"),
        ("1 056,83 €", "MONEY", "1056.83"),
        ("-252,00 €", "MONEY", "-252.00"),
        ("(252,00)", "NUMBER", "-252.00"),
        ("1.234,56 EUR", "MONEY", "1234.56"),
        ("20 %", "PERCENT", "20"),
        ("5 jours", "DAYS", "5"),
    ],
)
def test_a_number_is_read_with_what_it_counts(text, kind, value):
    assert [(found, number) for found, number, _, _ in in_text(text)] == [(kind, Decimal(value))]


def test_times_of_day_are_no_durations():
    assert list(in_text("de 9h00 à 12h30")) == []


@pytest.mark.parametrize(
    ("text", "last", "first"),
    [
        ("LE GOFF Anaïs", "LE GOFF", "Anaïs"),
        ("Anaïs LE GOFF", "LE GOFF", "Anaïs"),
        ("LE GOFF ANAÏS", "LE GOFF", "ANAÏS"),
        ("Mme Anaïs Le Goff", "Le Goff", "Anaïs"),
        ("M. PEÑA Hugo", "PEÑA", "Hugo"),
        ("SØRENSEN, Ngọc-Ánh", "SØRENSEN", "Ngọc-Ánh"),
        ("Mme Océane DE LA RUE", "DE LA RUE", "Océane"),
        ("Inscription de Aurélien LEFÈVRE", "LEFÈVRE", "Aurélien"),
        ("D'Almeida Naïma", "D'Almeida", "Naïma"),
        ("Roxane LE DU", "LE DU", "Roxane"),
        ("M. Pierre-Yves Le Du", "Le Du", "Pierre-Yves"),
        ("LÊ VĂN Élise", "LÊ VĂN", "Élise"),
        ("Mme Chloé Lê Văn", "Lê Văn", "Chloé"),
        ("DE LA TOUR-MARTEL Rémi", "DE LA TOUR-MARTEL", "Rémi"),
    ],
)
def test_a_name_is_told_in_its_two_parts(text, last, first):
    found = name(text)

    assert found
    assert (found.last, found.first) == (last, first)


@pytest.mark.parametrize(
    "text", ["CAP Pâtissier", "OPCO Cohésia", "Total heures", "LE GOFF", "12 rue des Tanneurs", "Bachelor Paul",
             "LE GOFF Anaïs DUBREUILH Loïc", "Paul BLANC, Lou DIARRA", "Anne BLANC du", "Clémence DE LA", "EXPÉDIER À"],
)  # fmt: skip
def test_what_is_no_single_name_is_none(text):
    assert name(text) is None


@pytest.mark.parametrize("opens", ["du 02/03/2026", "DU  02/03/2026", "Les 2 et 3 mars", "au 1er mars"])
def test_a_name_in_a_text_ends_where_a_day_begins(opens):
    (found,) = [each.printed for each, _, _ in named_in_prose(f"Mme JOUVENEL Marie {opens}")]
    (by_case,) = [each.printed for each, _, _ in named_by_case(f"de JOUVENEL Marie {opens}")]

    assert found == by_case == "JOUVENEL Marie"
