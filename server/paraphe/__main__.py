"""`python -m paraphe` is `paraphe`."""

import sys

from .cli import main

sys.exit(main())
