"""Classical decoders against installed packages, on the same LLRs and with the same algorithm if possible.

If both compute the same function, their decisions are equal except in a small share of frames: the peers clip
messages or work in another precision. Otherwise the BLER is compared on the same frames.
"""

import numpy as np
import pytest
from frames import assert_no_worse, assert_same, frames_of

import fecnn
from fecnn.codes.polar import kronecker_transform
from fecnn.decoders.polar import frozen_bits

ROUNDING = 0.02
"""Share of frames that rounding may change, well above what is observed."""


@pytest.fixture
def few(size):
    """Number of frames for the peer, at most as many as ours."""
    return lambda frames: min(size(frames), frames)


@pytest.fixture
def komm():
    return pytest.importorskip("komm", reason="komm is not installed")


def sionna(module):
    """A module of Sionna's forward error correction, on one thread."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return pytest.importorskip(f"sionna.phy.fec.{module}", reason="sionna-no-rt is not installed")


def on_torch(decode, llr):
    """Sionna's decoder as a function without arguments; its LLRs are positive for bit 1."""
    import torch

    logits = -torch.from_numpy(llr.copy())

    def run():
        with torch.no_grad():
            return decode(logits).numpy().astype(np.uint8)

    return run


BP_RULES = {"sum-product": ("boxplus-phi", "product_sum"), "min-sum": ("minsum", "minimum_sum")}
ITERATIONS = 20


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("rule", BP_RULES)
def test_bp_against_sionna(rule, early, race, size, few):
    """The peer runs all iterations on every frame, as our soft decoder does; ``bp`` stops early."""
    ldpc = sionna("ldpc")
    code = fecnn.load_code("ccsds-128-64")
    count, peers = size(1 << 12), few(256)
    frames = frames_of(code, 3.0, count)
    llr, sent = frames.llr[:peers], frames.codewords[:peers]
    theirs = ldpc.LDPCBPDecoder(
        code.H, cn_update=BP_RULES[rule][0], num_iter=ITERATIONS, llr_max=1000.0, device="cpu"
    )
    peer = on_torch(theirs, llr)
    make = fecnn.decoder if early else fecnn.soft_decoder
    decode = make("bp", code, rule=rule, iterations=ITERATIONS)
    if early:
        assert_no_worse(decode(llr), peer(), sent)
    else:
        assert_same((decode(llr) < 0).astype(np.uint8), peer(), ROUNDING)
    race(
        f"bp {rule}, {ITERATIONS} iterations{' or fewer' if early else ''}, ccsds-128-64 3 dB",
        "Sionna LDPCBPDecoder",
        lambda: decode(frames.llr),
        peer,
        count,
        peers,
        3.0,
        repeats=5,
    )


@pytest.mark.parametrize("rule", BP_RULES)
def test_bp_against_ldpc(rule, race, size, few):
    """The peer decodes syndromes; given the error probabilities, this is BP on the LLRs."""
    package = pytest.importorskip("ldpc", reason="ldpc is not installed")
    code = fecnn.load_code("ccsds-128-64")
    count, peers = size(1 << 12), few(512)
    frames = frames_of(code, 3.0, count)
    theirs = package.BpDecoder(
        code.H, error_rate=0.1, max_iter=ITERATIONS, bp_method=BP_RULES[rule][1], schedule="parallel"
    )
    llr = frames.llr[:peers]
    hard = (llr < 0).astype(np.uint8)
    syndromes = code.syndrome(hard).astype(np.uint8)
    probability = 1 / (1 + np.exp(np.abs(llr.astype(np.float64))))

    def peer():
        out = np.empty_like(hard)
        for frame in range(peers):
            theirs.update_channel_probs(probability[frame])
            out[frame] = theirs.decode(syndromes[frame])
        return out ^ hard

    decode = fecnn.decoder("bp", code, rule=rule, iterations=ITERATIONS)
    ours, decided = decode(llr), peer()
    assert_same(ours, decided, ROUNDING)
    assert_no_worse(ours, decided, frames.codewords[:peers])
    race(
        f"bp {rule}, {ITERATIONS} iterations, ccsds-128-64 3 dB",
        "ldpc BpDecoder",
        lambda: decode(frames.llr),
        peer,
        count,
        peers,
        3.0,
        repeats=5,
    )


POLAR = ["polar-64-32", "polar-128-64"]


