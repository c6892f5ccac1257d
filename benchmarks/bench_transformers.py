"""ECCT and CrossMPT against plain transcriptions of their authors' programs: a training step and inference.

The peer trains with the attention dropout that those programs apply, ours without. Ours runs in float32, or
with bfloat16 products if its caller uses torch.autocast.
"""

import pytest
import torch
import torch.nn.functional as F
from transcriptions import plain_of

import fecnn
from fecnn.nets.crossmpt import CrossMPT
from fecnn.nets.ecct import ECCT


def step_of(net, inputs, wrong, bfloat16=False):
    """A training step: forward, loss, backward, Adam."""
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)

    def step():
        net.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = net(*inputs)
        loss = F.binary_cross_entropy_with_logits(logits.float(), wrong)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def inference_of(net, inputs, bfloat16=False):
    def infer():
        net.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return net(*inputs).float()

    return infer


@pytest.mark.parametrize("bfloat16", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("width", [32, 128])
@pytest.mark.parametrize("name", ["bch-31-16", "bch-63-45"])
@pytest.mark.parametrize("net", [ECCT, CrossMPT])
@pytest.mark.parametrize("task", ["training", "inference"])
def test_transformer_against_its_transcription(task, net, name, width, bfloat16, race, benchmark):
    code = fecnn.load_code(name)
    timed = not benchmark.disabled
    frames = 128 if timed else 4
    torch.manual_seed(1)
    ours = net(code, layers=6 if timed else 2, width=width)
    peer = plain_of(ours)
    y = 1 + 0.6 * torch.randn(frames, code.n)
    magnitude, wrong = y.abs(), (y < 0).float()
    here, there = (magnitude, wrong), (magnitude, ours.syndrome(wrong))
    exact, logits = inference_of(peer, there)(), inference_of(ours, here)()
    assert torch.allclose(logits, exact, rtol=1e-4, atol=2e-5)
    if bfloat16:
        rounded = inference_of(ours, here, bfloat16)()
        assert (rounded - exact).abs().max() < 0.2
        agree = ((rounded > 0) == (exact > 0)).float().mean().item()
        assert agree > 0.98
        benchmark.extra_info.update(same_decisions=agree)
    both = (step_of(ours, here, wrong, bfloat16), step_of(peer, there, wrong))
    if task == "inference":
        both = (inference_of(ours, here, bfloat16), inference_of(peer, there))
    kind = "bfloat16" if bfloat16 else "float32"
    race(
        f"{task} {net.__name__} N=6 d={width} {name} {kind}",
        "plain transcription, float32",
        *both,
        frames,
        target=2.0 if task == "training" else 1.5,
        repeats=5,
    )
