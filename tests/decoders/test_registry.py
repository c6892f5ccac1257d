"""Every built-in decoder is whole: contract, cost, citation, documentation and benchmark."""

import inspect
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wagner

import fecnn
from fecnn.cli.speed import cases
from fecnn.decoders import registry
from fecnn.decoders.complexity import complexity
from fecnn.decoders.cost import Cost
from fecnn.decoders.registry import REGISTRY, Example, built_in, decoder_rows, unit_of_work
from fecnn.errors import ContractError
from fecnn.testing import check_decoder

DOCS = Path(__file__).parents[2] / "docs" / "decoders.md"


def words(text):
    return " ".join(text.split())


def faults(name):
    """What a built-in decoder lacks."""
    ours = built_in(name)
    code, about = fecnn.load_code(ours.example.code), words(inspect.getdoc(ours.hard) or "")
    if not about:
        yield "documentation"
    if (not re.search(r"\d{4}", ours.cites) and ours.cites != "our own") or words(ours.cites) not in about:
        yield "citation"
    if not ours.reach:
        yield "reach"
    options, known = ((inspect.signature(make).parameters) for make in (ours.hard, ours.cost))
    takes_any = any(p.kind is p.VAR_KEYWORD for p in known.values())
    if not takes_any and {o.name for o in options.values() if o.kind is o.KEYWORD_ONLY} - set(known):
        yield "cost with the decoder's options"
    try:
        cost = complexity(name, code, work=10.0, **ours.example.options)
        if not isinstance(cost, Cost) or cost.operations <= 0:
            yield "cost"
    except Exception:
        yield "cost"
    try:
        check_decoder(name, code, symmetric=ours.symmetric, **ours.example.options)
    except ContractError:
        yield "contract"
    if ours.soft is not None:
        app = fecnn.soft_decoder(name, code, fecnn.AWGN.at(ours.example.ebn0_db, code.rate))
        sent = code.encode(np.random.default_rng(1).integers(0, 2, (8, code.k), dtype=np.uint8))
        decided = app(4 * fecnn.bpsk(sent).astype(np.float32))
        if decided.shape != sent.shape or ((decided < 0) != sent).any():
            yield "soft contract"
    if ours.lister is not None:
        sent = code.encode(np.random.default_rng(1).integers(0, 2, (8, code.k), dtype=np.uint8))
        listed, metrics = fecnn.list_decoder(name, code, list=2)(4 * fecnn.bpsk(sent).astype(np.float32))
        if (listed[:, 0] != sent).any() or metrics[:, 0].any():
            yield "list contract"
    noise = np.random.default_rng(1).normal(0.5, 1, (8, code.n)).astype(np.float32)
    decode = fecnn.decoder(name, code, fecnn.AWGN.at(ours.example.ebn0_db, code.rate), **ours.example.options)
    if decode.measure(noise)[1].work.any() and not unit_of_work(name, ours.example.options):
        yield "unit of work"
    if name not in [case.decoder for case in cases()]:
        yield "benchmark"
    if name not in [row[0] for row in decoder_rows()]:
        yield "row of the documentation"


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_built_in_decoder_is_whole(name):
    assert list(faults(name)) == []


def test_one_file_and_one_line_add_a_decoder(monkeypatch):
    monkeypatch.setitem(REGISTRY, "wagner", "wagner:WAGNER")
    assert list(faults("wagner")) == []
    code = fecnn.single_parity_check(8)
    llr = np.random.default_rng(3).normal(1, 1, (500, 8)).astype(np.float32)
    assert np.array_equal(fecnn.decoder("wagner", code)(llr), fecnn.decoder("ml", code)(llr))
    assert "wagner" in fecnn.decoder_names()


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"cites": ""}, "citation"),
        ({"cites": "somebody, 1999"}, "citation"),
        ({"reach": ""}, "reach"),
        ({"cost": lambda code, work=None: 1.0}, "cost"),
        (
            {"hard": lambda code, channel=None, /, *, tries=1: wagner.wagner(code)},
            "cost with the decoder's options",
        ),
        ({"cost": lambda code: Cost(additions=1)}, "cost"),
        ({"hard": lambda code, channel=None, /: lambda llr: np.ones_like(llr, np.uint8)}, "contract"),
    ],
)
def test_a_decoder_that_lacks_a_part_is_told(monkeypatch, change, missing):
    monkeypatch.setitem(REGISTRY, "wagner", "wagner:WAGNER")
    monkeypatch.setattr(wagner, "WAGNER", replace(wagner.WAGNER, **change))
    assert missing in list(faults("wagner"))


def test_a_part_that_is_not_given_is_an_error():
    whole = {"hard": wagner.wagner, "cost": wagner.wagner_cost, "cites": "x 1999", "reach": "y"}
    for part in (*whole, "example"):
        given = {**whole, "example": Example("spc-8", 4.0)}
        del given[part]
        with pytest.raises(TypeError, match=part):
            registry.BuiltIn(**given)


def test_the_documentation_has_the_rows_of_the_registry():
    """Made by tools/write_tables.py."""
    _, _, rest = DOCS.read_text().partition("<!-- made by tools/write_tables.py -->\n")
    rows = [line for line in rest.partition("<!-- end")[0].splitlines() if line.startswith("| `")]
    assert rows == [f"| `{name}` | " + " | ".join(cells) + " |" for name, *cells in decoder_rows()]


def test_the_listing_of_decoders_needs_no_imports():
    """Summaries are read from source files; they are those of the factories."""
    for name, (first, soft) in registry.summaries().items():
        assert first == registry.built_in(name).summary
        assert soft == (registry.built_in(name).soft is not None)
    script = (
        "import sys; from fecnn.decoders import registry as r; r.summaries(); print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
