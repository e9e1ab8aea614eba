"""Where an invoice mentions its trainees: in a table, behind a label, in a line with hours, in a sentence."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, islice

from .dates import DAY, aligned
from .folding import fold
from .labels import Announced, Sheet, announced, joined
from .layout import Cell, Line
from .measures import Measure, in_text
from .names import CIVILITY, OPENS_DAY, Name, key, name, named_by_case, named_in_prose
from .result import Student
from .tables import Row, head

WHO = (
    r"(?:stagiaires?|participante?s?|apprenante?s?|apprenti(?:\(?e\)?|·e|\.e)?s?|alternante?s?|beneficiaires?|"
    r"demandeu(?:r|se)s?\s+d'emplois?|salarie(?:\(?e\)?)?s?|candidat(?:\(?e\)?)?s?|eleves?|"
    r"etudiant(?:\(?e\)?)?s?|auditeurs?|auditrices?|inscrite?s?|inscrit(?:\(e\))s?|formee?s?|"
    r"personnes? formee?s?|collaborateurs?|collaboratrices?|noms?(?:\s+(?:et|,|"
    r"/)?\s*prenoms?)?(?:\s+du\s+\w+)?|prenoms?\s+(?:et\s+)?noms?)"
)
LABEL = re.compile(
    r"(?:^|(?<=[\s(\-:,;]))(?:liste\s+(?:nominative\s+)?des\s+|nom\s+d[ue]s?\s+|"
    rf"concerne\s*:?\s*)?(?:{WHO}|(?:a|ont) (?:participe|suivi))(?:\s+(?:concernee?s?|formee?s?|presente?s?|"
    rf"de la formation))?(?:\s*(?:n\s?°\s?)?\d{{1,3}}(?!\d))?\s*(?:\(s\)|\(e\)|\(x\))?\s*(?:\(\d{{1,3}}\))?"
    r"\s*(?::|$|-\s|=|(?=m\.|mme|mlle|mr\b)|\s[^:;|]{1,70}:(?!\d))"
)
_ATTENDED_BY = re.compile(r"\b(?:a|ont) ete suivie?s? par(?=\s)")
_FAMILY_LABEL = re.compile(r"^noms?(?: de (?:famille|naissance)| d'usage)?(?: d[eu] l?'?\w+)?\s*(?::|$)")
_GIVEN_LABEL = re.compile(r"(?:^|(?<=\s))prenoms?(?: d[eu] l?'?\w+)?\s*(?::|$)")
NOT_OF_THE_CLASS = re.compile(
    r"\b(?:format(?:eur|rice)|intervenant|animat(?:eur|rice)|direct(?:eur|rice)|gerante?\b|president|contact(?:s|er)?\b|"
    r"interlocut|testeu|evaluat(?:eur|rice)|examinat|suivi administratif|suivi (?:du|de votre|de ce) dossier|"
    r"(?<!stage )(?<!parcours )(?<!module )\bsuivi\s*:|"
    r"(?:dossier|affaire|client|commande)\s+suivie? par|suivi par|"
    r"conseill|referent|"
    r"tut(?:eur|rice)|maitres?\s+d|signat|\bsignee?s? (?:par|le)\b|(?<!parcours )\bcoach(?:es|s)?\s*:|"
    r"attention|represent|"
    r"responsable|enseignant|ordonnat|tresor|administrat|coordinat|charge[e]? d|"
    r"mediat(?:eur|rice|ion)|comptab|redig|gestionnaire|secretaire|commercial|consultant|professeur|moniteur|"
    r"(?:assure|dispense|anime)e?s? (?:par|[^.;:]{1,60} par(?=\W*$)))"
)
_OF_A_COMPANY = re.compile(
    r"(?:entreprise|employeur|societe|client|structure|siret|adresse|etablissement|nombre|nb\.?|effectif)\s+"
    r"(?:d[ue]s?\s+|de la\s+|d')?$"
)
STAFF_LABEL = re.compile(
    r"(?:l[ae]s? |l'\s?|votre |notre |nom du )?(?:agente? comptable|comptable|ordonnat|intendant|formateu|formatri|"
    r"intervenant|animat|direct(?:eur|rice)|gerant|president|contact|interlocut|suivi par|suivi ad|"
    r"referent|"
    r"tut(?:eur|rice)|maitre d|signataire|represent|"
    r"responsable|enseignant|monit(?:eur|rice)|professeur)"
)
# What a training may be called as well, so that it must be all that the label says: "Conseiller en insertion" is one.
STAFF_FUNCTION = re.compile(
    r"(?:l[ae]s? |l'\s?|votre |notre )?(?:consultante?|coach|conseill(?:er|ere)|accompagnat(?:eur|rice)|testeu(?:r|se)|"
    r"evaluat(?:eur|rice)|examinat(?:eur|rice)|jury|suivi du dossier)"
    r"(?: (?:referente?|habilitee?|agreee?|principale?))?\s*:?"
)
_CONTRACT = re.compile(
    r"(?:contrat|deca|convention)s?\s*(?:d'apprentissage|de professionnalisation|"
    r"pro)?\s*(?:\(deca\)\s*)?(?:n\s?[°o]?\.?)?\s*[:.]?\s*([a-z]{0,4}-?(?=[\w/-]*\d)[\w/-]{3,24})"
)
_CODE = re.compile(r"\(\s*(?:n°\s*)?([A-Z]{0,4}-?\d[\w-]{3,20})\s*\)")


def is_function(label: str) -> bool:
    """Say whether a folded text that begins a line, or stands above a name, is what one of the organisation's is."""
    return STAFF_LABEL.match(label) is not None or STAFF_FUNCTION.fullmatch(label.strip()) is not None


