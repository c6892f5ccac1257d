"""A point of a curve as plain data, and building its decoder."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from fecnn.arrays import LLR, Bits
from fecnn.channels.axis import EBN0, Axis
from fecnn.channels.channel import Channel
from fecnn.channels.contract import refuse_unaddressed
from fecnn.channels.receiver import Receiver
from fecnn.channels.registry import Named, channel_at, parts_of, sent_over, told
from fecnn.channels.stream import STREAM
from fecnn.codes.catalogue import Recipe, recipe
from fecnn.codes.code import Code
from fecnn.decoders import decoder
from fecnn.decoders.built import BuiltDecoder
from fecnn.decoders.contract import Effort
from fecnn.decoders.foreign import running
from fecnn.decoders.registry import REGISTRY
from fecnn.errors import CheckpointError
from fecnn.nets.card import network_version, weights_digest
from fecnn.simulation.stop import Stop

Options = tuple[tuple[str, bool | int | float | str], ...]

_OURS = {*REGISTRY, *(place.partition(":")[0] for place in REGISTRY.values())}
"""Decoders that ship with fecnn, and their modules."""


@dataclass(frozen=True)
class Weights:
    """Trained weights of a decoder: their location, and their SHA-256, which identifies them."""

    place: str
    sha256: str


@dataclass(frozen=True, eq=False)
class Task:
    """One point of one curve as plain data: everything that determines its counts.

    Tasks are equal if all fields are, including types: an option may be 1, 1.0 or true.

    code: Where the code is loaded from; its fingerprint identifies it.
    options: The decoder's options, in order, without its weights.
    batch: Frames per batch.
    weights: The weights of a trained decoder.
    source: The version of a decoder (`fecnn.decoders.foreign`), or of its network
        (`fecnn.nets.card.network_version`), that does not ship with fecnn; None if it does.
    claims: Unverified statements in the code's file (`fecnn.codes.catalogue.claims`), if any.
    home: The folder of a decoder that is named by its file; None for any other.
    channel: The channel's name, or pairs of its options, with ``name`` among them.
    channel_source: The version of a channel that does not ship with fecnn; None if it does.
    channel_home: The folder of a channel that is named by its file; None for any other.
    receiver: The options of a `fecnn.Receiver` between channel and decoder, in order; empty for none.
    sender, sender_fingerprint: Where another code with the same codewords is loaded from, and its
        fingerprint, if this task sees that code's frames (codewords and noise); None otherwise.
    """

    code: str | Recipe
    fingerprint: str
    channel: Named
    decoder: str
    options: Options
    ebn0_db: float
    seed: int
    batch: int
    weights: Weights | None = None
    source: str | None = None
    claims: str | None = None
    sender: str | Recipe | None = None
    sender_fingerprint: str | None = None
    home: str | None = None
    channel_source: str | None = None
    receiver: Options = ()
    channel_home: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @cached_property
    def _content(self) -> str:
        return repr(tuple(getattr(self, field.name) for field in fields(self)))

    @cached_property
    def id(self) -> str:
        """Identifies the result: a hash of everything except where the code was found."""
        return self.id_under(STREAM)

    def id_under(self, stream: int) -> str:
        """The id that this task had under another version of `STREAM`."""
        return self._digest("code", stream=stream)

    @cached_property
    def kin(self) -> str:
        """Identifies the point regardless of the versions of its decoder and its channel."""
        return self._digest("code", "source", "channel_source")

    @property
    def versioned(self) -> bool:
        """Whether its decoder or its channel may exist in several versions under one name."""
        return (self.source, self.weights, self.channel_source) != (None, None, None)

    def called(self, part: str) -> str:
        """The name of its ``decoder``, or of its ``channel``."""
        return self.decoder if part == "decoder" else f"channel {parts_of(self.channel)[0]}"

    @property
    def told_channel(self) -> str:
        """Its channel with options, as tables show it."""
        return told(self.channel)

    @property
    def told_options(self) -> Options:
        """The decoder's options as stored in results, including the weights and their SHA-256."""
        if self.weights is None:
            return self.options
        told = ("weights", self.weights.place), ("weights_sha256", self.weights.sha256)
        return tuple(sorted((*self.options, *told)))

    @property
    def all_options(self) -> dict[str, Any]:
        """The options of its decoder, and those of its receiver if it has one, as tables show them."""
        return dict(self.told_options) | ({"receiver": dict(self.receiver)} if self.receiver else {})

    @property
    def identifying_options(self) -> Options:
        """The decoder's options; trained weights by their content, not their location."""
        if self.weights is None:
            return self.options
        return tuple((name, value) for name, value in self.told_options if name != "weights")

    def described(self) -> dict[str, Any]:
        """All fields as plain data, as stored in results files; the inverse is `of`."""
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        del content["weights"]
        return {**content, "options": self.told_options}

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "Task":
        """The task with this description.

        Raises:
            LookupError, TypeError, ValueError: If the description is invalid.
        """
        options = {name: value for name, value in described["options"]}
        if len(options) != len(described["options"]):
            raise ValueError("an option appears twice")
        weights = None
        # A foreign decoder may have an option of this name.
        if "weights_sha256" in options and str(described["decoder"]).partition(":")[0] in _OURS:
            weights = Weights(options.pop("weights"), options.pop("weights_sha256"))
        places = {name: _place(described.get(name)) for name in ("code", "sender")}
        places |= {name: _pairs(described.get(name, ())) for name in ("channel", "receiver")}
        parts_of(places["channel"])
        Receiver(**dict(places["receiver"]))
        return cls(**{**described, **places, "options": tuple(options.items()), "weights": weights})

    @cached_property
    def stream(self) -> str:
        """Identifies the noise: the same for every decoder, receiver, demapper and batch size."""
        sent = replace(
            self,
            fingerprint=self.sender_fingerprint or self.fingerprint,
            sender_fingerprint=None,
            channel=sent_over(self.channel),
        )
        return sent._digest("code", "decoder", "options", "batch", "source", "claims", "receiver")

    def _digest(self, *without: str, stream: int = STREAM) -> str:
        content = {key: value for key, value in self.described().items() if key not in without}
        del content["sender"], content["home"], content["channel_home"]
        for name in ("source", "claims", "sender_fingerprint", "channel_source"):
            if getattr(self, name) is None:
                content.pop(name, None)
        if not self.receiver:
            content.pop("receiver", None)
        if "options" in content:
            content["options"] = self.identifying_options
        return hashlib.sha256(json.dumps({**content, "stream": stream}, sort_keys=True).encode()).hexdigest()


