"""What an invoice of training says, drawn at random and entirely invented, and the ways French people write it."""

import calendar
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

_FAMILY = [
    "BELKACEM",
    "N'GUESSAN",
    "SAINT-AMAND",
    "D'HAUTEFORT",
    "LE BRETON",
    "VAN DEN BERG",
    "MÖLLER",
    "ÖZTÜRK",
    "DA COSTA FERREIRA",
    "PETIT",
    "MARTIN",
    "GUÉRIN-LACROIX",
    "PAUL",
    "BLANC",
    "DELAHAYE",
    "ROUSSEAU",
    "EL AMRANI",
    "KOUASSI",
    "DE LA FRESNAYE",
    "CARPENTIER",
    "LECŒUR",
    "BÉNARD",
    "ARNAUD",
    "MAÎTREJEAN",
    "DIARRA",
    "PEÑA",
    "SZYMAŃSKI",
    "LAMBERT-DUVAL",
    "ROCHE",
    "VINCENT",
    "COUTURIER",
    "DU BOISGÉNÉ",
    "HADDAD",
    "TCHOUMI",
]
_GIVEN = [
    "Marie-Ange",
    "Lou",
    "Kévin",
    "Noé",
    "Zéphyrin",
    "Maëlys",
    "Ismaël",
    "Oriane",
    "Sandro",
    "Yuna",
    "Elouan",
    "Tiphanie",
    "Abdoulaye",
    "Gwendal",
    "Ombeline",
    "Jean-Baptiste",
    "Clémentine",
    "Aurélie",
    "Stéphane",
    "Inès",
    "Lucas",
    "Nathalie",
    "Paul",
    "Louise",
    "Françoise",
    "Mickaël",
    "Sélène",
    "Omer",
    "Anne",
]
_SELLERS = (
    "Atelier des Savoirs Obliques", "CFA des Trois Vallons", "Académie Lumen Fictif", "SARL Cap Boussole Formation",
    "Institut du Geste Juste", "Greta-Modèle Plaine et Monts",
)  # fmt: skip
_PAYERS = ("OPCO Tramontane", "OPCO Sillage", "OPCO Belvédère", "OPCO Archipel 2i")
_COMPANIES = ("Menuiserie Ardoise SAS", "Les Jardins d'Opale", "Transports Virevolte", "Clinique des Ormeaux Bleus")
_STREETS = ("3 rue du Four à Chaux", "41 bis avenue des Acacias", "ZA Les Platanes - Bâtiment C", "17, place du Marché")
_TOWNS = ("38999 VAL-FICTIF", "59998 ROUBELLE", "13999 SAINT-MODÈLE-SUR-MER", "75999 PARIS FICTIF")
TITLES = (
    "Conduite d'entretien professionnel", "Excel : tableaux croisés dynamiques", "Titre professionnel Secrétaire",
    "Habilitation électrique BR", "CAP Cuisine 2e année", "Management d'une équipe de proximité",
)  # fmt: skip
MONTHS = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"]  # fmt: skip
NB, THIN = "\u00a0", "\u202f"


def siret(rng: random.Random) -> str:
    """Draw a SIRET of a SIREN that nobody has: it begins with 000 to 004; both check digits are right."""
    siren = _checked(f"00{rng.randint(0, 4)}{rng.randint(0, 99999):05d}")
    return _checked(siren + f"000{rng.randint(1, 9)}")


def _checked(digits: str) -> str:
    for last in "0123456789":
        doubled = [int(each) * (2 if at % 2 else 1) for at, each in enumerate(reversed(digits + last))]
        if sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0:
            return digits + last
    raise AssertionError("one of ten digits fits")


@dataclass
class Person:
    """A trainee: hours in all, and a number of a contract where the layout prints one."""

    last: str
    first: str
    hours: Decimal = Decimal()
    contract: str = ""

    def written(self, style: str) -> str:
        """Write the name: NP "DURAND Anne", PN "Anne DURAND", Np "Durand Anne", C "Mme Anne DURAND", CAPS, COMMA."""
        plain = "-".join(each.capitalize() for each in self.last.split("-")) if "'" not in self.last else self.last
        title = "M." if len(self.first) % 2 else "Mme"
        return {
            "NP": f"{self.last} {self.first}",
            "PN": f"{self.first} {self.last}",
            "Np": f"{' '.join(each.capitalize() for each in plain.split())} {self.first}",
            "C": f"{title} {self.first} {self.last}",
            "CN": f"{title} {self.last} {self.first}",
            "CAPS": f"{self.last} {self.first.upper()}",
            "COMMA": f"{self.last}, {self.first}",
        }[style]