def codewords_of(code, messages):
    """The codewords of messages placed in order on the unfrozen bits."""
    bits = np.zeros((len(messages), code.n), np.uint8)
    bits[:, ~frozen_bits(code)] = messages
    return kronecker_transform(bits)


@pytest.mark.parametrize("name", POLAR)
def test_sc_against_sionna(name, race, size, few):
    """The peer uses the exact box-plus; ours is timed in its max-log form."""
    polar = sionna("polar")
    code = fecnn.load_code(name)
    count, peers = size(1 << 13), few(1 << 11)
    frames = frames_of(code, 3.0, count)
    theirs = polar.PolarSCDecoder(np.flatnonzero(frozen_bits(code)), code.n, device="cpu")
    peer = on_torch(theirs, frames.llr[:peers])
    decided, llr, sent = codewords_of(code, peer()), frames.llr[:peers], frames.codewords[:peers]
    assert_same(fecnn.decoder("sc", code, exact=True)(llr), decided, ROUNDING)
    decode = fecnn.decoder("sc", code)
    assert_no_worse(decode(llr), decided, sent)
    race(
        f"sc {name} 3 dB",
        "Sionna PolarSCDecoder",
        lambda: decode(frames.llr),
        peer,
        count,
        peers,
        3.0,
        repeats=5,
    )


@pytest.mark.parametrize("name", POLAR)
def test_scl_against_sionna(name, race, size, few):
    """The peer approximates rate-1 nodes, so it is never better than a list that forks at every bit."""
    polar = sionna("polar")
    code = fecnn.load_code(name)
    count, peers = size(1 << 12), few(512)
    frames = frames_of(code, 3.0, count)
    theirs = polar.PolarSCLDecoder(np.flatnonzero(frozen_bits(code)), code.n, list_size=8, device="cpu")
    peer = on_torch(theirs, frames.llr[:peers])
    decode = fecnn.decoder("scl", code, list=8)
    assert_no_worse(decode(frames.llr[:peers]), codewords_of(code, peer()), frames.codewords[:peers])
    race(
        f"scl 8 {name} 3 dB",
        "Sionna PolarSCLDecoder",
        lambda: decode(frames.llr),
        peer,
        count,
        peers,
        3.0,
        repeats=5,
    )


@pytest.mark.parametrize("name", POLAR)
def test_sc_against_komm(name, komm, race, size, few):
    code = fecnn.load_code(name)
    frozen = np.flatnonzero(frozen_bits(code))
    count, peers = size(1 << 13), few(1 << 11)
    frames = frames_of(code, 3.0, count)
    llr, sent = frames.llr[:peers], frames.codewords[:peers]
    theirs = komm.SCDecoder(komm.PolarCode(code.n.bit_length() - 1, frozen), output_type="hard")
    decode = fecnn.decoder("sc", code)
    decided = codewords_of(code, theirs.decode(llr))
    assert_same(fecnn.decoder("sc", code, exact=True)(llr), decided, ROUNDING)
    assert_no_worse(decode(llr), decided, sent)
    race(
        f"sc {name} 3 dB",
        "komm SCDecoder",
        lambda: decode(frames.llr),
        lambda: theirs.decode(llr),
        count,
        peers,
        3.0,
        repeats=5,
    )


BCH = {"bch-15-7": (4, 5), "bch-63-45": (6, 7), "bch-127-64": (7, 21)}
"""m and the designed distance."""


@pytest.mark.parametrize("name", ["bch-63-45", "bch-127-64"])  # the peer compiles once per field
def test_berlekamp_massey_against_galois(name, race, size, few):
    galois = pytest.importorskip("galois")
    code = fecnn.load_code(name)
    count, peers = size(1 << 14), few(1 << 12)
    frames = frames_of(code, 4.0, count)
    theirs = galois.BCH(code.n, code.k)
    assert (np.asarray(theirs.G) == code.G).all()
    hard = theirs.field((frames.llr[:peers] < 0).astype(np.uint8))
    decode = fecnn.decoder("berlekamp-massey", code)
    decided, corrected = theirs.decode(hard, output="codeword", errors=True)
    ours = decode(frames.llr[:peers])
    done = corrected >= 0
    assert done.any()
    assert_same(ours[done], np.asarray(decided)[done])
    assert code.syndrome(ours[~done]).any(axis=1).all()  # both failed
    race(
        f"berlekamp-massey {name} 4 dB",
        "galois BCH.decode",
        lambda: decode(frames.llr),
        lambda: theirs.decode(hard, output="codeword"),
        count,
        peers,
        3.0,
        repeats=5,
    )