def _place(described: Any) -> Any:
    """Where a code is, of what JSON has made of it."""
    return recipe({str(key): value for key, value in described}) if isinstance(described, list) else described


def _pairs(described: Any) -> Any:
    """Pairs of names and values, of what JSON has made of them."""
    return tuple((str(key), value) for key, value in described) if isinstance(described, list) else described


@dataclass(frozen=True)
class Point:
    """A task with its place in a study."""

    curve: str
    published: str | None
    code: Code
    task: Task
    stop: Stop
    axis: Axis = EBN0

    @property
    def ebn0_db(self) -> float:
        """Eb/N0 of its task, in dB."""
        return self.task.ebn0_db

    @property
    def at(self) -> float:
        """Its place on the study's axis."""
        return self.axis.value(self.ebn0_db, self.code.n, self.code.k, self.task.channel)

    @property
    def said(self) -> str:
        """Its place in a sentence, such as ``3 dB``."""
        return self.axis.said(self.at)


@dataclass(frozen=True)
class RarePoint:
    """A point over AWGN that is estimated, with its place in a study.

    `fecnn.ml_bler` estimates the decoder ``ml``, and `fecnn.rare_bler` any other.
    """

    curve: str
    published: str | None
    code: Code
    task: Task
    rel_error: float
    axis: Axis = EBN0

    @property
    def ebn0_db(self) -> float:
        """Eb/N0 of its task, in dB."""
        return self.task.ebn0_db

    @property
    def at(self) -> float:
        """Its place on the study's axis."""
        return self.axis.value(self.ebn0_db, self.code.n, self.code.k, self.task.channel)

    @property
    def said(self) -> str:
        """Its place in a sentence, such as ``3 dB``."""
        return self.axis.said(self.at)

    @property
    def seed(self) -> int:
        """The seed of its random numbers."""
        return self.task.seed

    @property
    def content(self) -> dict[str, object]:
        """Everything that determines the estimate."""
        task = self.task
        content: dict[str, object] = {
            "method": "rare",
            "fingerprint": task.fingerprint,
            "ebn0_db": task.ebn0_db,
            "rel_error": self.rel_error,
            "seed": task.seed,
            "stream": STREAM,
        }
        if task.claims is not None:
            content["claims"] = task.claims
        if task.decoder != "ml":
            content |= {"decoder": task.decoder, "options": dict(task.identifying_options)}
        if task.source is not None:
            content["source"] = task.source
        return content

    @property
    def id(self) -> str:
        """Identifies the estimate: a hash of its content."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


def build_channel(task: Task, code: Code) -> Channel:
    """The channel of a task.

    Raises:
        ValueError: If it is not the version that the task was made for.
        ContractError: If one that does not ship with fecnn makes no frames that can be made again.
    """
    if task.channel_source is None:
        return channel_at(task.channel, task.ebn0_db, code.rate)
    name = parts_of(task.channel)[0]
    with running(name, task.channel_source, task.channel_home, kind="channel"):
        channel = channel_at(task.channel, task.ebn0_db, code.rate)
        refuse_unaddressed(name, channel, code.n)
    return channel


class Received:
    """A decoder behind a receiver, which changes the LLRs that it sees.

    Args:
        receiver: The receiver.
        decode: The decoder.
    """

    def __init__(self, receiver: Receiver, decode: BuiltDecoder) -> None:
        self.function = decode.function
        self._receiver, self._decode = receiver, decode

    def __call__(self, llr: LLR) -> Bits:
        """The decisions on LLRs (B, n) of the channel."""
        return self._decode(self._receiver(llr))

    def measure(self, llr: LLR) -> tuple[Bits, Effort]:
        """The decisions, and the decoder's effort."""
        return self._decode.measure(self._receiver(llr))


def build_decoder(task: Task, code: Code) -> BuiltDecoder | Received:
    """The decoder of a task, behind its receiver if it has one.

    Raises:
        ValueError: If its code or network is not the version that the task was made for.
    """
    channel = build_channel(task, code)
    if not task.receiver:
        return _decoder_over(channel, task, code)
    receiver = Receiver(**dict(task.receiver))  # type: ignore[arg-type]
    return Received(receiver, _decoder_over(receiver.believed(channel), task, code))


def _decoder_over(channel: Channel | None, task: Task, code: Code) -> BuiltDecoder:
    """The decoder of a task, told this channel."""
    options: dict[str, Any] = dict(task.options)
    if task.weights is not None:
        place = options["weights"] = task.weights.place
        if (found := weights_digest(place)) != task.weights.sha256:
            raise CheckpointError(
                f"the weights of {place} have SHA-256 {found}, not the {task.weights.sha256} of this study"
            )
        if network_version(place) != task.source:
            raise ValueError(f"the card of {place} has changed since the study was loaded; load it again")
    elif task.source is not None:
        with running(task.decoder, task.source, task.home):
            return decoder(task.decoder, code, channel, **options)
    return decoder(task.decoder, code, channel, **options)
