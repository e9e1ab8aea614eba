"""What an operator can set: one table, read from the command line, the environment and one INI file.

The first of these that names a setting decides: command line, environment variable, INI file (`PARAPHE_CONFIG` or
`--config`, section `[paraphe]`), default. An empty value counts as not given, as compose files hand over variables
that are not set. The help texts, `docs/configuration.md` and the command line are all made from `OPTIONS`.
"""

from .reading import Given, Unusable, gather, read, redacted, reference, unknown_variables
from .table import OPTIONS, PREFIX, SECTION, Option, Settings
from .values import Listen, Networks

__all__ = [
    "OPTIONS",
    "PREFIX",
    "SECTION",
    "Given",
    "Listen",
    "Networks",
    "Option",
    "Settings",
    "Unusable",
    "gather",
    "read",
    "redacted",
    "reference",
    "unknown_variables",
]