@dataclass(slots=True)
class Mention:
    """A trainee where the invoice names him. `hours` and `amount` are what stands there as well."""

    name: Name
    line: Line
    rule: str
    confidence: int
    row: Row | None = None
    hours: Measure | None = None
    amount: Measure | None = None
    proven: bool = False  # hours x price = amount
    contract: str | None = None
    students: tuple[Student, ...] = ()
    parts: list[Decimal] = field(default_factory=list)  # the hours of several rows of one person

    @property
    def key(self) -> tuple[str, ...]:
        """What two spellings of this name have in common."""
        return key(self.name.printed)

    @property
    def cell(self) -> Cell:
        """The cell that the name stands in."""
        words = self.name.printed.split()
        return max(self.line.cells, key=lambda cell: sum(word in cell.text for word in words))


def contract_in(line: Line) -> str | None:
    """Return the number of a contract that a line names."""
    return next((found for cell in line.cells if (found := contract_in_text(cell.text))), None)


def contract_in_text(text: str) -> str | None:
    """Return the number of a contract that a text names, or a code in brackets."""
    if match := _CONTRACT.search(aligned(text)):
        return text[match.start(1) : match.end(1)]
    code = _CODE.search(text)
    return code[1] if code else None


_PARTS = re.compile(r"\s[-/:]\s|[;:]|\s{2,}|,\s(?=contrat|n[ée]|salari|employ|chez\b|apprenti|agent\b|(?:du |le )?\d)")
_HEADED = re.compile(
    r"\s*(?:(?:et|&)\s+)?(?:(?:participation|inscription|presence|accompagnement) d(?:e\s+|'))?"
    rf"(?:(?:{WHO}\b|(?:stag|benef|appr|part|cand)\.)\s*(?:n°\s*\d+)?\s*:?\s*)?"
)


_BEHIND_DAYS = re.compile(rf"{DAY}\s*[,-]\s+(?=[^\d,]+$)")  # "Chiffrage, 12/10/2026 au 14/10/2026, Anne Durand"
_CODED = re.compile(r"(?=\S*\d{3})[A-Z]{0,5}[-/]?[\dA-Z/-]+\s+([^\d]+)$")  # "CP-292079 DURAND Anne"


def _bare(part: str) -> str:
    """Take from a part what announces a name: "stagiaire Mme DURAND Anne" is one of three words."""
    match = _HEADED.match(aligned(part))
    return part[match.end() :] if match else part


def name_in(
    text: str, family_first: bool | None = None, *, placed: bool = False, announced: bool = False
) -> Name | None:
    """Read the one name in the text of a cell that may hold more: a number, a code in brackets, a training."""
    text = re.sub(r"^\s*(?:\(?\d{1,3}(?:[.,]\d{1,2})?\s*[.):/-]?\s+|[•·*>-]\s*)+", "", text)
    text = OPENS_DAY.sub("  ", text)
    bare = re.sub(r"\(.*?\)|\[.*?\]|\bn[ée]e?\s.*$", " ", text).strip()
    if found := name(bare, family_first=family_first, placed=placed, announced=announced):
        return found
    if (match := _BEHIND_DAYS.search(aligned(bare))) and (
        found := name(bare[match.end() :], family_first=family_first, placed=placed)
    ):
        return found
    if (match := _CODED.match(bare)) and (found := name(match[1], family_first=family_first, placed=placed)):
        return found
    if (behind := _bare(bare)) != bare and (found := name(behind, family_first=family_first, placed=placed)):
        return found
    if (match := re.fullmatch(r"([^\d()]+)\(([^\d()]+)\)", text.strip())) and "," not in text:
        return name(f"{match[1].strip()}, {match[2]}")  # "DURAND (Anne)"
    parts = [_bare(part) for part in _PARTS.split(bare) if part.strip()]
    found_parts = [found for part in parts if (found := name(part, family_first=family_first))]
    if (
        len(parts) > 1
        and len(found_parts) == 1
        and (found_parts[0].likeness or parts[0].strip().startswith(found_parts[0].printed))
    ):
        return found_parts[0]
    if match := re.match(r"^([^\d(]+?)[\s,]+(?:\d|contrat|\bn°)", bare):
        return name(match[1], family_first=family_first)
    return None


