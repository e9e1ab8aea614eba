"""Which of the names on an invoice are its trainees: the set whose hours, or amounts, make what is printed."""

import re
from dataclasses import replace
from decimal import Decimal
from itertools import islice, pairwise

from . import alike, gaps, grids, items, left_out, mentions, rows, staff, students, tables, turned
from .folding import fold
from .labels import COMPARE, Sheet, value
from .layout import Line
from .lending import Lender
from .measures import Measure, added, measures
from .mentions import Mention
from .proof import Proof
from .result import Known, Reading, Student, Trainee

_CENT = Decimal("0.01")
_EDGE = 3  # points
_WITH_AND_WITHOUT_VAT = (Decimal(1), Decimal("1.2"))


_IMPRINT = re.compile(r"\b(?:siret|siren|rcs|capital|nda|ape|naf|declaration d'activite)\b")


_PART = re.compile(r"(?:sous[- ]total|s/total)\b")

#: How a name says itself which of its parts is the family.
_TOLD = ("comma", "case")

#: Rules by which a title may pass for a name.
_LOOSE = ("grid", "line of its own", "list of names", "capitals", "lines of one item")


class Trainees:
    """The set of mentions that is the invoice's list of trainees, and how well it is proven."""

    def __init__(self, sheet: Sheet, known: Known, proof: Proof) -> None:
        self.sheet, self.known, self.proof = sheet, known, proof
        self.sums, self.excl, self.in_hours = proof.sums, proof.excl, proof.in_hours
        self.lender = Lender(sheet, proof)
        self.rows = self.lender.rows
        self.by_name = students.of_one_name(known)
        self.imprint = [line for line in sheet.lines if _IMPRINT.search(line.folded) or line is sheet.lines[0]]
        self.proven = False
        self.left_out: list[Mention] = []
        self.mentions = self._choose()

    def _choose(self) -> list[Mention]:
        columns = rows.in_tables(self.sheet, in_hours=self.in_hours)
        lines = rows.in_lines(self.sheet, in_hours=self.in_hours)
        labels, prose = mentions.labelled(self.sheet, least=1), mentions.in_prose(self.sheet)
        pupils = students.known(self.sheet, self.known)
        blocks = rows.in_blocks(self.sheet, in_hours=self.in_hours)
        self._lend_rows(pupils, columns + lines)
        sentences = mentions.in_sentences(self.sheet)
        both = _merged(columns, lines)
        named = [
            columns,
            sentences,
            blocks,
            both,
            lines,
            grids.in_grids(self.sheet, self.proof.makes_amount, in_hours=self.in_hours),
            mentions.in_forms(self.sheet),
            turned.in_turned_tables(self.sheet),
            pupils,
            labels,
            _merged(labels, lines),
            prose,
        ]
        named += [_merged(labels, prose), _merged(both, labels + prose)]
        alone = rows.on_their_own(self.sheet)
        self.authors = {each.key for each in alone if staff.heads_the_letter(self.sheet, each)}
        late = [
            [each for each in alone if each.name.likeness > 1],
            mentions.labelled(self.sheet, least=0),
            rows.in_lines(self.sheet, in_hours=self.in_hours, least=0),
            alike.in_alike_rows(self.sheet, in_hours=self.in_hours),
            alone,
            mentions.in_running_text(self.sheet),
        ]
        of_the_class = [[one for one in each if not self._is_other(one)] for each in named + late]
        certain = of_the_class[: len(named)] + of_the_class[-2:]
        self.named = {each.key for found in certain for each in found if each.name.likeness >= _sure(each)}
        listed = [_once(found) for found in of_the_class if found]
        sets = [self._completed(found) for found in listed]
        for found, every in zip(sets, listed, strict=True):
            if self._is_proven(found):
                self.proven = True
                self.left_out = [each for each in every if left_out.is_said_to_be(self.sheet, each)]
                return found
        return max(sets, key=_quality, default=[])

    def _is_other(self, each: Mention) -> bool:
        """Say whether a name is the organisation's own, or of somebody who signs for it or writes the letter."""
        if each.students:
            return staff.is_named_as_staff(each)  # somebody of that name
        if each.key in self.authors and not _is_labelled(each):
            return True
        told = each.hours is not None or _is_labelled(each)
        own = not told and (
            staff.is_addressed(self.sheet, each) or any(each.name.printed in line.text for line in self.imprint)
        )
        return own or staff.stands_as_staff(self.sheet, each) or staff.heads_the_letter(self.sheet, each)

    def _completed(self, found: list[Mention]) -> list[Mention]:
        found = self._with_students(self.lender.lend(found))
        if self._is_proven(found):
            return found
        invoiced = [each for each in found if not left_out.is_left_out(self.sheet, each)]
        others = (_from_summary(found), invoiced)
        return next((each for each in others if self._is_proven(each)), found)

    def _without(self, reading: Reading) -> None:
        """Have a person look at those left out by words alone: who was absent, and students called as staff is."""
        named = {each.key for each in self.mentions}
        called = [each for each in students.known(self.sheet, self.known) if staff.is_named_as_staff(each)]
        for key, printed in {each.key: each.name.printed for each in self.left_out + called}.items():
            if key not in named:
                reading.warn(
                    "TRAINEES_NOT_PROVEN",
                    f"{printed} stands on the invoice, but as somebody who is no trainee or was absent.",
                    COMPARE,
                    "trainees",
                )

    def _lend_rows(self, pupils: list[Mention], beside: list[Mention]) -> None:
        """Give mentions of known students what stands in their line."""
        for student in pupils:
            row = self.rows.get(student.line.number, tables.Row(student.line, ()))
            if row.is_total:
                continue
            student.row = row
            student.hours, student.amount, student.proven = rows.figures(row, in_hours=self.in_hours)
            student.contract = next(
                (each.contract for each in beside if each.line is student.line and each.contract), student.contract
            )

    def _with_students(self, found: list[Mention]) -> list[Mention]:
        """Say of each mention which students of the account it may be."""
        for each in found:
            each.students = each.students or self.by_name.get(each.key, ())
        return found

    def _is_proven(self, found: list[Mention]) -> bool:
        """Say whether hours of all trainees make a printed total, or an amount that is printed."""
        if not found:
            return False
        values = [each.hours.value for each in found if each.hours is not None]
        if len(values) == len(found):
            return self.proof.fits(values) and (len(values) > 1 or self._is_alone(found[0]))
        amounts = [each.amount.value for each in found if each.amount is not None]
        if not values and not self.sums and len(amounts) == len(found) and self.excl is not None:
            return bool(abs(sum(amounts, Decimal())) == abs(self.excl.value))
        return not values and len(found) == 1 and bool(self.sums) and self._is_alone(found[0])

    def _is_alone(self, only: Mention) -> bool:
        """Say whether nobody else is named and no other line counts hours, so that one trainee is all there are."""
        if self.named - {only.key} or self._has_two_contracts() or self._has_neighbour(only):
            return False
        own = abs(only.hours.value if only.hours is not None else self.sums[0].value)
        beside, _, _ = rows.figures(self.rows.get(only.line.number, tables.Row(only.line, ())), in_hours=self.in_hours)
        if (beside is not None and abs(beside.value) != own and not only.parts) or self._costs_less(only.line, own):
            return False
        counted = {abs(each.value) for line in self.sheet.lines for each in measures(line) if each.kind == "HOURS"}
        counted |= {abs(each.value) for line in self.sheet.lines if (each := rows.labelled_hours(line))}
        if counted - {own} - set(only.parts) - set(self._parts_of(own)):
            return False
        counting = items.items(self.sheet, in_hours=self.in_hours)
        if 0 < self._named_among(only, counting) < len(counting):
            return False  # some of the items are somebody else's
        return sum((abs(each[0].value) for each in counting), Decimal()) in (0, abs(own))

    def _costs_less(self, line: Line, hours: Decimal) -> bool:
        """Say whether a line has amounts, and none is the invoice's, or the price of hours that makes it."""
        figures = list(measures(line))
        money = [abs(each.value) for each in figures if each.kind == "MONEY"]
        if product := tables.product(figures):
            money.append(abs(product[2].value))
        if not money or self.excl is None:
            return False
        whole = {(abs(self.excl.value) * rate).quantize(_CENT) for rate in _WITH_AND_WITHOUT_VAT}
        return not any(each.quantize(_CENT) in whole or (each * hours).quantize(_CENT) in whole for each in money)

    def _parts_of(self, total: Decimal) -> list[Decimal]:
        """Return the hours of the rows of tables, if they make a total: sessions of one trainee."""
        found = (rows.figures(row, in_hours=self.in_hours)[0] for row in self.rows.values() if not row.is_total)
        parts = [abs(each.value) for each in found if each is not None and abs(each.value) != total]
        return parts if sum(parts, Decimal()) == total else []

    def _has_neighbour(self, only: Mention) -> bool:
        """Say whether somebody else stands right above or below in the same column, whatever is left of the name."""
        if not only.cell.x0 > min(cell.x0 for cell in only.line.cells):
            return False
        near = (line for line in self.sheet.lines if abs(line.number - only.line.number) == 1)
        cells = (cell for line in near for cell in line.cells[1:] if abs(cell.x0 - only.cell.x0) < _EDGE)
        return any((other := mentions.name_in(cell.text)) and other.likeness > 1 for cell in cells)

    def _has_two_contracts(self) -> bool:
        """Say whether two numbers of contracts are printed that are alike: one for each of several trainees."""
        numbers = {found for line in self.sheet.lines if (found := mentions.contract_in(line))}
        return len({re.sub(r"\d", "0", each) for each in numbers}) < len(numbers)

    def _named_among(self, only: Mention, counting: list[items.Item]) -> int:
        """Return how often a family name stands among the lines that count hours."""
        numbers = [line.number for *_, line in counting]
        among = (line for line in self.sheet.lines if numbers and numbers[0] - 1 <= line.number <= numbers[-1] + 3)
        family = fold(only.name.last.split()[-1])
        return sum(family in line.folded for line in among)

    def settle(self, reading: Reading) -> None:
        """Put the trainees into the reading, with what a person should look at."""
        for each in self.mentions:
            reading.trainees.append(self._trainee(each, reading))
        if self.mentions and not self.proven:
            reading.warn(
                "TRAINEES_NOT_PROVEN",
                "The hours of the trainees do not make a total that the invoice prints.",
                COMPARE,
                "trainees",
            )
        named = {each.key for each in self.mentions}
        if gap := gaps.unread(self.sheet, self.mentions, self.rows):
            reading.warn(
                "TRAINEES_NOT_PROVEN",
                f"A line of the list of trainees names nobody that could be read (page {gap.page}).",
                COMPARE,
                "trainees",
            )
        self._without(reading)
        for each in self.mentions:
            if left_out.is_left_out(self.sheet, each):
                reading.warn(
                    "TRAINEES_NOT_PROVEN",
                    f"Beside or above {each.name.printed} stand words that leave a person out.",
                    COMPARE,
                    "trainees",
                )
        if (count := gaps.counted(self.sheet)) > len(self.mentions) > 0:
            reading.warn(
                "TRAINEES_NOT_PROVEN",
                f"The invoice counts {count} trainees; {len(self.mentions)} were read.",
                COMPARE,
                "trainees",
            )
        parts = sum(row.is_carried and bool(_PART.match(row.line.folded)) for row in self.rows.values())
        if parts > len(self.mentions) > 0:
            reading.warn(
                "TRAINEES_NOT_PROVEN",
                f"The invoice has {parts} sub-totals; {len(self.mentions)} trainees were read.",
                COMPARE,
                "trainees",
            )
        beside = {each.line.number for each in self.mentions}
        for other in rows.on_their_own(self.sheet):
            if (
                not any(set(other.key) <= set(each) for each in named)
                and other.line.number in beside
                and not self._is_other(other)
            ):
                reading.warn(
                    "TRAINEES_NOT_PROVEN",
                    f"{other.name.printed} stands beside a trainee, without being among the trainees read.",
                    COMPARE,
                    "trainees",
                )
        for student in students.known(self.sheet, self.known):
            if student.key not in named and not self.proven:
                reading.warn(
                    "TRAINEES_NOT_PROVEN",
                    f"{student.name.printed} is named as well, without being among the trainees read.",
                    COMPARE,
                    "trainees",
                )

    def _trainee(self, each: Mention, reading: Reading) -> Trainee:
        sure = min(99, each.confidence + (4 if self.proven else -12) + (2 if each.proven else 0))
        if each.name.likeness == 0 and not each.students:
            sure = min(sure, 84 if self.proven and each.rule == "column of names" else 60)
        if each.name.likeness == 1 and not each.students and each.rule in _LOOSE:
            sure = min(sure, 78)
        last, first, reference = each.name.last, each.name.first, None
        index = len(reading.trainees) + 1
        student = _the_one(each)
        if student:
            last, first, reference = student.last_name, student.first_name, student.reference
        elif len(each.students) > 1:
            reading.warn(
                "AMBIGUOUS_TRAINEE",
                f"Trainee {index}: several students are called {each.name.printed}.",
                "Give the student's reference with ReviewRecord.",
                f"trainees[{index}].reference",
            )
        elif self.known.has_students:
            reading.warn(
                "UNKNOWN_TRAINEE",
                f"Trainee {index}: no student is called {each.name.printed}.",
                "Correct the name, or send the student with SyncStudents.",
                f"trainees[{index}].lastName",
            )
        trainee = Trainee(value(each.name.printed, sure, each.line, each.rule), last, first, reference)
        if each.hours is not None:
            trainee.quantity = value(abs(each.hours.value).quantize(_CENT), sure, each.line, f"hours: {each.rule}")
        if each.amount is not None:
            trainee.amount_excl_vat = value(each.amount.value.quantize(_CENT), sure, each.line, f"amount: {each.rule}")
        contract = each.contract or self._contract_near(each)
        if contract:
            trainee.contract_number = value(contract, 85, each.line, "contract number")
        return trainee

    def _contract_near(self, each: Mention) -> str | None:
        """Return the contract number below a name in its column or its lines, else the invoice's only one."""
        cell = each.cell
        for _, below in islice(self.sheet.flow(each.line, cell), 1, 4):
            if found := mentions.contract_in_text(below.text):
                return found
        beside = [other for other in self.mentions if other.line.number == each.line.number]
        following = [other.line.number for other in self.mentions if other.line.number > each.line.number]
        end = min(following, default=each.line.number + 4)
        for line in self.sheet.lines if len(beside) == 1 else ():
            if each.line.number <= line.number < min(end, each.line.number + 4) and (
                found := mentions.contract_in(line)
            ):
                return found
        if len(self.mentions) == 1:
            everywhere = {
                found
                for line in self.sheet.lines
                if re.search(r"contrat|deca", line.folded)
                if (found := _contract_of_line(self.sheet, line.number))
            }
            return everywhere.pop() if len(everywhere) == 1 else None
        return None


