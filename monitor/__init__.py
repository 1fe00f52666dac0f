"""A monitor for service calls in Mandarin: it measures, recognises, judges and tells."""

__version__ = "0.1.0"