def stripped(text: str) -> str:
    """Take from a text what joins it to the one before and to its hours: "), et Mme DURAND Anne (" is a name."""
    text = re.sub(r"^[\s),;.:/&•·-]*(?:et\s+)?", "", text)
    text = re.sub(rf"^.*?\b{WHO}\s*:\s*", "", text, flags=re.IGNORECASE)
    return re.sub(r"[\s(,;:=/-]+$|\s*\b(?:pour|durée|soit|de)\s*:?\s*$", "", text)


def labelled(sheet: Sheet, *, least: int) -> list[Mention]:
    """Return the names behind labels such as "Stagiaire :", alone, in a row, or in a list below.

    `least` is how much a text must be like a name where the label could announce a company as well.
    """
    found: list[Mention] = []
    for places in chain(announced(sheet, LABEL), announced(sheet, _ATTENDED_BY)):
        for each in places:
            if NOT_OF_THE_CLASS.search(each.before) or _OF_A_COMPANY.search(each.before):
                break
            sure = 90 if each.how != "below" else 84
            readings = several(each.text, announced=True), _going_on(sheet, each), _broken(sheet, each)
            here = [
                Mention(person, each.line, f"label {each.label.strip(' :-')}", sure, contract=contract_in(each.line))
                for person in max(readings, key=len)
            ]
            if "beneficiaire" in each.label or each.how == "below":
                here = [mention for mention in here if mention.name.likeness >= least]
            if here and each.how == "below":
                here = _names_of(each.line, f"label {each.label.strip(' :-')}", least) or here
            if here:
                found += here
                read = [set(mention.key) for mention in here]
                below = _list_below(sheet, each.line, each.cell.x0, least)
                found += [mention for mention in below if not any(set(mention.key) < names for names in read)]
                break
    return found


def _names_of(line: Line, rule: str, least: int = 1) -> list[Mention]:
    """Return the names of a line that holds nothing else, in one column or several."""
    people = [several(cell.text) for cell in line.cells]
    if not all(people) or any(each.likeness < least for cell in people for each in cell):
        return []
    return [Mention(each, line, rule, 82, contract=contract_in(line)) for cell in people for each in cell]


def in_sentences(sheet: Sheet) -> list[Mention]:
    """Return the trainees that a label announces in running text of several lines, each with hours behind."""
    found: list[Mention] = []
    for places in announced(sheet, LABEL):
        if places and places[0].how == "same" and len(places[0].text) >= 12:
            first = places[0]
            texts = (_go_on(first, sheet.flow(first.line, first.cell)), _go_on(first, _lines_below(sheet, first)))
            here, below = (_counted_in(text, first.line) for text in texts)
            found += here if len(here) >= len(below) else below
    return found


def _lines_below(sheet: Sheet, first: Announced) -> Iterator[tuple[Line, Cell]]:
    """Give the lines below a label that begin about where its line does, each as one cell after the other."""
    yield first.line, first.cell
    for line in sheet.lines:
        apart = line.number - first.line.number
        indented = abs(line.cells[0].x0 - first.line.cells[0].x0)
        if line.page == first.line.page and 0 < apart < 40 and indented < 60:
            yield from ((line, cell) for cell in line.cells)


def _go_on(first: Announced, cells: Iterator[tuple[Line, Cell]]) -> str:
    """Return the text behind a label with what goes on with it, up to the next label or a sum."""
    texts, last = [first.text], first.line
    for line, cell in islice(cells, 1, None):
        ends = LABEL.search(aligned(cell.text)) or re.match(r"(?:soit|total|pour)\b", line.folded)
        if line is not last and (ends or head(line)):
            break
        texts.append(cell.text)
        last = line
    return joined(texts)


