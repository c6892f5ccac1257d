"""Compiling ahead what a study or decoder needs; Numba keeps the code on disk for later processes."""

from collections.abc import Callable, Sequence

import numpy as np

from fecnn.channels.awgn import AWGN
from fecnn.codes.catalogue import load_code
from fecnn.decoders import decoder, soft_decoder
from fecnn.decoders.foreign import foreign, whose_code_runs
from fecnn.decoders.registry import REGISTRY, decoder_names, factory
from fecnn.errors import nearest
from fecnn.jit import compiling
from fecnn.simulation.simulate import curve_places, one_torch_thread, prepared
from fecnn.studies.study import Study, load_study, study_names

CODES = ("hamming-7-4", "bch-31-16", "polar-64-32", "bch-63-45", "ebch-128-64")
"""Together these codes cover all decoder variants: codebook, trellis, search; algebra, tables, lists."""

EBN0_DB = 3.0


def warm_up(names: Sequence[str] = (), tell: Callable[[str], None] = lambda line: None) -> None:
    """Build and compile decoders by decoding a few frames; already compiled code takes no time.

    Args:
        names: Studies (name or file) and decoders (name or ``module:function``); by default all built-in
            decoders.
        tell: Called with a line for each decoder whose code is not fecnn's, before it runs.

    Raises:
        LookupError: If there is no such study or decoder.
        ValueError: If a study asks for something impossible.
    """
    one_torch_thread()
    known = sorted({*decoder_names(), *decoder_names(soft=True)})
    wanted = names or sorted(REGISTRY)
    for i, name in enumerate(wanted, 1):
        if name in known or ":" in name:
            if (found := foreign(name)) is not None:
                tell(whose_code_runs(name, found))
            with compiling.for_(f"{name} ({i} of {len(wanted)})"):
                _warm_up_decoder(name)
        elif name in study_names() or "/" in name or name.endswith(".toml"):
            study = load_study(name)
            for foreigner, it in study.foreign.items():
                tell(whose_code_runs(foreigner, it))
            _warm_up_study(study)
        else:
            raise LookupError(f"no study or decoder {name!r}; {nearest(name, [*known, *study_names()])}")


def _warm_up_study(study: Study) -> None:
    names = curve_places(study.points)
    for point in {point.curve: point for point in study.points}.values():
        with compiling.for_(names[point.task.id]):
            prepared(point.task)


def _warm_up_decoder(name: str) -> None:
    if ":" in name:
        factory(name)  # an invalid name must fail here, not be taken for an unsuitable code
    rng = np.random.default_rng(1)
    for code_name in CODES:
        code = load_code(code_name)
        channel = AWGN.at(EBN0_DB, code.rate)
        codewords = code.encode(rng.integers(0, 2, (4, code.k), dtype=np.uint8))
        llr = channel.transmit(codewords, rng)
        for make, soft in ((decoder, False), (soft_decoder, True)):
            if name not in decoder_names(soft=soft) and (soft or ":" not in name):
                continue
            try:
                decode = make(name, code, channel)
            except (ValueError, LookupError, TypeError):
                continue  # not suitable for this code
            for frames in (llr, 100 * llr, 0 * llr):  # unusual frames take other branches
                decode(frames)
