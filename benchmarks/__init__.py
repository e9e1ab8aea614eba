"""How much CPU a message costs: the product, plain Spyne and a bare minimum, in one run. `python -m benchmarks`."""
