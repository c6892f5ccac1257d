"""Neural decoders as torch modules, and how they are kept; every file but the card's imports torch."""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