@pytest.mark.parametrize("name", BCH)
def test_berlekamp_massey_against_komm(name, komm, race, size, few):
    """The peer's first bit is the lowest power of x, ours the highest."""
    code = fecnn.load_code(name)
    count, peers = size(1 << 14), few(256)
    frames = frames_of(code, 4.0, count)
    theirs = komm.BerlekampDecoder(komm.BCHCode(*BCH[name]))
    assert not (code.G[:, ::-1] @ theirs.code.check_matrix.T % 2).any()
    hard = (frames.llr[:peers] < 0).astype(np.uint8)[:, ::-1]
    decode = fecnn.decoder("berlekamp-massey", code)
    decided, ours = theirs.decode_to_codeword(hard)[:, ::-1], decode(frames.llr[:peers])
    done = ~code.syndrome(ours).any(axis=1)
    assert_same(ours[done], decided[done])
    assert_no_worse(ours, decided, frames.codewords[:peers])
    race(
        f"berlekamp-massey {name} 4 dB",
        "komm BerlekampDecoder",
        lambda: decode(frames.llr),
        lambda: theirs.decode_to_codeword(hard),
        count,
        peers,
        3.0,
        repeats=5,
    )


@pytest.mark.parametrize("method", ["codebook", "trellis", "search"])
@pytest.mark.parametrize(("name", "frames", "peer_frames"), [("hamming-7-4", 15, 15), ("bch-15-7", 15, 13)])
def test_ml_against_komm(method, name, frames, peer_frames, komm, race, size, few):
    code = fecnn.load_code(name)
    count, peers = size(1 << frames), few(1 << peer_frames)
    frames_ = frames_of(code, 4.0, count)
    llr = frames_.llr[:peers]
    theirs = komm.ExhaustiveCodewordDecoder(komm.BlockCode(generator_matrix=code.G), input_type="soft")
    decode = fecnn.decoder("ml", code, method=method)
    assert_same(decode(llr), theirs.decode_to_codeword(llr))
    race(
        f"ml {method} {name} 4 dB",
        "komm ExhaustiveCodewordDecoder",
        lambda: decode(frames_.llr),
        lambda: theirs.decode_to_codeword(llr),
        count,
        peers,
        1.0,  # one matrix product of few columns: hard to beat on the smallest codes
        repeats=5,
    )


def test_ml_against_komm_wagner(komm, race, size):
    """ML of a single parity check is one line of NumPy, so there is little to gain."""
    code = fecnn.single_parity_check(16)
    count = size(1 << 15)
    llr = frames_of(code, 4.0, count).llr
    theirs = komm.WagnerDecoder(komm.SingleParityCheckCode(16))
    decode = fecnn.decoder("ml", code)
    assert_same(decode(llr), theirs.decode_to_codeword(llr))
    race(
        "ml spc-16-15 4 dB",
        "komm WagnerDecoder",
        lambda: decode(llr),
        lambda: theirs.decode_to_codeword(llr),
        count,
        target=1.0,
        repeats=5,
    )


def test_ml_against_komm_viterbi(komm, race, size, few):
    """A terminated convolutional code as a block code, on our minimal trellis and on the peer's."""
    convolutional = komm.TerminatedConvolutionalCode(
        komm.ConvolutionalCode([[0b111, 0b101]]), num_blocks=14, mode="zero-termination"
    )
    code = fecnn.Code.from_generator(np.asarray(convolutional.generator_matrix, dtype=np.uint8))
    count, peers = size(1 << 14), few(1 << 11)
    llr = frames_of(code, 3.0, count).llr
    theirs = komm.ViterbiDecoder(convolutional, input_type="soft")
    decode = fecnn.decoder("ml", code, method="trellis")
    assert_same(decode(llr[:peers]), convolutional.encode(theirs.decode(llr[:peers])))
    race(
        f"ml trellis, 4 states, convolutional ({code.n},{code.k}) 3 dB",
        "komm ViterbiDecoder",
        lambda: decode(llr),
        lambda: theirs.decode(llr[:peers]),
        count,
        peers,
        3.0,
        repeats=5,
    )
