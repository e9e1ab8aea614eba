"""`python -m paraphe.commands.worker FILE`: one of the processes that `paraphe serve` starts; not for people."""

import sys

from .. import settings
from ..serve import Post
from .failures import attempt
from .serving import serve_here


def main(file: int) -> int:
    """Serve as the order says that comes through an inherited file; return an exit code."""
    post = Post(file)
    code, sentences = attempt(lambda: serve_here(settings.read(post.order.settings), post))
    if code:
        post.failed(code, sentences)
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
