"""The version of this package; it is in every result."""

__version__ = "0.2.0"
