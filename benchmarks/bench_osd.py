"""OSD against Sionna's decoder on the same LLRs, its whole list against the plain one, and a second word."""

import numpy as np
import plain_osd
import pytest
from frames import bler, frames_of

import fecnn
from fecnn.decoders.kernels import words
from fecnn.decoders.kernels.arena import Arena


@pytest.mark.parametrize(
    ("name", "order", "frames", "peer_frames", "target"),
    [
        ("bch-63-45", 2, 1 << 14, 64, 300.0),
        ("bch-63-45", 3, 1 << 14, 4, 3000.0),
        ("bch-31-21", 2, 1 << 15, 256, 1.0),
    ],
)
@pytest.mark.filterwarnings("ignore")  # torch.compile warns about torch itself
def test_osd_against_sionna(name, order, frames, peer_frames, target, race, size, benchmark):
    """Our list is pruned, with the same decisions as the textbook's, so its BLER is never higher.

    When timed, the peer is compiled (torch.compile), which makes it about twice as fast.
    """
    torch = pytest.importorskip("torch")
    linear = pytest.importorskip("sionna.phy.fec.linear", reason="sionna-no-rt is not installed")
    torch.set_num_threads(1)
    code = fecnn.load_code(name)
    theirs = linear.OSDecoder(code.G.astype(float), t=order, device="cpu")
    theirs = theirs if benchmark.disabled else torch.compile(theirs)
    count, few = size(frames), min(size(peer_frames), peer_frames)
    frames_ = frames_of(code, 3.0, count)
    decode = fecnn.decoder("osd", code, order=order)
    logits = -torch.from_numpy(frames_.llr[:few].copy())  # Sionna's LLRs are positive for bit 1

    def peer():
        with torch.no_grad():
            return theirs(logits)

    decided, sent = peer().numpy(), frames_.codewords[:few]
    ours = decode(frames_.llr[:few])
    assert bler(ours, sent) <= bler(decided, sent) + 1e-12
    race(
        f"osd {order} {name} 3 dB",
        "Sionna OSDecoder, compiled",
        lambda: decode(frames_.llr),
        peer,
        count,
        few,
        target,
        repeats=5,
    )


@pytest.mark.parametrize(("order", "frames", "target"), [(3, 1 << 11, 1.4), (4, 1 << 8, 1.9)])
def test_the_whole_list_against_its_plain_twin(order, frames, target, race, size):
    code = fecnn.load_code("bch-63-45")
    count = size(frames)
    llr, columns = frames_of(code, 3.0, count).llr, words.columns_of(code.parity_columns)
    decode = fecnn.decoder("osd", code, order=order, prune=False)

    def plain():
        out = np.empty(llr.shape, np.uint8)
        Arena().run(plain_osd.osd, llr, columns, code.n - code.k, order, out)
        return out

    assert (decode(llr) == plain()).all()
    race(
        f"osd {order} bch-63-45 3 dB, whole list",
        "plain twin",
        lambda: decode(llr),
        plain,
        count,
        target=target,
    )


@pytest.mark.parametrize(("n", "k"), [(128, 63), (256, 128)])
def test_two_words_of_checks_against_one(n, k, race, size):
    """The fixed cost of a frame (order 0) with a second word of checks, against (128, 64) with one."""
    rng = np.random.default_rng(1)
    codes = []
    for length, dimension in ((128, 64), (n, k)):
        parity = rng.integers(0, 2, (dimension, length - dimension), dtype=np.uint8)
        G = np.concatenate([np.eye(dimension, dtype=np.uint8), parity], axis=1)
        codes.append(fecnn.Code.from_generator(G))
    count = size(1 << 12)
    llrs = [frames_of(code, 4.0, count).llr for code in codes]
    one, two = (fecnn.decoder("osd", code, order=0) for code in codes)
    race(
        f"osd 0 ({n},{k}), two words",
        "(128,64), one word",
        lambda: two(llrs[1]),
        lambda: one(llrs[0]),
        count,
        target=1 / 3 if n == 128 else 1 / 6,  # twice the length is more than twice the work
    )
