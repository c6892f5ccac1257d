"""A page for each code of the catalogue: its parameters, what is proved of it, and its weight spectrum."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from math import comb
from typing import Any

import numpy as np

from fecnn import Code, code_names, load_code
from fecnn.codes.catalogue import code_file
from fecnn.codes.codefile import CodeFile
from fecnn.codes.registry import FAMILIES
from fecnn.nets.card import checkpoint_folder, read_card, zoo_names
from fecnn.theory.bounds import BOUNDS

from .markdown import contents, link, table
from .pictures import COLOURS, picture
from .studies import naming

DRAWN = (("tangential-sphere", "-"), ("kat", "--"), ("sphere-packing", ":"))
LOWEST = 1e-10

HEAD = """# Codes

The catalogue, as `fecnn codes` lists it.
All matrices, distances and spectra are checked by tests.
[Codes and decoders](/decoders.md#codes) says where else a code may come from.

"""


def spectrum_figure(spectrum: Mapping[int, int]) -> bytes:
    """Words by weight on a logarithmic scale."""
    words = {weight: count for weight, count in spectrum.items() if weight}

    def draw(axes: Any) -> None:
        axes.vlines(list(words), 0.5, [float(count) for count in words.values()], color=COLOURS[0], lw=2.5)
        axes.set(yscale="log", xlabel="weight", ylabel="codewords", ylim=(0.5, None), xlim=(0, None))

    return picture(draw)


def bounds_figure(code: Code) -> bytes:
    """What bounds say of the BLER of exact ML, and of any code of this size."""
    grid = np.arange(0.0, 8.1)

    def draw(axes: Any) -> None:
        for colour, (bound, kind) in zip(COLOURS, DRAWN, strict=False):
            values = np.array([BOUNDS[bound].value(code, ebn0_db) for ebn0_db in grid])
            shown = (values > LOWEST) & (values < 1)
            axes.plot(grid[shown], values[shown], kind, color=colour, label=BOUNDS[bound].label, lw=1.5)
        axes.set(yscale="log", xlabel="Eb/N0 [dB]", ylabel="BLER", ylim=(LOWEST, 1))

    return picture(draw)


def largest_distance(n: int, k: int) -> tuple[int, str]:
    """The largest minimum distance that the bounds of Griesmer and Hamming leave for a linear (n, k) code."""

    def griesmer(d: int) -> bool:
        return sum(-(-d // 2**i) for i in range(k)) <= n

    def hamming(d: int) -> bool:
        # Of even distance: the code without one bit has d - 1, which is odd.
        length, radius = n - (d % 2 == 0), (d - 1) // 2
        return 2**k * sum(comb(length, i) for i in range(radius + 1)) <= 2**length

    most = {
        name: max(d for d in range(1, n + 1) if holds(d))
        for name, holds in (("Griesmer", griesmer), ("Hamming", hamming))
    }
    name = min(most, key=lambda one: most[one])
    return most[name], name


def builder(file: CodeFile) -> str:
    if file.family not in FAMILIES:
        return "a file of matrices"
    given = ", ".join(f"{name}={value!r}" for name, value in file.parameters.items())
    return f"`fecnn.{file.family}({given})`"


def page(name: str) -> str:
    file = code_file(name)
    nets = [net for net in zoo_names() if read_card(checkpoint_folder(net)).code == name]
    most, whose = largest_distance(file.n, file.k)
    proof = f". {file.minimum_distance_proof}" if file.minimum_distance_proof else ""
    rows = [
        ("length n", file.n),
        ("dimension k", file.k),
        ("rate", f"{file.k / file.n:.4f}"),
        ("minimum distance", f"{file.minimum_distance or 'not known'}{proof}"),
        ("no linear code of this size has more than", f"d = {most} ({whose} bound)"),
        ("parity checks", f"{len(file.H)} rows"),
        ("family", builder(file)),
        ("source", file.source),
        ("studies", ", ".join(link("studies", study) for study in naming(name)) or "none"),
        ("networks", ", ".join(link("networks", net) for net in nets) or "none"),
        ("SHA-256 of G and H", f"`{file.sha256[:16]}`..."),
    ]
    load = f'```python\ncode = fecnn.load_code("{name}")\n```\n'
    text = f"# {name}\n\n{load}\n{table(('', ''), rows)}"
    if file.weight_spectrum is None:
        return f"{text}\n## Weight spectrum\n\nNot known.\n"
    text += f"\n## Bounds\n\n![Bounds on the BLER]({name}-bounds.svg)\n"
    counts = [(weight, f"{count:,}") for weight, count in sorted(file.weight_spectrum.items())]
    return f"{text}\n## Weight spectrum\n\n![Codewords by weight]({name}.svg)\n\n" + table(
        ("weight", "codewords"), counts
    )


def figures(name: str) -> dict[str, bytes]:
    """The figures of a code whose spectrum is known."""
    spectrum = code_file(name).weight_spectrum
    if spectrum is None:
        return {}
    return {
        f"codes/{name}.svg": spectrum_figure(spectrum),
        f"codes/{name}-bounds.svg": bounds_figure(load_code(name)),
    }


def pages() -> dict[str, str | bytes]:
    names = code_names()
    made: dict[str, str | bytes] = {f"codes/{name}.md": page(name) for name in names}
    with ProcessPoolExecutor() as processes:
        for found in processes.map(figures, names):
            made |= found
    rows = []
    for name in names:
        file = code_file(name)
        known = "yes" if file.weight_spectrum else ""
        rows.append(
            (
                link("codes", name),
                file.n,
                file.k,
                f"{file.k / file.n:.3f}",
                file.minimum_distance or "?",
                known,
            )
        )
    heads = ("code", "n", "k", "rate", "distance", "spectrum")
    return made | {"codes/index.md": HEAD + table(heads, rows) + contents(names)}
