"""GNU Radio's blocks in its own flow graphs."""

import inspect
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import fecnn

pytest.importorskip("gnuradio.gr", reason="needs GNU Radio", exc_type=ImportError)

import yaml  # GNU Radio Companion brings it
from gnuradio import blocks, gr

from fecnn.pipelines import gnuradio as radio

EXAMPLES = Path(__file__).parents[2] / "examples"
CODE = fecnn.load_code("bch-31-16")


def through(block, given):
    """What a block makes of vectors."""
    (dtype, width), (made, length) = block._given, block._made
    source = blocks.vector_source_f if dtype is np.float32 else blocks.vector_source_b
    sink = (blocks.vector_sink_f if made is np.float32 else blocks.vector_sink_b)(length)
    graph = gr.top_block()
    graph.connect(source(given.ravel().tolist(), False, width), block, sink)
    graph.run()
    return np.array(sink.data(), made).reshape(-1, length)


def frames(code, count, ebn0_db):
    """Messages and their LLRs log p1/p0."""
    rng = np.random.default_rng(5)
    messages = rng.integers(0, 2, (count, code.k), dtype=np.uint8)
    return messages, -fecnn.AWGN.at(ebn0_db, code.rate).transmit(code.encode(messages), rng)


def test_decoders_decide_as_elsewhere_on_many_vectors_a_call():
    class Counting(radio.Decoder):
        sizes: list[int]

        def work(self, input_items, output_items):
            self.sizes.append(len(input_items[0]))
            return super().work(input_items, output_items)

    _, llr = frames(CODE, 20_000, 3.0)
    for output in ("message", "code"):
        block = Counting("osd", CODE, output=output, order=2)
        block.sizes = []
        expected = fecnn.decoder("osd", CODE, output=output, order=2)(-llr)
        np.testing.assert_array_equal(through(block, llr), expected)
        assert sum(block.sizes) == 20_000
        assert np.median(block.sizes) >= 64


def test_soft_decoders_keep_the_sign():
    _, llr = frames(CODE, 500, 1.0)
    soft = fecnn.soft_decoder("map", CODE)
    np.testing.assert_array_equal(through(radio.SoftDecoder("map", CODE), llr), -soft(-llr))
    extrinsic = through(radio.SoftDecoder("map", CODE, extrinsic=True), llr)
    np.testing.assert_array_equal(extrinsic, -soft.extrinsic(-llr))


@pytest.mark.parametrize(
    "code", [CODE, fecnn.repetition(5), fecnn.single_parity_check(9)], ids=lambda code: code.name
)
def test_a_link_without_noise_decodes_every_word_and_none_with_the_sign_turned(code):
    messages = np.random.default_rng(1).integers(0, 2, (300, code.k), dtype=np.uint8)
    words = through(radio.Encoder(code), messages)
    np.testing.assert_array_equal(words, code.encode(messages))
    llr = np.float32(4) * (2.0 * words - 1).astype(np.float32)
    np.testing.assert_array_equal(through(radio.Decoder("ml", code), llr), messages)
    turned = through(radio.Decoder("ml", code), -llr)
    assert (turned != messages).any(axis=1).all()


def refuses(code, channel=None, /):
    """A decoder that fails on zeros, and on large LLRs in another way."""

    def decode(llr):
        if not llr.any():
            raise ValueError("zeros")
        if (np.abs(llr) > 500).any():
            raise RuntimeError("too large")
        return (llr < 0).astype(np.uint8)

    return decode


@pytest.mark.parametrize(
    ("name", "value", "said"), [("ml", np.nan, "llr holds NaN"), (refuses, 1000.0, "too large")]
)
def test_a_vector_that_cannot_be_decoded_ends_the_flow_graph(name, value, said, capfd):
    _, llr = frames(CODE, 2000, 3.0)
    llr[1500, 3] = value
    found = []
    block = radio.Decoder(name, CODE, output="code")
    worker = threading.Thread(target=lambda: found.append(through(block, llr)), daemon=True)
    worker.start()
    worker.join(120)
    assert found, "the flow graph hangs"
    expected = fecnn.decoder(name, CODE, output="code")(-llr[:1500])
    np.testing.assert_array_equal(found[0], expected)
    assert f"vector 1500: {said}" in "".join(capfd.readouterr())


def test_an_encoder_needs_a_code():
    with pytest.raises(TypeError, match=r"code must be a fecnn\.Code"):
        radio.Encoder("bch-31-16")


def test_companion_knows_the_blocks_as_they_are():
    made = {}
    for path in radio.BLOCKS.glob("fecnn_*.block.yml"):
        block = yaml.safe_load(path.read_text())
        assert path.name == f"{block['id']}.block.yml"
        name, arguments = re.fullmatch(
            r"fecnn\.pipelines\.gnuradio\.(\w+)\((.*)\)", block["templates"]["make"]
        ).groups()
        keywords = re.findall(r"(?<!\*)\b(\w+)=", arguments)
        assert set(keywords) <= set(inspect.signature(getattr(radio, name)).parameters)
        made[name] = block["id"]
    tree = yaml.safe_load((radio.BLOCKS / "fecnn.tree.yml").read_text())["[fecnn]"]
    assert sorted(made) == ["Decoder", "Encoder", "SoftDecoder"]
    assert sorted(tree) == sorted([*made.values(), "variable_fecnn_code"])


def run(*command, folder):
    environment = os.environ | {"GRC_BLOCKS_PATH": str(radio.BLOCKS), "HOME": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_finds_the_error_rate_of_exact_ml(tmp_path):
    said = run(sys.executable, EXAMPLES / "gnuradio_link.py", folder=tmp_path)
    low, high = map(float, re.search(r"BLER \S+ \[(\S+), (\S+)\]", said).groups())
    known = fecnn.ml_bler(fecnn.load_code("bch-63-45"), 3.5)
    assert low <= known.high
    assert known.low <= high


def test_the_flow_graph_of_companion_runs(tmp_path):
    compiler = shutil.which("grcc")
    run(sys.executable, compiler, "-o", tmp_path, EXAMPLES / "gnuradio_link.grc", folder=tmp_path)
    said = run(sys.executable, tmp_path / "gnuradio_link.py", folder=tmp_path)
    wrong, bits = (
        int(number.replace(",", ""))
        for number in re.search(r"([\d,]+) of ([\d,]+) message bits", said).groups()
    )
    assert bits == 20_000 * 45
    assert 600 < wrong < 1500  # 1.1e-3 of them: 1,000, with 12 bits in each of 160 wrong frames
