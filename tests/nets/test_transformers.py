"""ECCT and CrossMPT: their sizes, their masks, and every number against the papers' equations in loops."""

import numpy as np
import oracles
import pytest
import torch
from shaken import shaken

import fecnn
from fecnn.codes import gf2
from fecnn.nets.crossmpt import CrossMPT
from fecnn.nets.ecct import ECCT
from fecnn.nets.edge_attention import Edges
from fecnn.nets.error_domain import check_matrix

NETS = [(ECCT, oracles.ecct), (CrossMPT, oracles.crossmpt)]
BOTH = pytest.mark.parametrize("net", [ECCT, CrossMPT])

# Counted on the authors' programs, the same for both: (layers, width) of each column.
SIZES = [(2, 32), (6, 32), (6, 64), (6, 128), (10, 128)]
PARAMETERS = {
    "bch-31-16": [28_498, 79_314, 304_626, 1_197_618, 1_990_706],
    "bch-63-45": [33_327, 84_143, 310_575, 1_205_807, 1_998_895],
    "polar-64-32": [34_849, 85_665, 312_577, 1_208_769, 2_001_857],
}


def frames(n, count=3, seed=7):
    rng = torch.Generator().manual_seed(seed)
    y = 1 + 0.7 * torch.randn(count, n, generator=rng)
    return y.abs(), (y < 0).to(torch.float32)


@BOTH
@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_as_many_as_published(net, name):
    code = fecnn.load_code(name)
    nets = [net(code, layers=layers, width=width) for layers, width in SIZES]
    assert [sum(p.numel() for p in one.parameters()) for one in nets] == PARAMETERS[name]


@pytest.mark.parametrize("name", ["hamming-7-4", "bch-15-7", "polar-16-8"])
@pytest.mark.parametrize("checks", ["H", "systematic", "light"])
def test_masks_follow_their_definition(name, checks):
    code = fecnn.load_code(name)
    ecct, cross = (net(code, layers=1, checks=checks) for net in (ECCT, CrossMPT))
    H = ecct.checks.numpy() == 1
    assert (ecct.edges.pairs.numpy() == oracles.ecct_pairs(H)).all()
    assert (cross.to_bits.pairs.numpy() == H).all()
    assert (cross.to_checks.pairs.numpy() == H.T).all()


def attended(edges, q, kv, mix, dtype):
    """The attention and the gradients of its inputs, in the given precision."""
    inputs = [x.to(dtype).requires_grad_() for x in (q, kv) if x is not None]
    mixed = edges(inputs[0], inputs[1] if len(inputs) > 1 else None, 2, 0.0)
    return [mixed, *torch.autograd.grad((mixed * mix.to(dtype)).sum(), inputs)]


@pytest.mark.parametrize("size", [1, 4, 6])
@pytest.mark.parametrize("batch", [0, 1, 16, 130])
@pytest.mark.parametrize("cross", [False, True])
def test_attention_edge_by_edge_equals_torch(size, batch, cross):
    """Float32 by our kernel, float64 by torch; source 0 is seen by none, query 3 sees all; sharp scores."""
    torch.manual_seed(5)
    L, M = 5, 3 if cross else 5
    pairs = torch.rand(L, M) < 0.5
    pairs[:, 0] = False
    pairs[3] = False
    edges = Edges(pairs)
    d = 2 * size
    q = 5 * torch.randn(batch, L, d if cross else 3 * d)
    kv = 5 * torch.randn(batch, M, 2 * d) if cross else None
    mix = torch.randn(batch, L, d)
    by_us, by_torch = (attended(edges, q, kv, mix, dtype) for dtype in (torch.float32, torch.float64))
    for ours, exact in zip(by_us, by_torch, strict=True):
        assert ours.dtype == torch.float32
        assert torch.allclose(ours.double(), exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("net", "equations"), NETS)
