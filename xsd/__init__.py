"""The types of the exchange contract, each written once."""
