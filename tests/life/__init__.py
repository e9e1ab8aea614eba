"""One invoice's life, with the server killed at each of its steps: `python -m tests.life`, or some steps by name."""
