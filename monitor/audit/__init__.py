"""Afterwards: the same engine over recordings, and the report of a call."""