def _counted_in(text: str, line: Line) -> list[Mention]:
    """Return the names of a text, each with the hours behind it, up to hours that no name stands before."""
    found: list[Mention] = []
    place = 0
    for kind, value, start, to in in_text(text):
        if kind not in ("HOURS", "CLOCK"):
            continue
        person = name_in(stripped(text[place:start]))
        if person is None:
            break
        hours, contract = Measure("HOURS", value, text[start:to], 0, 0.0, 0.0, 2), contract_in_text(text[place:start])
        found.append(Mention(person, line, "sentence of names", 88, hours=hours, contract=contract))
        place = to
    return found


def in_forms(sheet: Sheet) -> list[Mention]:
    """Return the names of forms: "Nom : DURAND" and, beside or below it, "Prénom : Anne"."""
    found = []
    given = [each for places in announced(sheet, _GIVEN_LABEL) for each in places[:1]]
    for places in announced(sheet, _FAMILY_LABEL):
        for each in places[:1]:
            near = [one for one in given if one.line.page == each.line.page and 0 <= _below(each, one) <= 2]
            right = min(near, key=lambda one: abs(one.cell.x0 - each.cell.x0), default=None)  # forms side by side
            person = name(f"{each.text.strip(' .,')}, {right.text.strip(' .,')}") if right else None
            if person and not NOT_OF_THE_CLASS.search(each.before):
                found.append(Mention(person, each.line, "form of names", 88, contract=contract_in(each.line)))
    return found


def _below(family: Announced, given: Announced) -> int:
    return given.line.number - family.line.number


def _list_below(sheet: Sheet, first: Line, x0: float, least: int) -> Iterator[Mention]:
    """Go on with the lines that hold nothing but names, below one that is in a list."""
    last = first
    for line in sheet.lines:
        if line.number <= last.number or line.page != last.page:
            continue
        listed = any(abs(each.x0 - x0) < 14 or each.text[:1] in "•-*" for each in line.cells)
        people = _names_of(line, "list of names", least) if listed and last.y - line.y <= 2.2 * line.size else []
        if not people:
            return
        yield from people
        last = line


_ANNOUNCED = re.compile(rf"(?<!des )(?<!les )(?<!aux )\b{WHO}\s*:\s*(?:{CIVILITY}\s*)?$")


# "formation suivie par", but "dossier de formation suivi par"
_ATTENDED = re.compile(
    r"^(?!.*\b(?:dossier|contact|affaire|demande|commande|client)).*"
    r"(?:[»\"]\s*,?\s+suivie?s?|\b(?:formation|session)s?\s*,?\s+suivies?|"
    r"\b(?:stage|parcours|module|coaching|cours)\s*,?\s+suivis?) par\s*$"
)


def is_staff(before: str, after: str = "") -> bool:
    """Say whether what stands around a name makes it one of the organisation's people, and not the title of a course.

    "Formateur : M. …" and "Mme …, directrice" are; "Titre professionnel Secrétaire - Mme …" is not.
    """
    nearest = re.split(r"\s[-/]\s|;|\s{2,}|(?<=[a-z]{4})\.\s", fold(before))[-1]
    if _ANNOUNCED.search(nearest) or _ATTENDED.search(nearest):
        nearest = ""  # "Titre professionnel Comptable Stagiaire : …"
    behind = re.match(r"\s*[,(]\s*(?:l[ae] |notre |votre )?(.{0,25})", fold(after))
    return bool(NOT_OF_THE_CLASS.search(nearest) or (behind and NOT_OF_THE_CLASS.match(behind[1])))


def _going_on(sheet: Sheet, first: Announced) -> list[Name]:
    """Return the names of a list that goes on over several lines, in which a name may be broken."""
    indented = [each for each in _lines_below(sheet, first) if each[0] is not first.line]
    at_the_edge = list(islice(sheet.flow(first.line, first.cell), 1, _LONGEST_LIST))
    return max((_listed_in(first.text, cells) for cells in (at_the_edge, indented[:_LONGEST_LIST])), key=len)


def _listed_in(text: str, following: Sequence[tuple[Line, Cell]]) -> list[Name]:
    """Read a list of names that begins in a text, as far as it goes on."""
    texts, best = [text], list[Name]()
    for _, cell in following:
        texts.append(cell.text)
        if people := _listed(_SENTENCE_ENDS.split(re.sub(r"\(.*?\)", " ", joined(texts)))[0]):
            best = people
    return best


