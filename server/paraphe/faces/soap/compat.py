"""The one door to Spyne 2.14.0, which lets it import on Python 3.12 and 3.13 too.

Its vendored six 1.14 has an importer that Python 3.12 no longer calls, and it uses `cgi`, gone in 3.13, for one
function. Fixed upstream after 2.14.0 without a release (issues 700, 705, 708, 711); needless with the next one.
"""

import importlib
import sys
import types
import warnings

from ..http import content_type

_MOVED = {
    "collections_abc": "collections.abc",
    "http_cookies": "http.cookies",
    "urllib.parse": "urllib.parse",
    "urllib.request": "urllib.request",
    "urllib.error": "urllib.error",
}

for moved, real in _MOVED.items():  # a hit in sys.modules by full name needs no parent package
    sys.modules.setdefault(f"spyne.util.six.moves.{moved}", importlib.import_module(real))

_stub = sys.version_info >= (3, 13) and "cgi" not in sys.modules
if _stub:
    sys.modules["cgi"] = _cgi = types.ModuleType("cgi")
    _cgi.parse_header = content_type  # type: ignore[attr-defined]
try:
    with warnings.catch_warnings():
        # `cgi` and six's importer; both are Spyne's affair
        warnings.simplefilter("ignore")
        import spyne.const
        from spyne import (
            Application,
            Boolean,
            ByteArray,
            ComplexModel,
            Date,
            DateTime,
            Decimal,
            Fault,
            Integer32,
            Service,
            Unicode,
            rpc,
        )
        from spyne.context import MethodContext
        from spyne.interface import InterfaceDocuments
        from spyne.protocol.soap import Soap11
        from spyne.server import ServerBase
finally:
    if _stub:
        del sys.modules["cgi"]  # nobody else sees the stub
    # six's importer is of no use to any Python that we run on, and other importers' tools trip over it.
    sys.meta_path[:] = [importer for importer in sys.meta_path if hasattr(importer, "find_spec")]

# A garbage collection inside a request, up to once a second, costs 75 ms with 100 000 live objects.
spyne.const.MIN_GC_INTERVAL = float("inf")

__all__ = [
    "Application",
    "Boolean",
    "ByteArray",
    "ComplexModel",
    "Date",
    "DateTime",
    "Decimal",
    "Fault",
    "Integer32",
    "InterfaceDocuments",
    "MethodContext",
    "ServerBase",
    "Service",
    "Soap11",
    "Unicode",
    "rpc",
]
