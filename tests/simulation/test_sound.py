from dataclasses import replace

import numpy as np
import pytest

import fecnn
from fecnn.channels.stream import FrameStream
from fecnn.simulation.frames import PlainEngine
from fecnn.simulation.sound import contradiction
from fecnn.simulation.tally import COUNTS, Tally


def counted(name, decoder, batch, ebn0_db=1.0):
    """A batch as a run makes it, with its flags."""
    code = fecnn.load_code(name)
    channel = fecnn.AWGN.at(ebn0_db, code.rate)
    engine, decode = PlainEngine(code, channel), fecnn.decoder(decoder, code, channel)
    frames = engine.frames(FrameStream("any", 0), batch)
    return code, engine.count(frames, decode(frames.llr), 0.5)


@pytest.mark.parametrize("decoder", ["ml", "hard"])  # codewords, and words that are none
@pytest.mark.parametrize("batch", [1, 7, 8, 500])
@pytest.mark.parametrize("name", ["hamming-7-4", "bch-15-7", "spc-3"])
def test_what_is_counted_is_sound(name, decoder, batch):
    code, counts = counted(name, decoder, batch)
    assert contradiction(counts, batch, 3, code.k, code.n) is None
    assert contradiction(replace(counts, flags=None), batch, 3) is None


def test_no_errors_are_sound():
    assert contradiction(Tally(frames=12, flags=bytes(2)), 12, 0, 4, 7) is None


def test_every_frame_wrong_in_every_bit_is_sound():
    all_wrong = Tally(8, 8, 8 * 4, 8 * 16, 8 * 7, 8 * 49, 0, flags=b"\xff")
    assert contradiction(all_wrong, 8, 0, 4, 7) is None


SOUND = Tally(12, 3, 4, 6, 9, 27, 2, 5, 1, 0.5, flags=np.packbits([1, 0, 1, 1] + [0] * 8).tobytes())

FORGED = {
    "frames": dict(frames=13),
    "no frames": dict(frames=0, block_errors=0),
    "block errors": dict(block_errors=13),
    "one block error more": dict(block_errors=4),
    "one block error less": dict(block_errors=2),
    "no block errors": dict(block_errors=0),
    "uncertified": dict(uncertified=13),
    "ml errors": dict(ml_errors=4),
    "bit errors without squares": dict(bit_errors_sq=3),
    "squares that are too small": dict(code_bit_errors_sq=25),
    "squares that are odd": dict(bit_errors_sq=7),
    "more bits than a frame has": dict(bit_errors=13, bit_errors_sq=57),
    "squares that are too large": dict(bit_errors=4, bit_errors_sq=18),
    "code bits": dict(code_bit_errors=22, code_bit_errors_sq=162),
    "fewer code bits than block errors": dict(code_bit_errors=2, code_bit_errors_sq=2),
    "more work than there is": dict(work=2**63 - 1),
    "more time than there is": dict(seconds=1e308),
    "huge": dict(bit_errors=9 * 10**18, bit_errors_sq=9 * 10**18),
    "no flags": dict(flags=b""),
    "flags of more frames": dict(flags=SOUND.flags + b"\0"),
    "another flag": dict(flags=b"\xb8\0"),
    "a flag of no frame": dict(flags=b"\xa0\x01"),
}


@pytest.mark.parametrize("how", FORGED)
def test_what_contradicts_itself_is_said(how):
    assert contradiction(SOUND, 12, 0, 4, 7) is None
    assert contradiction(replace(SOUND, **FORGED[how]), 12, 0, 4, 7)


def test_an_index_that_no_run_reaches():
    assert contradiction(SOUND, 12, (1 << 53) // 12 - 1) is None
    assert "its index" in contradiction(SOUND, 12, 2**63 - 1)


def test_a_single_count_that_is_changed_mostly_shows():
    """Every count but the decoder's own (work, uncertified, refusals, seconds) is tied to others."""
    code, counts = counted("hamming-7-4", "hard", 500)
    free = {"work", "uncertified", "refusals", "refused_errors", "seconds"}
    for name in set(COUNTS) - free - {"ml_errors"}:
        for change in (-1, 1):
            forged = replace(counts, **{name: getattr(counts, name) + change})
            assert contradiction(forged, 500, 0, code.k, code.n), (name, change)
    refused = replace(counts, refusals=90, refused_errors=60)
    assert contradiction(refused, 500, 0, code.k, code.n) is None
    assert "501 refused frames of 500" in contradiction(replace(refused, refusals=501), 500, 0)
    assert "91 refused block errors" in contradiction(replace(refused, refused_errors=91), 500, 0)
    assert "block errors" in contradiction(replace(refused, refusals=400, refused_errors=399), 500, 0)
