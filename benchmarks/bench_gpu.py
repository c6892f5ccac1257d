"""Networks on a GPU against one thread of the CPU beside it: decoding, and steps of training; wall times."""

import time

import pytest
import torch
from frames import assert_same, frames_of

import fecnn
from fecnn.training.recipe import training_of
from fecnn.training.trainer import Trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.mark.parametrize("kind", ["slnn", "mlnn", "ecct", "crossmpt", "fecnn-net"])
def test_decoding(kind, race, size):
    code = fecnn.load_code("bch-31-16")
    channel = fecnn.AWGN.at(2.0, code.rate)
    llr = frames_of(code, 2.0, size(1 << 15)).llr
    few = llr[:2048]
    options = {"dtype": "float32"} if kind in ("slnn", "mlnn") else {}
    gpu, cpu = (fecnn.decoder(kind, code, channel, device=device, **options) for device in ("cuda", "cpu"))
    assert_same(gpu(few), cpu(few), allowed=1e-3)
    race(
        f"{kind} {code.name} 2 dB",
        "the same on the CPU",
        lambda: gpu(llr),
        lambda: cpu(few),
        len(llr),
        len(few),
        repeats=5,
        clock=time.perf_counter,
    )


@pytest.mark.parametrize("kind", ["ecct", "crossmpt"])
def test_a_step_of_training(kind, race, size):
    def trainer(device, batch):
        return Trainer(
            training_of(
                {
                    "name": "race",
                    "code": "bch-63-51",
                    "recipe": "improved",
                    "steps": 10**6,
                    "batch": batch,
                    "device": device,
                    "model": {"kind": kind, "options": {"layers": 6, "width": 128}},
                },
                "this benchmark",
            )
        )

    many, few = size(4096), size(128)
    gpu, cpu = trainer("cuda", many), trainer("cpu", few)
    race(
        f"training {kind} N=6 d=128 bch-63-51, batch {many}, bfloat16",
        f"the same on the CPU, batch {few}",
        lambda: [gpu.advance() for _ in range(10)],
        cpu.advance,
        10 * many,
        few,
        repeats=5,
        clock=time.perf_counter,
    )
