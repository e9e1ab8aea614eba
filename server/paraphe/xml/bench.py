"""Children of a message's elements moved about for the time being, in linear time.

lxml (6.1) corrects the namespaces of what it moves, and that can cost the square of what is moved: for each element it
goes through all namespaces that are declared in there; and when something is taken out of the tree, through as many as
it has elements. 20 000 students behind a misplaced element took 1.7 s so, and take 0.1 s as it is done here: nothing
leaves the tree, and nothing large is moved as a whole.
"""

from collections.abc import Container, Sequence

from lxml import etree

# An element with more children is no list of members, for which a place in between is looked for.
_FEW = 1000


class Bench:
    """A copy of a payload's upper elements, inside the payload, that has its children.

    What is put aside lies in the payload itself, beside the copy: so let the schema look at `root`.
    """

    def __init__(self, payload: etree._Element, lists: Container[str]) -> None:
        """Set up; `lists` are the tags of the payload's children that are moved item by item."""
        self._payload = payload
        self._sent = list(payload)
        self._originals: dict[etree._Element, etree._Element] = {}
        self._copies: dict[etree._Element, etree._Element] = {}
        self.root = self._copied(payload, payload)
        for child in self._sent:
            if child.tag in lists:
                copy = self._copied(child, self.root)
                copy.tail = child.tail
                copy.extend(list(child))
            else:
                self.root.append(child)

    def _copied(self, element: etree._Element, into: etree._Element) -> etree._Element:
        copy = etree.SubElement(into, element.tag, dict(element.attrib))
        copy.text = element.text
        self._originals[copy], self._copies[element] = element, copy
        return copy

    def copy_of(self, element: etree._Element) -> etree._Element:
        """Return what stands for an element here: mostly itself."""
        return self._copies.get(element, element)

    def original_of(self, element: etree._Element) -> etree._Element:
        """Return what an element stands for: mostly itself."""
        return self._originals.get(element, element)

    def put(self, element: etree._Element, children: Sequence[etree._Element]) -> None:
        """Give an element these children; others that it has are put aside."""
        kept = set(children)
        self._payload.extend([child for child in element if child not in kept])
        there = len(element)
        if list(element) == list(children[:there]):
            element.extend(children[there:])
        elif len(children) > _FEW:
            element.extend(children)
        else:
            for place, child in enumerate(children):
                if place >= len(element) or element[place] is not child:
                    element.insert(place, child)

    def clear(self) -> None:
        """Give the payload back what was sent; what was put aside and not put back is thrown away."""
        self._payload.extend(self._sent)
        for copy, original in self._originals.items():
            if copy is not self.root:
                original.extend(list(copy))
        for ours in self._payload[: len(self._payload) - len(self._sent)]:
            self._payload.remove(ours)
