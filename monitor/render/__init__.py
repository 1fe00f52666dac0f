"""Renders written dialogues to two-channel call recordings whose every time is known."""
