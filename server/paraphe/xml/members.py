"""The members of one element against its type: everything that is wrong with them, and how they would be right.

*Members* are the child elements that a type of the contract knows; it is always a sequence, in which each stands once
at most (in an `ArrayOf…`: one that stands any number of times).
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from ..contract import NAMESPACE, Complex
from .sentences import Defect, Guesses, misplaced, missing, of_other_namespace, text_between, unknown

_TAG = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True)
class Members:
    """What is wrong with the members of an element, and what its children would be if nothing were.

    `stand_ins` are the elements of `mended` that the caller did not send: empty ones, for required members.
    """

    defects: list[Defect]
    mended: list[etree._Element]
    stand_ins: list[etree._Element]


def look_at(element: etree._Element, kind: Complex, guess: Guesses, most: int) -> Members:
    """Hold the children of an element against its type; tells `most` defects of them. The tree is not changed."""
    names = [field.name for field in kind.fields]
    ranks = {_TAG + name: rank for rank, name in enumerate(names)}
    children = list(element)
    if kind.item is not None:
        kept = [child for child in children if child.tag in ranks]
        return Members(_strangers(element, children, ranks, names, guess, most)[0], kept, [])
    placed = {ranks[str(child.tag)]: child for child in _in_order(children, ranks)}
    in_order = set(placed.values())
    defects, meant = _strangers(element, children, ranks, names, guess, most)
    for child in children:
        if child.tag in ranks and child not in in_order:
            twice = placed.setdefault(ranks[str(child.tag)], child) is not child
            if len(defects) < most:
                defects.append(misplaced(child, _name(element), names, twice=twice))
    stand_ins = {}
    followers = [child for child in children if child in in_order]
    for rank, field in enumerate(kind.fields):
        if not field.required or rank in placed:
            continue
        stand_ins[rank] = etree.Element(_TAG + field.name)
        if field.name not in meant:
            after = next((child for child in followers if ranks[str(child.tag)] > rank), None)
            at = element if after is None else after
            owner = _name(element)
            defects.append(missing(at, owner, field.name, field.documentation, before=after is not None))
    mended = [child for _, child in sorted((placed | stand_ins).items())]
    return Members(defects, mended, list(stand_ins.values()))


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _strangers(
    element: etree._Element,
    children: list[etree._Element],
    ranks: dict[str, int],
    names: list[str],
    guess: Guesses,
    most: int,
) -> tuple[list[Defect], set[str]]:
    """Return what is wrong with children that are no members, and the names of members that they may be meant as."""
    defects, meant = [], set[str]()
    if _has_text(element, children):
        defects.append(text_between(element))
    for child in children:
        if child.tag in ranks:
            continue
        if len(defects) >= most:
            break
        name = etree.QName(child)
        if name.namespace != NAMESPACE:
            meant.add(name.localname)
            defects.append(of_other_namespace(child))
        else:
            one = guess(name.localname, names)
            meant |= {one} if one else set()
            defects.append(unknown(child, _name(element), names, one))
    return defects, meant


def _has_text(element: etree._Element, children: list[etree._Element]) -> bool:
    return any((text or "").strip(" \t\r\n") for text in (element.text, *(child.tail for child in children)))


def _in_order(children: list[etree._Element], ranks: dict[str, int]) -> Iterator[etree._Element]:
    """Give as many members as stand in the right order, each once: of a misplaced one not all that follow it.

    A longest rising subsequence; of several, the one that is complete first.
    """
    lowest: list[int] = []  # the lowest rank at which a rising subsequence of each length ends
    ends: list[int] = []  # the place of the child that it ends with
    before: dict[int, int] = {}
    last: int | None = None
    for place, child in enumerate(children):
        rank = ranks.get(str(child.tag))
        if rank is None:
            continue
        length = bisect_left(lowest, rank)
        if length:
            before[place] = ends[length - 1]
        if length == len(lowest):
            lowest.append(rank)
            ends.append(place)
            last = place
        elif rank < lowest[length]:
            lowest[length], ends[length] = rank, place
    while last is not None:
        yield children[last]
        last = before.get(last)
