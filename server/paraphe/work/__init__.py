"""What the product does. Knows neither HTTP nor XML nor vendors.

A work function takes the context of one message and the decoded request, and returns the members of its result. It
runs inside the message's transaction and never commits.
"""
