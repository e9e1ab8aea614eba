"""The contract's types as Spyne knows them, read from the schema: nothing is written twice."""

from functools import cache
from typing import Any

from ...contract import NAMESPACE, Complex, Simple
from .compat import Boolean, ByteArray, ComplexModel, Date, DateTime, Decimal, Integer32, Unicode

_PRIMITIVES = {
    "string": Unicode,
    "int": Integer32,
    "decimal": Decimal,
    "boolean": Boolean,
    "date": Date,
    "dateTime": DateTime,
    "base64Binary": ByteArray,
}


@cache
def spyne_type(kind: Simple | Complex) -> Any:
    """Return the Spyne class that declares a type of the contract."""
    if isinstance(kind, Simple):
        return _PRIMITIVES[kind.primitive]
    members = [
        (
            field.name,
            spyne_type(field.type).customize(
                min_occurs=int(field.required), max_occurs="unbounded" if field.many else 1, nillable=False
            ),
        )
        for field in kind.fields
    ]
    body = {"__namespace__": NAMESPACE, "__type_name__": kind.name, "_type_info": members}
    return type(ComplexModel)(kind.name, (ComplexModel,), body)
