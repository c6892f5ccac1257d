"""Neural decoders as torch modules, and storing them; only `card` and `network` load without torch."""

from typing import TYPE_CHECKING

from fecnn._files.rooms import loader

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, __path__)
