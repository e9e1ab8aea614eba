"""How a message goes through Spyne: as it wants it of a transport, which its own for WSGI does at twice the price.

That one makes addresses and headers that nobody asks it for, and keeps what it sends.
"""

from typing import Any

from ...spool import Body
from .. import http
from .compat import MethodContext, ServerBase


class _Context(MethodContext):
    """What Spyne knows of a message. It may be given any attribute: to look at the names of sixty takes its time."""

    __setattr__ = object.__setattr__


class Transport(ServerBase):
    """Takes messages to an application of Spyne. Its protocols find the WSGI environ in `udc`."""

    transport = "http://schemas.xmlsoap.org/soap/http"

    def answer(self, environ: http.Environ) -> Body:
        """Have a message read and done; return what the protocol wrote as its answer, which may be a fault."""
        initial = _Context(self, MethodContext.SERVER)
        initial.udc = environ
        context: Any = initial
        try:
            (context, *_) = self.generate_contexts(initial)
            if context.in_error is None:
                self.get_in_object(context)
            if context.in_error is None:
                self.get_out_object(context)
            self.get_out_string(context)
            answer: Body = context.out_document
            return answer
        finally:
            # Contexts are in cycles: what they hold stays until some garbage collection.
            context.in_object = context.out_object = context.out_document = context.udc = initial.udc = None
            context.close()
