"""A page for each code of the catalogue: its parameters, what is proved of it, and its weight spectrum."""

import io
from collections.abc import Mapping

from fecnn import code_names
from fecnn.codes.catalogue import code_file
from fecnn.codes.codefile import CodeFile
from fecnn.codes.registry import FAMILIES
from fecnn.nets.card import checkpoint_folder, read_card, zoo_names

from .markdown import contents, link, table
from .studies import naming

HEAD = """# Codes

The catalogue, as `fecnn codes` lists it.
All matrices, distances and spectra are checked by tests.
[Codes and decoders](/decoders.md#codes) says where else a code may come from.

"""


def spectrum_figure(spectrum: Mapping[int, int]) -> bytes:
    """Words by weight on a logarithmic scale, without a background, so that it suits a dark page too."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style = {"svg.hashsalt": "fecnn", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    colours = ("axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    with mpl.rc_context(style | dict.fromkeys(colours, "#888888")):
        figure = Figure(figsize=(6, 2.4), layout="constrained")
        axes = figure.add_subplot()
        words = {weight: count for weight, count in spectrum.items() if weight}
        axes.vlines(list(words), 0.5, [float(count) for count in words.values()], color="#3477b8", lw=2.5)
        axes.set(yscale="log", xlabel="weight", ylabel="codewords", ylim=(0.5, None), xlim=(0, None))
        picture = io.BytesIO()
        figure.savefig(picture, format="svg", transparent=True, metadata={"Date": None})
    return picture.getvalue()


def builder(file: CodeFile) -> str:
    if file.family not in FAMILIES:
        return "a file of matrices"
    given = ", ".join(f"{name}={value!r}" for name, value in file.parameters.items())
    return f"`fecnn.{file.family}({given})`"


def page(name: str) -> str:
    file = code_file(name)
    nets = [net for net in zoo_names() if read_card(checkpoint_folder(net)).code == name]
    proof = f". {file.minimum_distance_proof}" if file.minimum_distance_proof else ""
    rows = [
        ("length n", file.n),
        ("dimension k", file.k),
        ("rate", f"{file.k / file.n:.4f}"),
        ("minimum distance", f"{file.minimum_distance or 'not known'}{proof}"),
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
    counts = [(weight, f"{count:,}") for weight, count in sorted(file.weight_spectrum.items())]
    return f"{text}\n## Weight spectrum\n\n![Codewords by weight]({name}.svg)\n\n" + table(
        ("weight", "codewords"), counts
    )


def pages() -> dict[str, str | bytes]:
    names = code_names()
    made: dict[str, str | bytes] = {f"codes/{name}.md": page(name) for name in names}
    rows = []
    for name in names:
        file = code_file(name)
        if file.weight_spectrum is not None:
            made[f"codes/{name}.svg"] = spectrum_figure(file.weight_spectrum)
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
