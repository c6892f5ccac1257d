"""Decoders in other programs; each module imports its own world when it is used."""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
