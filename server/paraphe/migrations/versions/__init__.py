"""One file for each version of the database, in the order of their numbers."""
