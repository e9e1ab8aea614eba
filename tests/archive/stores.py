"""An archive with a way past it, and what these tests keep in it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from paraphe.archive import Archive, open_archive

CONTENT = b"%PDF-1.7 an invoice"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PLACE = f"{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}"


@dataclass
class Store:
    """An archive, and a way past it: `put` writes at a place what the archive never would."""

    location: str
    put: Callable[[str, bytes], object]

    @property
    def archive(self) -> Archive:
        return open_archive(self.location)