def _is_labelled(each: Mention) -> bool:
    return each.rule.startswith("label")


def _sure(each: Mention) -> int:
    """Return from which likeness on a mention names somebody, whether or not it is a trainee."""
    return 1 if _is_labelled(each) else 2


def _quality(found: list[Mention]) -> tuple[int, int]:
    """Say how much unproven mentions are like a list of trainees: students known, names likely, hours beside them."""
    known = sum(bool(each.students) for each in found)
    guessed = [each for each in found if each.rule != "column of names"]
    unlikely = sum(not each.name.likeness and not each.students for each in guessed)
    likely = (1 + 2 * (each.hours is not None) + (each.name.likeness > 1) for each in found if each.name.likeness)
    return known, sum(likely) - unlikely


def _contract_of_line(sheet: Sheet, number: int) -> str | None:
    line = next(each for each in sheet.lines if each.number == number)
    if found := mentions.contract_in(line):
        return found
    for left, right in pairwise(line.cells):
        if re.search(r"contrat|deca", left.folded) and re.fullmatch(
            r"[A-Z]{0,4}-?(?=[\w/-]*\d)[\w/-]{4,24}", right.text
        ):
            return right.text
    return None


def _the_one(each: Mention) -> Student | None:
    if len(each.students) == 1:
        return each.students[0]
    matching = [student for student in each.students if each.contract and each.contract in student.numbers]
    return matching[0] if len(matching) == 1 else None


