"""Memory that kernels cut from an arena."""

import numpy as np
import pytest

import fecnn
from fecnn.decoders.kernels.arena import Arena, TooSmall, empty, empty_each, zeros
from fecnn.decoders.registry import REGISTRY, built_in
from fecnn.jit import kernel


@kernel(borrows=True)
def fill(arena, n, sets, places):
    values, counts = empty(arena, n, np.float32), zeros(arena, (2, n), np.int64)
    one, flags, more = empty_each(arena, sets[0], n), zeros(arena, (n,), np.bool_), empty_each(arena, sets, n)
    if values.ndim != 1 or counts.shape != (2, n) or len(more) != 2 or not len(one) == len(more[1]) == n:
        return -1.0
    for place, begin in enumerate((
        values.ctypes.data, counts.ctypes.data, one.ctypes.data,
        flags.ctypes.data, more[0].ctypes.data, more[1].ctypes.data,
    )):  # fmt: skip
        places[place] = begin
    clear = not counts.any() and not flags.any()
    for i in range(n):
        values[i], counts[0, i], counts[1, i], flags[i] = 0.5, 1, 2, True
        one[i], more[0][i], more[1][i] = 3, 4, 5
    total = values.sum() + counts.sum() + one.sum() + flags.sum() + more[0].sum() + more[1].sum()
    return total if clear else -2.0


@pytest.mark.kernel
@pytest.mark.parametrize("n", [1, 8, 100, 100_000])
def test_arrays_are_apart_and_each_begins_a_line(n):
    sets, places = (np.zeros(1, np.uint64), np.zeros(2, np.uint64)), np.zeros(6, np.int64)
    arena = Arena()
    for _ in range(3):  # the first makes it large enough
        assert arena.run(fill, n, sets, places) == 16.5 * n
        assert not (places % 64).any()
        ends = places + np.array([4, 16, 8, 1, 8, 8]) * n
        assert (places[1:] >= ends[:-1]).all()


@pytest.mark.kernel
def test_memory_that_is_too_small_is_not_written_to():
    sets, places = (np.zeros(1, np.uint64),) * 2, np.zeros(6, np.int64)
    memory = np.full(100, 7)
    memory[0] = 0
    with pytest.raises(TooSmall):
        fill(memory[:50], 8, sets, places)
    assert (memory[50:] == 7).all()
    assert not places.any()


def example_of(name, rng):
    """The code and the channel of a decoder's example, and LLRs."""
    example = built_in(name).example
    code = fecnn.load_code(example.code)
    channel = fecnn.AWGN.at(example.ebn0_db, code.rate)
    return code, channel, channel.transmit(code.encode(rng.integers(0, 2, (40, code.k), dtype=np.uint8)), rng)


def spoilt(arena, kernel, *arguments):
    """Instead of `Arena.run`: all bits of the memory are set, so that floats are NaN."""
    memory = np.full(1 << 21, -1)
    memory[0] = 0
    return kernel(memory, *arguments)


@kernel(borrows=True)
def cut(arena, n):
    return len(empty(arena, n, np.float64))


@pytest.mark.kernel
def test_no_array_has_a_negative_size():
    assert Arena().run(cut, 0) == 0
    for size in (-1, -8, -1000):
        with pytest.raises(ValueError, match="negative"):
            Arena().run(cut, size)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_what_memory_held_before_does_not_matter(name, monkeypatch, rng):
    code, channel, llr = example_of(name, rng)
    decode = fecnn.decoder(name, code, channel, **built_in(name).example.options)
    expected, effort = decode.measure(llr)
    monkeypatch.setattr(Arena, "run", spoilt)
    bits, again = decode.measure(llr)
    assert (bits == expected).all()
    assert (again.work == effort.work).all()
    assert (again.uncertified == effort.uncertified).all()


@pytest.mark.parametrize(
    ("name", "code", "options"),
    [
        ("ml", "bch-63-45", {}),
        ("ml", "ebch-128-64", {}),
        ("osd", "bch-63-45", {"order": 3, "prune": False}),
        ("pb-osd", "bch-63-45", {"rule": "published"}),
        ("gcd", "bch-63-45", {"reliable": False}),
        ("bp", "ccsds-128-64", {"rule": "min-sum", "schedule": "layered"}),
        ("sc", "polar-128-64", {"exact": True}),
        ("sc", "polar-128-64", {"int8": True}),
        ("scl", "polar-128-64", {"exact": True}),
        ("scl", "polar-128-64", {"int8": True, "list": 32}),
    ],
)
def test_nor_for_other_kernels(name, code, options, monkeypatch, rng):
    code = fecnn.load_code(code)
    channel = fecnn.AWGN.at(3.0, code.rate)
    llr = channel.transmit(code.encode(rng.integers(0, 2, (40, code.k), dtype=np.uint8)), rng)
    decode = fecnn.decoder(name, code, channel, **options)
    expected, effort = decode.measure(llr)
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return spoilt(*arguments)

    monkeypatch.setattr(Arena, "run", counted)
    bits, again = decode.measure(llr)
    assert calls
    assert (bits == expected).all()
    assert (again.work == effort.work).all()


@pytest.mark.parametrize("name", ["osd", "scl"])
def test_nor_for_soft_output(name, monkeypatch, rng):
    code, channel, llr = example_of(name, rng)
    app = fecnn.soft_decoder(name, code, channel)
    expected = app(llr)
    monkeypatch.setattr(Arena, "run", spoilt)
    assert (app(llr) == expected).all()


@pytest.mark.parametrize("name", ["osd", "lc-osd", "scl"])
def test_nor_for_lists(name, monkeypatch, rng):
    code, channel, llr = example_of(name, rng)
    decode = fecnn.list_decoder(name, code, channel, list=16)
    expected, metrics = decode(llr)
    monkeypatch.setattr(Arena, "run", spoilt)
    bits, again = decode(llr)
    assert (bits == expected).all()
    assert (again == metrics).all()
