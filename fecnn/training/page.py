"""How a training went: one-line summaries, and the page of a trained network."""

import json
import math

from fecnn.intervals import proportion_interval
from fecnn.nets.card import Card, Validated, Validation

PUBLISHED_FRAMES = {"ecct": 128_000_000, "crossmpt": 128_000_000}
"""Frames used in the published trainings: 1,000 epochs of 1,000 batches of 128."""


def sentence(validation: Validation) -> str:
    """A validation in one line: BLER of the network with its 95 % interval, and BLER of exact ML."""
    points = [f"{p.ebn0_db:g} dB: BLER {_rate(p.block_errors, p)}, ML {_ml(p)}" for p in validation.points]
    return "; ".join([f"step {validation.step:,}, loss {validation.loss:.5f}", *points])


def page(card: Card, folder: str = "") -> str:
    """The README of a trained network, in Markdown.

    Args:
        card: Its card.
        folder: Where it is, as its user says it; empty if it ships with fecnn.
    """
    budget = f"{card.frames:,} frames ({card.step:,} steps of {card.config['batch']})"
    published = PUBLISHED_FRAMES.get(card.model.kind)
    if published:
        budget += f", {card.frames / published:.2%} of the {published:,} frames of the published training"
    options = ", ".join(f"{key} = {json.dumps(value)}" for key, value in card.model.options.items())
    rows = [
        f"| {p.ebn0_db:g} | {p.frames:,} | {p.block_errors:,} | {_rate(p.block_errors, p)} | {_ml(p)} "
        f"| {_log(p.code_bit_errors, p, card)} | {_log(p.ml_code_bit_errors, p, card)} |"
        for p in (card.validations[-1].points if card.validations else ())
    ]
    return "\n".join(
        [
            f"# {card.name}",
            "",
            f"`{card.model.kind}` ({options}) for {card.code}, {card.parameters:,} parameters.",
            f"Recipe: {card.config['recipe'] or 'its own'}. Training: {budget}, "
            f"{card.cpu_seconds / 60:.1f} minutes of one CPU core.",
            *_left(card),
            "",
            "```python",
            f"code = fecnn.load_code({_place(card)})",
            "channel = fecnn.AWGN.at(4.0, code.rate)",
            f'decode = fecnn.decoder("{card.model.kind}", code, channel, weights="{folder or card.name}")',
            "```",
            "",
            *(
                []
                if folder
                else [f"`fecnn train {card.name}` trains it again, from [train.toml](train.toml).", ""]
            ),
            "![learning curve](curve.svg)",
            "",
            "At the end, on the validation frames (the studies have far more of them):",
            "",
            "| Eb/N0 [dB] | frames | block errors | BLER [95 %] | exact ML | -ln(BER) | exact ML |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _place(card: Card) -> str:
    """The code as the training was given it."""
    return json.dumps(card.config["code"], ensure_ascii=False)


def _left(card: Card) -> list[str]:
    """How long it would take to train as long as published, in a sentence, if it is not done."""
    left = PUBLISHED_FRAMES.get(card.model.kind, 0) - card.frames
    if left <= 0 or not card.frames:
        return []
    hours = left * card.cpu_seconds / card.frames / 3600
    return [f"The other {left:,} frames would take {hours:,.1f} hours at this pace."]


def _rate(errors: int, point: Validated) -> str:
    low, high = proportion_interval(errors, point.frames)
    return f"{errors / point.frames:.2e} [{low:.1e}, {high:.1e}]"


def _ml(point: Validated) -> str:
    return f"{point.ml_block_errors / point.frames:.2e}"


def _log(bit_errors: int, point: Validated, card: Card) -> str:
    """-ln of the BER over code bits."""
    return f"{-math.log(bit_errors / point.frames / _length(card)):.2f}" if bit_errors else "no errors"


def _length(card: Card) -> int:
    from fecnn.codes.catalogue import load_code

    return load_code(card.config["code"]).n
