"""Paraphe: an open, self-hosted exchange server for training centres."""

__version__ = "0.1.0"