@dataclass
class Case:
    """One invoice. A layout may change what it needs other, before it writes it."""

    rng: random.Random
    layout: str
    variant: int
    number: str = ""
    day: date = date(2026, 1, 1)
    start: date = date(2026, 1, 1)
    end: date = date(2026, 1, 1)
    rate: Decimal = Decimal(15)
    vat: int = 0
    kind: str = "invoice"
    credited: str = ""
    unit: str = "hour"
    people: list[Person] = field(default_factory=list)
    seller: str = ""
    buyer: str = ""
    company: str = ""
    dossier: str = ""
    siret: str = ""
    other_siret: str = ""
    street: str = ""
    town: str = ""
    title: str = ""
    amount: Decimal | None = None

    @classmethod
    def draw(cls, layout: str, variant: int, *, people: tuple[int, int] = (1, 6)) -> "Case":
        """Draw an invoice; the same layout and variant give the same one."""
        rng = random.Random(f"{layout}/{variant}")
        case = cls(rng, layout, variant)
        year, month = rng.choice((2025, 2026, 2026)), rng.randint(1, 12)
        case.start = date(year, month, 1)
        case.end = date(year, month, calendar.monthrange(year, month)[1])
        case.day = case.end + timedelta(days=rng.randint(1, 12))
        serial = rng.randint(11, 2999)
        case.number = rng.choice(
            (
                f"F{year % 100}-{serial:04d}", f"{year}{case.day.month:02d}-{serial:03d}", f"FA{serial:06d}",
                f"{serial:04d}/{year}", f"VTE{year}.{serial}", f"FC-{year}-{serial:05d}", f"{year % 100}{serial:05d}",
            )
        )  # fmt: skip
        case.rate = Decimal(rng.choice(("9.15", "12", "15", "18.50", "22.75", "38")))
        names = rng.sample(_FAMILY, rng.randint(*people)) if people[1] <= len(_FAMILY) else list(_FAMILY)
        case.people = [
            Person(
                name,
                rng.choice([each for each in _GIVEN if each.upper() != name]),
                case.some_hours(),
                case.some_contract(),
            )
            for name in names
        ]
        case.seller, case.buyer, case.company = rng.choice(_SELLERS), rng.choice(_PAYERS), rng.choice(_COMPANIES)
        case.dossier = rng.choice((f"{rng.randint(10**7, 10**8)}", f"DPC{rng.randint(10**5, 10**6)}"))
        case.siret, case.other_siret = siret(rng), siret(rng)
        case.street, case.town, case.title = rng.choice(_STREETS), rng.choice(_TOWNS), rng.choice(TITLES)
        return case

    def some_hours(self) -> Decimal:
        """Draw hours as sessions of half a day give them, now and then odd ones."""
        return Decimal(self.rng.choice(("7", "14", "21", "35", "10.5", "17.5", "24.5", "3.5", "28", "12.25", "31.75")))

    def some_contract(self) -> str:
        """Draw the number of a contract of apprenticeship as DECA gives it."""
        return f"{self.rng.randint(1, 95):03d}{self.start.year}{self.start.month:02d}{self.rng.randint(0, 10**8):08d}"

    @property
    def hours(self) -> Decimal:
        """The hours of all."""
        return sum((each.hours for each in self.people), Decimal())

    @property
    def net(self) -> Decimal:
        """The amount without tax: the sum of rounded lines."""
        if self.amount is not None:
            return self.amount
        return sum((cents(each.hours * self.rate) for each in self.people), Decimal())

    @property
    def tax(self) -> Decimal:
        """The tax."""
        return cents(self.net * self.vat / 100)

    def truth(self) -> dict[str, Any]:
        """Say what a reader must find, in the shape of the collection's scorer."""
        return {
            "layout": self.layout,
            "kind": self.kind,
            "number": self.number,
            "date": self.day.isoformat(),
            "period_start": self.start.isoformat(),
            "period_end": self.end.isoformat(),
            "quantity": float(self.hours),
            "unit": self.unit,
            "total_ht": float(self.net),
            "total_tva": float(self.tax),
            "total_ttc": float(self.net + self.tax),
            "seller_siret": self.siret,
            "buyer": self.buyer,
            "dossier": self.dossier or None,
            "trainees": [
                {
                    "last": each.last,
                    "first": each.first,
                    "printed": each.written("NP"),
                    "hours": float(each.hours) if self.unit == "hour" else None,
                    "contract": each.contract or None,
                }
                for each in self.people
            ],
            "expect": "extract",
        }


def cents(value: Decimal) -> Decimal:
    """Round to cents as accountants do."""
    return (value + Decimal("0.00001")).quantize(Decimal("0.01"))


def euros(value: Decimal, gap: str = NB, sign: str = " €") -> str:
    """Write an amount: "1 234,50 €", with the blank that parts thousands and what stands behind."""
    whole, _, part = f"{value:.2f}".partition(".")
    minus, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    groups: list[str] = []
    while len(whole) > 3:
        groups.insert(0, whole[-3:])
        whole = whole[:-3]
    return minus + gap.join([whole, *groups]) + "," + part + sign


def hours(value: Decimal, style: str) -> str:
    """Write hours: h30 "7h30", comma "7,50", point "7.50 h", words "7 heures 30", short "7,5 h"."""
    whole, minutes = int(value), int((value - int(value)) * 60)
    short = f"{value.normalize():f}".replace(".", ",")
    return {
        "h30": f"{whole}h{minutes:02d}",
        "h30 loose": f"{whole} h {minutes:02d}" if minutes else f"{whole} h",
        "comma": f"{value:.2f}".replace(".", ","),
        "comma h": f"{value:.2f} h".replace(".", ","),
        "point": f"{value:.2f}",
        "point h": f"{value:.2f} h",
        "words": f"{whole} heures {minutes:02d}" if minutes else f"{whole} heures",
        "short": f"{short} h",
        "bare": short,
    }[style]


def written_day(day: date, style: str) -> str:
    """Write a day: slash, dot, dash, words ("1er mars 2026"), short ("01/03/26"), iso."""
    number = "1er" if day.day == 1 else str(day.day)
    return {
        "slash": f"{day:%d/%m/%Y}",
        "dot": f"{day:%d.%m.%Y}",
        "dash": f"{day:%d-%m-%Y}",
        "short": f"{day:%d/%m/%y}",
        "iso": f"{day:%Y-%m-%d}",
        "words": f"{number} {MONTHS[day.month - 1]} {day.year}",
    }[style]