@pytest.mark.parametrize("name", ["hamming-7-4", "bch-15-7"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("shared", [False, True])
def test_forward_equals_the_equations(net, equations, name, layers, shared):
    code = fecnn.load_code(name)
    ours = shaken(net(code, layers=layers, shared=shared, width=16, heads=4)).eval()
    magnitude, hard = frames(code.n)
    weights = {key: value.double().numpy() for key, value in ours.state_dict().items()}
    if shared:
        weights |= {
            f"blocks.{layer}.{key.removeprefix('blocks.0.')}": value
            for layer in range(1, layers)
            for key, value in weights.items()
            if key.startswith("blocks.0.")
        }
    syndrome = 1 - 2 * (hard.numpy().astype(int) @ code.H.T.astype(int) % 2)
    expected = equations(code.H, weights, layers, 4, magnitude.numpy(), syndrome)
    with torch.no_grad():
        assert ours(magnitude, hard).numpy() == pytest.approx(expected, rel=1e-4, abs=2e-5)
        precise = ours.double()(magnitude.double(), hard.double()).numpy()
    assert precise == pytest.approx(expected, rel=1e-10, abs=1e-10)


@BOTH
def test_every_codeword_gives_the_same_logits(net, rng):
    code = fecnn.load_code("bch-15-7")
    ours = shaken(net(code, layers=2, width=16)).eval()
    noise = torch.from_numpy(1 + 0.7 * rng.standard_normal((5, code.n)).astype(np.float32))
    sent = torch.from_numpy(rng.choice(code.codebook(), 5))
    y = (1 - 2 * sent.float()) * noise
    with torch.no_grad():
        of_zero = ours(noise.abs(), (noise < 0).float())
        of_sent = ours(y.abs(), (y < 0).float())
    assert torch.equal(of_zero, of_sent)


@BOTH
def test_a_positive_logit_is_an_error(net):
    """Twenty steps on one batch must tell the wrong decisions from the right ones."""
    code = fecnn.load_code("hamming-7-4")
    torch.manual_seed(1)
    ours = net(code, layers=2, width=32)
    magnitude, hard = frames(code.n, 64)
    optimizer = torch.optim.Adam(ours.parameters(), lr=3e-3)
    for _ in range(20):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(ours(magnitude, hard), hard)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        logits = ours(magnitude, hard)
    assert logits[hard == 1].mean() > logits[hard == 0].mean() + 1


@BOTH
@pytest.mark.parametrize("layers", [1, 2])
def test_gradients_reach_every_parameter(net, layers):
    code = fecnn.load_code("bch-15-7")
    ours = shaken(net(code, layers=layers, width=16))
    ours(*frames(code.n)).square().sum().backward()
    for name, parameter in ours.named_parameters():
        gradient = parameter.grad.clone()
        if name.endswith("qkv.bias"):  # a bias of all keys moves no softmax
            gradient = torch.cat([gradient[:16], gradient[32:]])
        assert gradient.isfinite().all(), name
        assert (gradient != 0).any(), name


@BOTH
def test_dropout_is_of_training_only(net):
    code = fecnn.load_code("bch-15-7")
    plain, dropping = net(code, layers=1), net(code, layers=1, dropout=0.5)
    dropping.load_state_dict(plain.state_dict())
    inputs = frames(code.n)
    with torch.no_grad():
        expected = plain(*inputs)
        assert torch.equal(dropping.eval()(*inputs), expected)
        assert not torch.equal(dropping.train()(*inputs), expected)
        assert not torch.equal(dropping(*inputs), dropping(*inputs))


@BOTH
def test_a_state_is_weights_alone(net):
    code = fecnn.load_code("bch-15-7")
    ours = net(code, layers=2)
    assert set(ours.state_dict()) == {name for name, _ in ours.named_parameters()}


@BOTH
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"layers": 0}, "layers must be at least 1, got 0"),
        ({"heads": 0}, "heads must be at least 1, got 0"),
        ({"width": 30}, "width must be a positive multiple of heads = 8, got 30"),
        ({"width": 0}, "width must be a positive multiple of heads = 8, got 0"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
        ({"dropout": -0.1}, r"dropout must be in \[0, 1\), got -0.1"),
        ({"checks": "G"}, "checks must be one of H, systematic, light, got 'G'"),
        ({"orbits": 1}, "orbits must be at least 1, and is for checks = 'light'; got 1"),
        ({"checks": "light", "orbits": 0}, "orbits must be at least 1"),
    ],
)
def test_wrong_options(net, options, says):
    with pytest.raises(ValueError, match=says):
        net(fecnn.load_code("hamming-7-4"), **options)


@BOTH
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"shared": 1}, "shared must be true or false, got 1"),
        ({"checks": "light", "orbits": 1.0}, "orbits must be a whole number, got 1.0"),
        ({"checks": "light", "orbits": True}, "orbits must be a whole number, got True"),
    ],
)
def test_options_of_wrong_type(net, options, says):
    with pytest.raises(TypeError, match=says):
        net(fecnn.load_code("hamming-7-4"), **options)


@pytest.mark.parametrize("orbits", [1, 2, 15, None])
def test_orbits_of_light_checks(orbits):
    """The 465 dual words of weight 8 of BCH (31,16) are 15 orbits of shifts."""
    code = fecnn.load_code("bch-31-16")
    checks = check_matrix(code, "light", orbits)
    assert len(np.unique(checks, axis=0)) == len(checks) == 31 * (orbits or 15)
    assert (checks.sum(axis=1) == 8).all()
    assert not (code.codebook() @ checks.T.astype(int) % 2).any()
    assert gf2.rank(checks) == 15
    shifts = {np.roll(check, 1).tobytes() for check in checks}
    assert shifts == {check.tobytes() for check in checks}


def test_more_orbits_than_there_are():
    with pytest.raises(ValueError, match="bch-31-16 has 15 orbits of light checks, fewer than 16"):
        check_matrix(fecnn.load_code("bch-31-16"), "light", 16)


@BOTH
def test_too_many_tokens_are_refused_before_their_masks_are_made(net):
    with pytest.raises(ValueError, match="at most 8192 tokens, not 202057; use fewer checks"):
        net(fecnn.load_code("bch-127-64"), checks="light")


def test_too_few_orbits_span_too_little():
    """Without known automorphisms an orbit is a single check."""
    code = fecnn.Code.from_parity_check(np.array([[1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 1]]))
    with pytest.raises(ValueError, match=r"2 orbits of light checks have rank 2, and .* has n - k = 3"):
        check_matrix(code, "light", 2)
    assert gf2.rank(check_matrix(code, "light")) == 3
