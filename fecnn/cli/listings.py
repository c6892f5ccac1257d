"""Commands that list the codes, channels, decoders, networks and studies."""

import tomllib
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from fecnn._files.shipped import shipped
from fecnn.cli.documentation import print_documentation, wrapped
from fecnn.cli.options import shipped_names
from fecnn.cli.terminal import explained, table_console


def codes(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A code's name or file, to show its details.", autocompletion=shipped_names("codes")
        ),
    ] = None,
) -> None:
    """List the codes that ship with fecnn and the families of others, or show the details of one.

    Examples:

        fecnn codes

        fecnn codes bch-31-21

        fecnn codes nr_ldpc
    """
    from fecnn.codes.registry import FAMILIES

    with explained():
        if name is not None and name in FAMILIES:
            family = FAMILIES[name]
            print_documentation(f"In a study: code = {family.example_table}", family.build)
            return
        if name is not None:
            _describe_code(name)
            return
        listing = Table("code", "n", "k", "rate", "d", box=None, pad_edge=False)
        for known, path in shipped("codes").items():
            # The matrices come after what is shown of them.
            head = tomllib.loads(path.read_text(encoding="utf-8").partition("\nG = ")[0])
            n, k = head["n"], head["k"]
            listing.add_row(known, str(n), str(k), f"{k / n:.3f}", str(head.get("minimum_distance", "?")))
        console = table_console()
        console.print(listing)
        families = Table("family", "codes of other sizes, by a table in a study", box=None, pad_edge=False)
        for known, family in FAMILIES.items():
            families.add_row(known, family.summary.replace("``", ""))
        console.print()
        console.print(families)


def channels(
    name: Annotated[str | None, typer.Argument(help="A channel, to show its documentation.")] = None,
) -> None:
    """List the channels, or show the documentation and options of one.

    Examples:

        fecnn channels

        fecnn channels rayleigh
    """
    from fecnn.channels.registry import REGISTRY, built_in, channel_names, channel_rows, factory, options_of

    with explained():
        if name is not None:
            options = ", ".join(str(it) for it in options_of(name).values())
            about = [built_in(name)] if name in REGISTRY else []
            print_documentation(f"{name}: options {options or 'none'}", *about, factory(name))
            return
        listing = Table("channel", "what it is", box=None, pad_edge=False)
        ours = {known: what for known, what, _ in channel_rows()}
        for known in channel_names():
            listing.add_row(known, ours.get(known, "a plug-in"))
        table_console().print(listing)


def decoders(
    name: Annotated[str | None, typer.Argument(help="A decoder, to show its documentation.")] = None,
) -> None:
    """List the decoders, or show the documentation and options of one.

    Examples:

        fecnn decoders

        fecnn decoders osd
    """
    import inspect

    from fecnn.decoders.registry import decoder_names, factory, summaries

    with explained():
        if name is not None:
            make = factory(name, soft=name not in decoder_names() and name in decoder_names(soft=True))
            options = [
                str(p) for p in inspect.signature(make).parameters.values() if p.kind is p.KEYWORD_ONLY
            ]
            print_documentation(f"{name}: options {', '.join(options) or 'none'}", make)
            return
        listing = Table("decoder", "soft", "what it is", box=None, pad_edge=False)
        for known, (first, soft) in sorted(summaries().items()):
            listing.add_row(known, "yes" if soft else "", first)
        table_console().print(listing)


def nets(
    name: Annotated[
        str | None, typer.Argument(help="A network's name or training folder, to show its page.")
    ] = None,
) -> None:
    """List the trained networks that ship with fecnn, or show how one was trained and how good it is.

    Examples:

        fecnn nets

        fecnn nets fecnn-net-bch-31-16
    """
    from fecnn.nets.card import checkpoint_folder, read_card, zoo_names

    with explained():
        if name is not None:
            from fecnn.training.page import page

            typer.echo(
                page(read_card(checkpoint_folder(name)), "" if name in zoo_names() else name), nl=False
            )
            return
        heads = ("network", "code", "recipe", "parameters", "frames", "CPU [min]", "block errors over ML's")
        listing = Table(*(Column(Text(head)) for head in heads), box=None, pad_edge=False)
        for column in listing.columns[3:]:
            column.justify = "right"
        for known in zoo_names():
            card = read_card(checkpoint_folder(known))
            first = card.validations[-1].points[0]
            listing.add_row(
                known,
                card.code,
                card.config["recipe"] or "",
                f"{card.parameters:,}",
                f"{card.frames:,}",
                f"{card.cpu_seconds / 60:.1f}",
                f"{first.block_errors / max(first.ml_block_errors, 1):.2f} at {first.ebn0_db:g} dB",
            )
        table_console().print(listing)


def studies() -> None:
    """List the studies that ship with fecnn.

    Example:

        fecnn studies
    """
    with explained():
        listing = Table("study", "title", box=None, pad_edge=False)
        for known, path in shipped("studies").items():
            listing.add_row(known, Text(tomllib.loads(path.read_text(encoding="utf-8"))["title"]))
        table_console().print(listing)


def _describe_code(name: str) -> None:
    from fecnn.codes.catalogue import code_file, code_names, load_code
    from fecnn.codes.operations import counted

    code = counted(load_code(name))
    lines = [
        f"{code.name}: n = {code.n}, k = {code.k}, rate {code.rate:.4f}",
        f"fingerprint: {code.fingerprint}",
    ]
    if code.minimum_distance is not None:
        lines.append(f"minimum distance: {code.minimum_distance}")
    if name in code_names() or name.endswith(".toml"):
        file = code_file(name)
        lines += (
            [f"minimum distance by: {file.minimum_distance_proof}"] if file.minimum_distance_proof else []
        )
        lines += [f"source: {file.source}"] if file.source else []
    if code.known_spectrum is not None:
        counts = ", ".join(f"{weight}: {count}" for weight, count in enumerate(code.known_spectrum) if count)
        lines.append(f"weight spectrum: {counts}")
    typer.echo("\n".join(wrapped(line, table_console().width) for line in lines))
