"""Requests that schemathesis makes from the OpenAPI document, as served by a real server on loopback."""

import subprocess
import sys
from importlib.util import find_spec

from .target import opened

_CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
_PATIENCE = 1200
"""Seconds after which it is stopped."""


def run(examples: int, seed: int) -> bool:
    """Make so many requests for each operation and kind of test; return whether all answers are as described."""
    if find_spec("schemathesis") is None:
        print("openapi: schemathesis is not installed")
        return True
    with opened() as target:
        account = target.account()
        document = f"http://127.0.0.1:{target.port}/api/v1/openapi.json"
        options = ["--checks", _CHECKS, "--max-examples", str(examples), "--seed", str(seed), "--no-color"]
        options += ["--header", f"Authorization: {account.basic}", "--request-timeout", "10"]
        command = [sys.executable, "-m", "schemathesis.cli", "run", document, *options]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE)
        target.hold_no_failure()
    print(f"openapi:\n{ran.stdout[-3000:]}{ran.stderr[-2000:]}")
    return ran.returncode == 0
