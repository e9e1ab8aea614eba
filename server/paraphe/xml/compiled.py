"""The contract's schema as libxml2 has compiled it: 2.4 MB each, so as many as are at work at once, and no more."""

import threading
from types import TracebackType

from lxml import etree

from ..contract import schema

_compiling = threading.Lock()
_at_rest: list[etree.XMLSchema] = []


class Compiled:
    """A schema for a `with` block: nobody else has it meanwhile, as libxml2's list of errors belongs to the schema."""

    __slots__ = ("_schema",)

    def __enter__(self) -> etree.XMLSchema:
        try:
            self._schema = _at_rest.pop()  # the one that was used last
        except IndexError:
            self._schema = _made()
        return self._schema

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        _at_rest.append(self._schema)


def _made() -> etree.XMLSchema:
    # One at a time: the first in a process makes libxml2's table of built-in types, which two at once (2.14) would
    # leave mixed. Of 190 processes that began with four messages at once, 5 failed at some or never ended one.
    with _compiling:
        made: list[etree.XMLSchema] = []
        # In a thread of its own: a schema keeps the table of names (see `names`) of the thread that has made it.
        maker = threading.Thread(
            target=lambda: made.append(etree.XMLSchema(etree.fromstring(etree.tostring(schema()))))
        )
        maker.start()
        maker.join()
        return made[0]