_SENTENCE_ENDS = re.compile(
    r"(?<=[^\W\d_]{2})(?<!Mme)(?<!Mlle)\.\s(?=[A-ZÀ-Ý][a-zà-ÿ]+\s)|"
    r",?\s(?:à raison d|soit\b|pour (?:un total|une durée)|pendant\b)"
)


def _broken(sheet: Sheet, first: Announced) -> list[Name]:
    """Return the one name that a cell begins and the cell below it ends."""
    below = next(islice(sheet.flow(first.line, first.cell), 1, None), None)
    person = name_in(joined((first.text, below[1].text))) if below and not re.search(r"\d", below[1].text) else None
    return [person] if person else []


_LONGEST_LIST = 40  # lines


def _listed(text: str) -> list[Name]:
    """Read a text as a list of names with nothing between them but signs; none if a part is no name."""
    parts = [part for part in re.split(r"\s+et\s+|[;,/•·]|\s&\s", re.sub(r"\(.*?\)", " ", text)) if part.strip(" .")]
    people = [name(re.sub(r"^\s*\d+[.)]\s*", "", part)) for part in parts]
    return [each for each in people if each] if len(parts) > 1 and all(people) else []


def several(text: str, *, announced: bool = False) -> list[Name]:
    """Read a text as names and nothing else: "DURAND Anne, PETIT Luc et M. Jean MARTIN"; none if a part is no name.

    `announced` says that a label announces persons (see `name`).
    """
    whole = name_in(text, announced=announced)
    if whole and not re.search(r"\set\s|;|,.*,", text):
        return [whole]
    prose = [person for person, _, _ in named_in_prose(text)]
    return _listed(text) or prose or ([whole] if whole else [])


def in_prose(sheet: Sheet) -> list[Mention]:
    """Return the names that a civility announces in sentences, without those of the organisation's own people."""
    found = []
    lines = list(sheet.lines)
    for index, line in enumerate(lines):
        for place, cell in enumerate(line.cells):
            text = cell.text
            left = line.cells[place - 1].folded if place else ""
            if len(left) < 40 and is_function(left):
                continue
            if index + 1 < len(lines) and lines[index + 1].page == line.page and len(text) > 60:
                text = joined((text, lines[index + 1].cells[0].text))
            over = next((each.text for _, each in islice(sheet.flow(line, cell, up=True), 1, 2)), "")
            people, last = list(named_in_prose(text)), 0
            starts = [*(start for _, start, _ in people[1:]), len(text)]
            for (person, start, end), following in zip(people, starts, strict=False):
                before = f"{over if start < _OPENING else ''} {text[:start]}"[-60:]
                linked = _LINK.fullmatch(text[last:start]) is not None
                last = end
                if (start < len(cell.text) or linked) and not is_staff(before, text[end:]):
                    hours = _hours_behind(text[end:following])
                    found.append(Mention(person, line, "civility", 84, hours=hours, contract=contract_in(line)))
    return found


_LINK = re.compile(r"(?:,|\s+et)\s+")
_OPENING = 5  # characters before a name at the beginning of a line: "et M. …"
_PLACE = re.compile(
    r"(?:rue|avenue|av\.|place|boulevard|bd|quai|allee|lycee|college|ecole|cabinet|societe|sarl|sas)\s*$"
)


def in_running_text(sheet: Sheet) -> list[Mention]:
    """Return the names that only their capitals tell from the text around them; none is sure."""
    found = []
    for line in sheet.lines:
        for place, cell in enumerate(line.cells):
            left = line.cells[place - 1].text if place else ""
            for person, start, end in named_by_case(cell.text):
                before = f"{left} {cell.text[:start]}"
                if not is_staff(before, cell.text[end:]) and not _PLACE.search(fold(before)):
                    behind = cell.text[end:]
                    if re.search(r"\d$", behind):  # "… (49", and below "heures)"
                        behind = joined((behind, *(below.text for _, below in islice(sheet.flow(line, cell), 1, 2))))
                    hours = _hours_behind(behind)
                    found.append(Mention(person, line, "capitals", 70, hours=hours, contract=contract_in(line)))
    return found


def _hours_behind(text: str) -> Measure | None:
    """Return the hours that follow a name in a sentence, up to the next name."""
    counted = [each for each in in_text(text) if each[0] == "HOURS"]
    bracketed = counted and text[: counted[0][2]].strip() == "("
    if not counted or counted[0][2] > 40 or (len(counted) > 1 and not bracketed):
        return None
    _, value, start, to = counted[0]
    return Measure("HOURS", value, text[start:to], 0, 0.0, 0.0, 2)
