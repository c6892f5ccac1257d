"""PAC codes against their definition."""

import numpy as np
import pytest

import fecnn


def pac_word(message, n, profile, taps):
    """Rate profile, convolution, polar transform: one bit after the other."""
    v = [0] * n
    for place, bit in zip(profile, message, strict=True):
        v[place] = int(bit)
    u = [sum(tap * v[i - d] for d, tap in enumerate(taps) if d <= i) % 2 for i in range(n)]
    return [sum(u[i] for i in range(n) if i & j == j) % 2 for j in range(n)]


@pytest.mark.parametrize(
    ("polynomial", "taps"), [(0o133, [1, 0, 1, 1, 0, 1, 1]), (0o7, [1, 1, 1]), (1, [1]), (0o15, [1, 1, 0, 1])]
)
def test_words_are_those_of_the_definition(polynomial, taps, rng):
    """With k = 42 the profile is that of RM(3, 6), however ties are broken."""
    profile = [row for row in range(64) if row.bit_count() >= 3]
    code = fecnn.pac(64, 42, polynomial=polynomial)
    for message in rng.integers(0, 2, (10, 42), dtype=np.uint8):
        assert code.encode(message).tolist() == pac_word(message, 64, profile, taps)


def test_profiles():
    """The polynomial 1 leaves the Reed-Muller and the polar code."""
    assert (fecnn.pac(128, 64, polynomial=1).G == fecnn.reed_muller(3, 7).G).all()
    assert (fecnn.pac(128, 60, polynomial=1, profile="polar").G == fecnn.polar(128, 60).G).all()
    # Of the 20 rows of weight 8 in n = 64, those of the most reliable channels.
    rows = fecnn.polar(64, 64).G
    polar = {row.tobytes() for row in fecnn.polar(64, 40).G}
    chosen = {row.tobytes() for row in fecnn.pac(64, 30, polynomial=1).G}
    weights = sorted(int(row.sum()) for row in fecnn.pac(64, 30, polynomial=1).G)
    assert weights == [8] * 8 + [16] * 15 + [32] * 6 + [64]
    light = {row.tobytes() for row in rows if row.sum() == 8}
    assert len(chosen & light & polar) == 8


def test_names_say_what_is_not_usual():
    names = [code.name for code in (fecnn.pac(16, 8), fecnn.pac(16, 8, polynomial=5, profile="polar"))]
    assert names == ["pac-16-8", "pac-16-8-polar-5"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 100, "k": 50}, "the nearest are 64 and 128"),
        ({"n": 64, "k": 65}, r"k must be in 1\.\.64, got 65"),
        ({"n": 64, "k": 32, "polynomial": 0o132}, "must end in a one and have up to 21 bits, .* got 0o132"),
        ({"n": 64, "k": 32, "polynomial": -1}, "must end in a one"),
        ({"n": 64, "k": 32, "profile": "5g"}, "profile must be rm or polar, got '5g'"),
    ],
)
def test_what_is_no_pac_code_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        fecnn.pac(**options)
