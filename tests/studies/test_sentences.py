"""What the pages compare is recomputed, sentence by sentence."""

import importlib
import pkgutil

import pytest
import sentences

for module in pkgutil.iter_modules(sentences.__path__):
    importlib.import_module(f"sentences.{module.name}")


@pytest.mark.parametrize("claim", sentences.CLAIMS.values(), ids=sentences.CLAIMS)
def test_what_is_said_holds(claim):
    for sentence in claim.sentences:
        assert sentence in sentences.text(claim.page), sentence
    claim.holds()
