"""XML in and out: bytes to tree, tree against the schema, tree to plain values and back.

Knows the contract and nothing of SOAP, HTTP or tables. lxml's parser settings have their one address here.
"""
