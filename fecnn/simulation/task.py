"""A point of a curve as plain data, and the decoder that it asks for."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

from fecnn.channels.channel import channel_at
from fecnn.channels.stream import STREAM
from fecnn.codes.code import Code
from fecnn.decoders import decoder
from fecnn.decoders.foreign import running
from fecnn.nets.card import network_version
from fecnn.simulation.stop import Stop


@dataclass(frozen=True, eq=False)
class Task:
    """One point of one curve as plain data: everything that decides its counts.

    Tasks are equal if all of this is, types included: an option may be 1, 1.0 or true.

    code: Where the code is loaded from; its fingerprint is what counts.
    batch: Frames of a batch.
    source: The version of a decoder (`fecnn.decoders.foreign`), or of its network
        (`fecnn.nets.card.network_version`), that does not come with fecnn; None if it does.
    claims: What the code's file says of it and nobody has counted (`fecnn.codes.catalogue.claims`), if
        anything.
    sender, sender_fingerprint: Another code of the same words, whose frames this one sees (its words, its
        noise): where it is loaded from, and what counts; None if these are of the code itself.
    """

    code: str
    fingerprint: str
    channel: str
    decoder: str
    options: tuple[tuple[str, bool | int | float | str], ...]
    ebn0_db: float
    seed: int
    batch: int
    source: str | None = None
    claims: str | None = None
    sender: str | None = None
    sender_fingerprint: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @cached_property
    def _content(self) -> str:
        return repr(tuple(getattr(self, field.name) for field in fields(self)))

    @cached_property
    def id(self) -> str:
        """Names the result: a hash of everything but where the code was found."""
        return self.id_under(STREAM)

    def id_under(self, stream: int) -> str:
        """Its name when `STREAM` was this."""
        return self._digest("code", stream=stream)

    @cached_property
    def kin(self) -> str:
        """Names the point whichever version of the decoder decides."""
        return self._digest("code", "source")

    @property
    def versioned(self) -> bool:
        """Whether its decoder may have several versions under one name."""
        return self.source is not None or any(option == "weights_sha256" for option, _ in self.options)

    @cached_property
    def stream(self) -> str:
        """Names the noise: the same for every decoder and batch size."""
        sent = replace(self, fingerprint=self.sender_fingerprint or self.fingerprint, sender_fingerprint=None)
        return sent._digest("code", "decoder", "options", "batch", "source", "claims")

    def _digest(self, *without: str, stream: int = STREAM) -> str:
        content = {key: value for key, value in asdict(self).items() if key not in without}
        del content["sender"]
        for name in ("source", "claims", "sender_fingerprint"):
            if getattr(self, name) is None:
                content.pop(name, None)
        if any(option == "weights_sha256" for option, _ in self.options) and "options" in content:
            # Trained weights are what they are, wherever they lie.
            content["options"] = [(option, value) for option, value in self.options if option != "weights"]
        return hashlib.sha256(json.dumps({**content, "stream": stream}, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Point:
    """A task with its place in a study."""

    curve: str
    published: str | None
    code: Code
    task: Task
    stop: Stop

    @property
    def ebn0_db(self) -> float:
        """Of its task."""
        return self.task.ebn0_db


@dataclass(frozen=True)
class RarePoint:
    """A point of exact ML over AWGN that is estimated by `fecnn.ml_bler`, with its place in a study."""

    curve: str
    published: str | None
    code: Code
    ebn0_db: float
    rel_error: float
    seed: int
    claims: str | None = None

    @property
    def content(self) -> dict[str, object]:
        """Everything that decides the estimate."""
        said = {} if self.claims is None else {"claims": self.claims}
        return said | {
            "method": "rare",
            "fingerprint": self.code.fingerprint,
            "ebn0_db": self.ebn0_db,
            "rel_error": self.rel_error,
            "seed": self.seed,
            "stream": STREAM,
        }

    @property
    def id(self) -> str:
        """Names the estimate: a hash of its content."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


def build_decoder(task: Task, code: Code) -> Any:
    """The decoder of a task.

    Raises:
        ValueError: If its code, or its network, is not the version that the task was made for.
    """
    channel = channel_at(task.channel, task.ebn0_db, code.rate)
    options = dict(task.options)
    if "weights_sha256" in options:
        weights = str(options["weights"])
        if network_version(weights) != task.source:
            raise ValueError(f"the card of {weights} has changed since the study was loaded; load it again")
    elif task.source is not None:
        with running(task.decoder, task.source):
            return decoder(task.decoder, code, channel, **options)
    return decoder(task.decoder, code, channel, **options)
