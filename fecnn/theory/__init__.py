"""Results without simulation of a decoder under test: bounds, and the error rate of exact ML."""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
