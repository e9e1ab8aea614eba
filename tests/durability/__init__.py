"""Whether what clients were told is what is stored, when servers are killed: `make durability`.

Nothing here that judges (`checker`, `repositories`, `records`, `stored`) imports the product: it has SQL, files and
rules of its own.
"""