def _once(found: list[Mention]) -> list[Mention]:
    """Bring together what names one person: several rows add up, unless their contracts differ or they are one line."""
    people: list[Mention] = []
    for each in found:
        same = next((other for other in people if other.key == each.key and _is_same(other, each)), None)
        if same is None:
            people.append(replace(each, parts=[]))
        elif (
            each.line.number != same.line.number
            and each.hours is not None
            and same.hours is not None
            and each.row is not None
        ):
            same.parts += [*([] if same.parts else [abs(same.hours.value)]), abs(each.hours.value)]
            same.hours = added(same.hours, each.hours)
            same.amount = added(same.amount, each.amount) if same.amount and each.amount else None
        else:
            same.hours, same.amount = same.hours or each.hours, same.amount or each.amount
            same.contract = same.contract or each.contract
    return people


def _from_summary(found: list[Mention]) -> list[Mention]:
    """Take the last row of each person for the sum of the rows before, as a summary behind the days says it."""
    if all(each.parts and each.parts[-1] * 2 == sum(each.parts) for each in found):
        return [replace(each, hours=_of_value(each.hours, each.parts[-1]), amount=None) for each in found]
    return found


def _of_value(hours: Measure | None, value: Decimal) -> Measure | None:
    return replace(hours, value=value) if hours else None


def _is_same(one: Mention, other: Mention) -> bool:
    if one.line.number == other.line.number:
        return True
    contracts = one.contract and other.contract and one.contract != other.contract
    return not (contracts or _are_two(one, other))


def _are_two(one: Mention, other: Mention) -> bool:
    """Say whether names of the same words are of two persons, as Bernard THOMAS and Thomas BERNARD in one table."""
    counted = one.hours is not None and other.hours is not None and one.rule == other.rule
    told = one.name.order in _TOLD and other.name.order in _TOLD
    return counted and told and fold(one.name.last) != fold(other.name.last)


def _merged(first: list[Mention], second: list[Mention]) -> list[Mention]:
    """Add to one list of mentions what only the other has."""
    named = {each.key for each in first}
    return first + [each for each in second if each.key not in named]
