"""Names of persons: what can be one, and which part of it is the family name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from .folding import fold
from .words import GIVEN_NAMES, NO_NAMES, PARTICLES

CIVILITY = r"(?:mme|mlle|mrs?|m|monsieur|madame|mademoiselle)\b\.?"
_CIVILITY = re.compile(rf"^{CIVILITY}(?:\s*(?:/|ou)\s*{CIVILITY})?\s+")
_TOKEN = r"[^\W\d_][^\W\d_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W\d_]*)*"  # noqa: S105 - a word, no secret
_WORD = rf"(?:{_TOKEN}\.?(?:(?:'|--?){_TOKEN})*\.?)"
_NAME = re.compile(rf"{_WORD}(?:,?\s+{_WORD})*")
#: Small words that may end a name, and here begin a day: "Du 02/03/2026".
OPENS_DAY = re.compile(r"\s+(?:du|les?|au|d[eè]s le|depuis le)\s+(?=(?:1er|\d{1,2})\b)", re.IGNORECASE)
#: A text that ends in the middle of a word, which goes on in the line below.
BROKEN = re.compile(r"[^\W\d_]-$")


@dataclass(frozen=True, slots=True)
class Name:
    """A name as printed, without civility. `order` says how the two parts were told apart; "" means not surely."""

    printed: str
    last: str
    first: str
    order: str
    likeness: int  # 0: only its form is a name's; 1 and more: given name known, civility, "NOM Prénom"


@lru_cache(maxsize=20_000)
def key(text: str) -> tuple[str, ...]:
    """Return what two spellings of one name have in common: its words, folded, in alphabetical order."""
    words = re.findall(r"[^\W\d_]+", fold(text))
    return tuple(sorted(words))


def name(text: str, *, family_first: bool | None = None, placed: bool = False, announced: bool = False) -> Name | None:
    """Read a text as one name of a person; None if it cannot be one.

    `family_first` is what the head of the column says, where both parts are written alike; `placed` that the text
    stands where names stand, so that somebody may be called after a street; `announced` that a label announces persons,
    so that somebody may be called as a month is.
    """
    if BROKEN.search(text):
        return None
    text = text.strip(" :;,.-•*·\t")
    match = _CIVILITY.match(fold(text[:16]))
    civil = bool(match)
    if match:
        text = text[match.end() :].strip()
    if not _NAME.fullmatch(text) or len(text) > 60:
        return None
    words = text.replace(",", " , ").split()
    letters = [word for word in words if word != ","]
    allowed = _PLACES if civil or placed else _MONTHS if announced else frozenset[str]()
    if (
        not 2 <= len(letters) <= 7
        or not all(_can_be(word) or (word[:1].isupper() and fold(word) in allowed) for word in letters)
        or not (civil or any(len(fold(word)) > 2 for word in letters))
    ):
        return None
    if sum(not _is_particle(word) for word in letters) < 2 - any(map(_are_a_family, pairwise(letters))):
        return None  # "LE GOFF" is half a name
    if len(letters[0]) > 4 and letters[0].endswith("."):
        return None  # "STAG." is a label
    if any(word in ("À", "à") for word in letters):
        return None  # "EXPÉDIER À" is a label
    if _are_several(words) or (letters[-1].islower() and _is_particle(letters[-1])):
        return None
    last, first, order = _parted(words, civil, family_first)
    if not last or not first or any(map(_is_civility, letters)):
        return None
    if _is_particle(first.split()[0]) and first[0].islower():
        return None  # "EARL du Causse"
    if order == "case" and (inner := _without_opening(first)):
        return name(f"{last}, {inner}", family_first=family_first, placed=placed)
    given = fold(re.split(r"[ -]", first)[0]) in GIVEN_NAMES or fold(first) in GIVEN_NAMES
    likeness = 2 * civil + 2 * given + (order == "case") + (order == "comma") * (1 + _is_upper(last.split()[-1]))
    return Name(" ".join(letters).strip(), last, first, order, likeness)


def _without_opening(first: str) -> str:
    """Return the given name behind words that are none: "Inscription de Aurélien" is "Aurélien"."""
    match = re.fullmatch(r"[^\W\d_]\S*(?: \S+)*? (?:de|d'|du|pour|par) ?(\S+(?: \S+)?)", first)
    return match[1] if match and not _given(first.split()[0]) and _given(match[1].split()[0]) else ""


def _are_several(words: list[str]) -> bool:
    """Say whether commas part names and not the two parts of one: "Paul BLANC, Lou DIARRA"."""
    if words.count(",") != 1:
        return words.count(",") > 1
    at = words.index(",")
    sides = words[:at], words[at + 1 :]
    capitals = [all(map(_is_upper, side)) for side in sides]
    return capitals != [True, False] and all(len(side) > 1 and any(map(_given, side)) for side in sides)


#: Months that are names of persons, too.
_MONTHS = frozenset({"mars", "avril", "mai", "juin"})
#: What a family may be called after; only a civility tells "Mme DE LA RUE" from an address.
_PLACES = frozenset(
    {
        "rue",
        "place",
        "route",
        "cour",
        "cours",
        "square",
        "quai",
        "chemin",
        "domaine",
        "garage",
        "campus",
        "lieu",
        "est",
        "nord",
        "ouest",
        "sud",
        "page",
        "parc",
        "lot",
        "somme",
        "bac",
        "roux",
        "bon",
        "sa",
        *_MONTHS,
    }
)


def _can_be(word: str) -> bool:
    folded = fold(word).strip(".")
    if folded in PARTICLES:
        return True
    parts = [part for part in re.split(r"['-]", folded) if part]
    return (
        (word[:1].isupper() or (word[:2] in ("d'", "l'") and word[2:3].isupper()))
        and folded not in NO_NAMES
        and not any(part in NO_NAMES and len(part) > 3 for part in parts)
    )


def _is_particle(word: str) -> bool:
    """Say whether a word is a small one of a family name: "van", but not "Văn", which is Vietnamese."""
    return word.casefold().strip(".") in PARTICLES


def _is_civility(word: str) -> bool:
    return len(word) > 1 and re.fullmatch(CIVILITY, fold(word)) is not None and not _is_initial(word)


def _is_initial(word: str) -> bool:
    return len(word.strip(".")) == 1


def _are_a_family(words: tuple[str, str]) -> bool:
    """Say whether two particles are no French, but families: of Brittany, of Vietnam."""
    return tuple(map(fold, words)) in (("le", "du"), ("le", "van"))


def _is_upper(word: str) -> bool:
    letters = [each for each in word if each.isalpha()]
    return len(letters) > 1 and all(not each.islower() for each in letters)


def _parted(words: list[str], civil: bool, family_first: bool | None) -> tuple[str, str, str]:
    """Tell family name and given name apart: by a comma, by capitals, by the head of the column, by given names."""
    if "," in words:
        at = words.index(",")
        return " ".join(words[:at]), " ".join(word for word in words[at + 1 :] if word != ","), "comma"
    upper = [_is_upper(word) or (len(word) > 1 and word[1] == "'" and _is_upper(word[2:])) for word in words]
    for at in range(1, len(words)):
        if all(upper[:at]) and not any(upper[at:]):
            return " ".join(words[:at]), " ".join(words[at:]), "case"
        if not any(upper[:at]) and all(upper[at:]):
            return " ".join(words[at:]), " ".join(words[:at]), "case"
    plain = [is_upper for word, is_upper in zip(words, upper, strict=True) if not _is_particle(word)]
    if any(plain) and not all(plain) and sum(a != b for a, b in pairwise(plain)) > 1:
        return "", "", ""  # capitals that come and go: two names, or none
    return _alike(words, civil, family_first)


def _alike(words: list[str], civil: bool, family_first: bool | None) -> tuple[str, str, str]:
    heads, tails = _given(words[0]), _given(words[-1])
    if family_first is None and heads != tails:
        family_first = tails
    order = "head" if family_first is not None else ""
    if family_first or (family_first is None and not civil and not heads):
        two = len(words) > 2 and _given(words[-2]) and not all(map(_is_particle, words[:-2]))
        at = len(words) - (2 if two and not _is_particle(words[-2]) else 1)
        return " ".join(words[:at]), " ".join(words[at:]), order
    at = 2 if len(words) > 2 and _given(words[1]) else 1
    return " ".join(words[at:]), " ".join(words[:at]), order


def _given(word: str) -> bool:
    folded = fold(word)
    return folded in GIVEN_NAMES or folded.split("-")[0] in GIVEN_NAMES


def named_in_prose(text: str) -> Iterator[tuple[Name, int, int]]:
    """Give the names that a civility announces in running text, with where they begin and end."""
    if BROKEN.search(text):
        text = text[: text.rindex(" ") + 1] if " " in text else ""
    for match in re.finditer(
        rf"(?<![\w.])(?:Mmes?|MM\.?|Mlles?|Mr|M\.|Monsieur|Madame|Mademoiselle)\s+(?={_WORD})", text
    ):
        opening = _opening_name(text, match.end())
        if opening:
            yield opening[0], match.start(), opening[1]
        plural = re.match(r"(?:Mmes|MM|Mlles)\b", match[0])
        while plural and opening and (link := re.compile(r"(?:,|\s+et)\s+").match(text, opening[1])):  # "MM. … et …"
            if opening := _opening_name(text, link.end()):
                yield opening[0], link.end(), opening[1]


def _opening_name(text: str, start: int) -> tuple[Name, int] | None:
    """Read the longest name that begins at a place of a text, and say where it ends."""
    run = _leading_words(text[start:])
    candidates = ((name(f"M. {text[start : start + end]}"), start + end) for end in reversed(run[1:]))
    return next(((found, end) for found, end in candidates if found), None)


def _leading_words(text: str) -> list[int]:
    """Return where each of the leading words that can belong to one name ends."""
    ends: list[int] = []
    place = 0
    for match in re.finditer(rf"\s*({_WORD})", text):
        word = match[1]
        code = re.match(r"[-/]?\d", text[match.end() :])  # "CV-2025-061"
        another = code or OPENS_DAY.match(text, match.start()) or fold(word) in ("et", "ou")
        if match.start() != place or len(ends) >= 6 or another or not _can_be(word):
            break
        ends.append(match.end())
        place = match.end()
        if word.endswith(".") and len(word) > 2:
            break
    return ends


_OF_SOMEBODY = re.compile(r"\b(?:de|d'|pour|par|à|salariée?|apprentie?|stagiaire|bénéficiaire)\s+$", re.IGNORECASE)
_RUN = re.compile(rf"{_WORD}(?: {_WORD})+")
_MOST_WORDS = 6  # of a name


def named_by_case(text: str, *, least: int = 2) -> Iterator[tuple[Name, int, int]]:
    """Give the names in running text that capitals, or a word before, and a given name known betray.

    Each comes with where it begins and ends. With `least` 1, capitals are enough.
    """
    text = OPENS_DAY.sub(lambda match: "|" * len(match[0]), text)
    for run in _RUN.finditer(text):
        if BROKEN.fullmatch(text, run.end() - 1):
            continue
        words = [(each[0], run.start() + each.start()) for each in re.finditer(r"\S+", run[0])]
        at = 0
        while at < len(words):
            for to in range(min(len(words), at + _MOST_WORDS), at + 1, -1):
                found = name(" ".join(word for word, _ in words[at:to]))
                likely = found is not None and found.likeness >= least
                if found and likely and (found.order == "case" or _follows(text[: words[at][1]], found)):
                    start, end = words[at][1], words[to - 1][1] + len(words[to - 1][0])
                    yield found, start, end
                    at = to
                    break
            else:
                at += 1


def _follows(before: str, found: Name) -> bool:
    """Say whether a given name that is known follows a word that somebody follows: "de Chloé Rousselin"."""
    words = found.printed.split()
    return bool(_OF_SOMEBODY.search(before)) and _given(words[0]) and sum(not _is_particle(word) for word in words) == 2
