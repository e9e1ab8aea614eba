"""Keep bytes under their SHA-256 digest, outside the database, in a folder or in an S3 bucket.

*Content* is any bytes. Its *digest*, 64 lowercase hexadecimal figures, is its only name: content never changes,
and the same bytes are kept once. Both stores lay it out as `ab/cd/abcd…`, so that one can be copied into the other.

The promise: when `keep` has returned, the content survives kill -9 and a power cut. The caller writes its row
afterwards, in its own transaction. If that is rolled back, the content is an orphan, and harmless.
"""

import re
from pathlib import Path

from .folder import Folder, folder_of
from .kept import Archive, Damaged, Missing, Unavailable

__all__ = ["Archive", "Damaged", "Folder", "Missing", "Unavailable", "open_archive"]


def open_archive(location: str) -> Archive:
    """Open the archive at a folder (a path or a file:// URL) or at `s3://bucket/prefix?endpoint=…&region=…&allow_http=true`.

    What the S3 URL does not say comes from the usual environment (AWS_ENDPOINT_URL, AWS_REGION, AWS_ALLOW_HTTP …);
    credentials come from there alone (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY; without them, from the machine's role).
    Nothing is touched before the first call. ValueError for anything else, in a sentence that repeats no secret.
    """
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)", location)
    if not location:
        raise ValueError("The location of the archive is empty: give a folder or an s3:// URL.")
    if not scheme:
        return Folder(Path(location))
    if scheme[0].lower() == "file":
        return Folder(folder_of(location))
    if scheme[0].lower() == "s3":
        from .bucket import bucket_of  # who has a folder does not load what speaks S3

        return bucket_of(location)
    raise ValueError(f"The archive cannot be at a {scheme[0]}: URL: give a folder or an s3:// URL.")
