"""One small client for each SOAP stack, each calling every operation of a server started as a user starts it.

`install` gets the stacks, `python -m tests.interop` (`make interop`) runs them and writes docs/interop.md. The clients
are what integrators copy from: what is in them was run.
"""
