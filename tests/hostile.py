"""Hostile files for every loader, and what a loader may do with them.

A target makes mutants of sound files and judges what its loader makes of one: something sound, or an error of
the documented kind that says what is wrong and in which file. Anything else is a `Fault`, and so is a loader
that takes long or asks for much memory. The files of the last case stay in the target's folder.
"""

import contextlib
import copy
import faulthandler
import functools
import hashlib
import io
import json
import math
import os
import pickle
import re
import sqlite3
import struct
import time
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from safetensors.numpy import save as save_arrays

import fecnn
from fecnn.analysis.compare import compare
from fecnn.analysis.table import table
from fecnn.codes.alist import read_alist, write_alist
from fecnn.codes.codefile import save_code
from fecnn.errors import CheckpointError, StoreError
from fecnn.nets.card import CARD, WEIGHTS, Card, Model, read_card
from fecnn.nets.checkpoint import build, checks_digest, load, parameter_count, save
from fecnn.simulation.store import Store
from fecnn.simulation.tally import COUNTS, Tally
from fecnn.studies.reference import COLUMNS, read_references
from fecnn.studies.study import load_study
from fecnn.training.recipe import load_training, training_of

MOST_SECONDS = 5.0
"""Processor time that one case may take: far beyond what any needs, far below what a hang takes."""

MOST_BYTES = 1 << 30
"""Address space that a loader may ask for beyond what the process has."""

LONGEST_MESSAGE = 10_000


class Fault(AssertionError):
    """A loader did what it must not."""


# Mutants of bytes

NUMBERS = (
    b"0 1 -1 2 3 7 8 15 255 256 16384 16385 32768 65536 999999999 2147483648 4294967296 9223372036854775807 "
    b"9223372036854775808 18446744073709551616 1e9 1e308 1e999 1e-999 -0.0 1.5 .5 5. 1_0 0x10 nan inf -inf "
    b"NaN Infinity 1e-320 +1 00 \xd9\xa1"
).split()
LONG_NUMBERS = (b"9" * 400, b"9" * 5000, b"0x" + b"f" * 5000, b"0." + b"3" * 5000, b"1" * 70_000)
SPANS = (1, 1, 1, 2, 3, 4, 8, 16, 64, 256)


def spoilt(rng, content, tokens):
    """Bytes with a few spans flipped, cut, doubled, swapped, or replaced by tokens or noise."""
    text = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 9))):
        start = rng.randrange(len(text) + 1)
        stop = min(len(text), start + rng.choice(SPANS))
        kind = rng.randrange(12)
        if kind == 0 and start < stop:
            text[start] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del text[start:stop]
        elif kind == 2:
            text[start:start] = rng.choice(tokens)
        elif kind == 3:
            text[start:stop] = rng.choice(tokens)
        elif kind == 4:
            text[start:stop] = rng.randbytes(rng.choice(SPANS))
        elif kind == 5:
            text[start:start] = text[start:stop] * rng.choice((1, 1, 2, 5, 300))
        elif kind == 6:
            again = rng.randrange(len(text) + 1)
            other = text[again : again + rng.choice(SPANS)]
            text[start:stop] = other
        elif kind in (7, 8):
            numbers = list(re.finditer(rb"\d+", text[:20_000]))
            if numbers:
                span = rng.choice(numbers).span()
                text[slice(*span)] = rng.choice(LONG_NUMBERS if rng.random() < 0.05 else NUMBERS)
        elif kind == 9 and rng.random() < 0.4:
            del text[start:]
        elif kind == 10:
            lines = bytes(text).split(b"\n")
            one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
            text[:] = b"\n".join(lines)
        elif kind == 11:
            lines = bytes(text).split(b"\n")
            line = rng.randrange(len(lines))
            lines[line : line + 1] = [lines[line]] * rng.choice((0, 0, 2, 2, 3, 50))
            text[:] = b"\n".join(lines)
    return bytes(text)


def noise(rng):
    """Bytes of no meaning, or text of a small alphabet."""
    if rng.random() < 0.5:
        return rng.randbytes(rng.choice((0, 1, 2, 10, 100, 1000)))
    return bytes(rng.choices(b'0123 \n\t-.,"=[]{}#', k=rng.choice((1, 5, 30, 200))))


# Mutants of trees: tables and lists, as TOML or JSON


class Raw(str):
    """Text that stands in a file as it is."""


# fmt: off
LEAVES = (
    0, 1, -1, 2, 3, 4, 7, 8, 100, 16384, 16385, 10**5, 10**9, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63),
    10**30, 0.0, -0.0, 0.5, 1.0, 1.5, -1.5, 1e9, 1e308, 1e-308, math.nan, math.inf, -math.inf, True, False,
    "", " ", "x", "7", "ml", "\0", "\x7f", "é", "a\nb", "../../..", "/", "./", "/dev/null", "x.toml",
    "\0.alist", "./\0", "x" * 300 + ".toml", "hostile.toml", "a" * 20_000, "[]", "{}",
    "uncoded", "hamming-7-4", "spc-3",
    "repetition-16384", "uncoded-99999999", "bch-15-7", "os:system", ":", "a:", ":b", "1" * 5000,
    [], [[]], [0], [1, 1], [-1], [10**9], [0.5], ["x"], [[0, 1], [1]], {}, {"a": 1},
    {"": 1}, {"a": {"b": []}}, Raw("9" * 5000), Raw("0x" + "f" * 5000),
    Raw("[" * 3000 + "]" * 3000), Raw("1979-05-27T07:32:00Z"),
    Raw("0b1"), Raw("1979-13-27"), Raw("null"), Raw("00:00:61"), Raw("1e999"), Raw("0o7"), Raw("'''x'''"),
    Raw("?"), Raw(""),
)
# fmt: on
MANY = (1, 2, 3, 100, 3000)


def slots(tree):
    """Every place of a tree, as its container and key."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from slots(tree[key])


def warped(rng, tree, words):
    """A tree with a few values and keys replaced, dropped, moved, repeated or wrapped."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6))):
        places = list(slots(tree))
        if not places:
            break
        where, key = rng.choice(places)
        kind = rng.randrange(10)
        if kind <= 3:
            where[key] = copy.deepcopy(rng.choice(words if words and rng.random() < 0.3 else LEAVES))
        elif kind == 4:
            del where[key]
        elif kind == 5:
            there, other = rng.choice(places)
            where[key] = copy.deepcopy(there[other])
        elif kind == 6 and isinstance(where, dict):
            name = rng.choice(words) if words else "x"
            where[name if isinstance(name, str) else "x"] = where.pop(key)
        elif kind == 7 and isinstance(where[key], list):
            where[key] = where[key] * rng.choice(MANY)
        elif kind == 7 and isinstance(where[key], int) and not isinstance(where[key], bool):
            where[key] += rng.choice((-1, 1, 8, 1 << 20, 1 << 40))
        elif kind == 8:
            where[key] = rng.choice(([where[key]], {"a": where[key]}))
        elif kind == 9 and isinstance(where, list):
            where.insert(key, copy.deepcopy(where[key]))
        elif kind == 9:
            name = rng.choice(words) if words else "x"
            where[name if isinstance(name, str) else "x"] = rng.choice(LEAVES)
    return tree


def text_of(value, equals):
    """A value as TOML (``equals`` is " = ") or JSON (": ")."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        items = (f"{json.dumps(str(key))}{equals}{text_of(entry, equals)}" for key, entry in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(text_of(entry, equals) for entry in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return repr(value)


def toml(tree):
    lines = (f"{json.dumps(str(key))} = {text_of(value, ' = ')}\n" for key, value in tree.items())
    return "".join(lines).encode("utf-8", "surrogatepass")


def as_json(tree):
    return text_of(tree, ": ").encode("utf-8", "surrogatepass")


# Targets


class Target:
    """One kind of input: how mutants of it are made, and how it is loaded.

    named: What a refusal must name.
    refusals: The errors that are documented, exactly: a KeyError is no LookupError that somebody thought of.
    """

    named: ClassVar[str]
    refusals: ClassVar[tuple[type[Exception], ...]] = (ValueError,)

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.present = set()
        self.prepare()

    def prepare(self):
        """Make the sound files."""

    def sound(self):
        """Sound inputs, as what `files` takes."""
        raise NotImplementedError

    def mutant(self, rng):
        """The files of one case, by name."""
        raise NotImplementedError

    def files(self, content):
        """The files of a case that is one string of bytes."""
        return {self.named: content}

    def load(self):
        """Load what lies in the folder, and assert that it is sound."""
        raise NotImplementedError

    def judge(self, files):
        """Whether the loader took the files; a `Fault` if it did what it must not."""
        for name in self.present - files.keys():
            (self.folder / name).unlink(missing_ok=True)
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        self.present = set(files)
        begun, taken = time.process_time(), True
        try:
            self.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # Rust panics are no Exceptions
            taken = False
            if problem := self.problem(error):
                raise Fault(f"{type(self).__name__}: {problem}; files: {shown(files)}") from error
        if (seconds := time.process_time() - begun) > MOST_SECONDS:
            raise Fault(f"{type(self).__name__}: took {seconds:.1f} s; files: {shown(files)}")
        return taken

    def problem(self, error):
        """What is wrong with an error, if anything."""
        message = str(error)
        if type(error) not in self.refusals:
            return f"{type(error).__name__} is not a documented error: {message[:300]}"
        if self.named not in message:
            return f"{type(error).__name__} does not name the file: {message[:300]!r}"
        if len(message) > LONGEST_MESSAGE:
            return f"a message of {len(message)} characters: {message[:300]}"
        return ""


def shown(files):
    return {
        name: content if len(content) < 3000 else content[:3000] + b"..." for name, content in files.items()
    }


def check(condition, what):
    if not condition:
        raise Fault(what)


def check_code(code):
    check(code.G.shape == (code.k, code.n) and code.k >= 1, "shape of G")
    if code.n <= 1000:  # the tables that encode a long code are large
        check(not code.syndrome(code.G).any(), "G H^T is not 0")


class Alist(Target):
    named = "hostile.alist"
    TOKENS = (*b" |\n|\r\n|\t|0 | 0\n|\n\n|\xff|\0|-|1|\xc2\xa0".split(b"|"), *NUMBERS)

    def prepare(self):
        self.texts = []
        for H in (
            [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]],
            fecnn.hamming(3).H,
            [[0, 0], [1, 1]],
            [[1, 1, 1]],
        ):
            write_alist(H, self.folder / "sound.alist")
            self.texts.append((self.folder / "sound.alist").read_bytes())
        self.texts.append(b"3 2\n2 2\n1 2 1\n2 2\n1\n1 2\n2\n1 2\n2 3\n")

    def sound(self):
        return self.texts

    def mutant(self, rng):
        if rng.random() < 0.05:
            return self.files(noise(rng))
        if rng.random() < 0.3:  # whole numbers of the lists changed: what a slip makes
            lines = [line.split() for line in rng.choice(self.texts).split(b"\n")]
            for _ in range(rng.choice((1, 1, 2, 3))):
                line = rng.choice(lines)
                if line:
                    line[rng.randrange(len(line))] = rng.choice(
                        (b"0", b"1", b"2", b"3", b"4", rng.choice(NUMBERS))
                    )
            return self.files(b"\n".join(map(b" ".join, lines)))
        return self.files(spoilt(rng, rng.choice(self.texts), self.TOKENS))

    def load(self):
        path = self.folder / self.named
        H = read_alist(path)
        lines = path.read_text().split("\n")[4:]
        for line, members in zip(lines, [*H.T, *H], strict=False):
            check({int(token) for token in line.split()} - {0} == {*np.flatnonzero(members) + 1}, "lists")
        check(H.dtype == np.uint8 and H.ndim == 2 and H.max(initial=0) <= 1, "no matrix of bits")
        write_alist(H, self.folder / "again.alist")
        check(np.array_equal(read_alist(self.folder / "again.alist"), H), "no round trip")
        check_code(fecnn.load_code(str(path)))


class TomlTarget(Target):
    """Mutants of TOML: of its text, and of what it says."""

    named = "hostile.toml"
    TOKENS = (
        *b"""" ' = [ ] [[ ]] { } , . # \\ \\u \\uD800 \xff \0 \xef\xbb\xbf""".split(b" "),
        *b"true false nan -inf e9 - _ 1979-05-27".split(),
        *(b'"""', b" = ", b"\n", b"\r", b"{ a = 1 }", b"[1]", b"[" * 3000, b"a." * 3000, b"{a=" * 1000),
        *NUMBERS,
    )
    trees: list
    words: list

    def sound(self):
        return [toml(tree) for tree in self.trees]

    def mutant(self, rng):
        kind = rng.random()
        if kind < 0.03:
            return self.files(noise(rng))
        tree = rng.choice(self.trees)
        if kind < 0.65:
            return self.files(toml(self.repaired(rng, warped(rng, tree, self.words))))
        return self.files(spoilt(rng, toml(tree), self.TOKENS))

    def repaired(self, rng, tree):
        return tree


class CodeToml(TomlTarget):
    def prepare(self):
        import tomllib

        from fecnn.codes.codefile import CodeFile

        self.trees = []
        for code in (fecnn.load_code("hamming-7-4"), fecnn.repetition(3), fecnn.load_code("uncoded-2")):
            save_code(code, self.folder / "sound.toml", family="hamming", parameters={"r": 3}, witness=None)
            self.trees.append(tomllib.loads((self.folder / "sound.toml").read_text()))
        self.trees[0] |= {"bit_order": [6, 5, 4, 3, 2, 1, 0], "witness": [0, 4, 5], "minimum_distance": 3}
        self.words = [*CodeFile.model_fields, "1111111", "0000000", "0101010", [0, 1, 2], {"0": 1, "3": 7}]

    def repaired(self, rng, tree):
        """With the SHA-256 of its matrices, most of the time: else nothing behind that check is ever seen."""
        if rng.random() < 0.8:
            with contextlib.suppress(TypeError, ValueError, LookupError, AttributeError, OverflowError):
                G, H = (
                    np.array([[int(bit) for bit in row] for row in tree[name]], np.uint8)
                    for name in ("G", "H")
                )
                digest = hashlib.sha256(f"{len(G[0])},{len(G)},{len(H)};".encode())
                for matrix in (G, H):
                    digest.update(np.packbits(matrix).tobytes())
                tree["sha256"] = digest.hexdigest()
        return tree

    def load(self):
        code = fecnn.load_code(self.folder / self.named)
        check_code(code)
        check(code.known_spectrum is None or sum(code.known_spectrum) == 2**code.k, "spectrum")
        check(code.bit_order is None or sorted(code.bit_order) == list(range(code.n)), "bit order")


class StudyToml(TomlTarget):
    def prepare(self):
        from fecnn.studies.study import Curve, Grid, StopTable, Study

        write_alist(fecnn.hamming(3).H, self.folder / "mine.alist")
        small = {"title": "t", "code": "hamming-7-4", "ebn0_db": [1.0, 2.0], "curve": [{"decoder": "ml"}]}
        large = {
            "title": "t",
            "question": "?",
            "code": "hamming-7-4",
            "channel": "bsc",
            "ebn0_db": {"from": 0.0, "to": 2.0, "step": 0.5},
            "stop": {"block_errors": 10, "frames": 1000, "relative_width": 0.1, "seconds": 1.0},
            "batch": 64,
            "seed": 5,
            "drawn": ["ML"],
            "panels": "code",
            "metrics": ["bler", "ber_code"],
            "bounds": ["sphere-packing"],
            "curve": [
                {"decoder": "osd", "options": {"order": 2}, "published": "ML", "label": "a"},
                {"decoder": "ml", "code": ["hamming-7-4", "spc-3"], "options": {"method": "codebook"}},
                {"decoder": "hard", "code": "uncoded", "channel": "awgn", "batch": 8},
                {"decoder": "map", "code": "mine.alist", "ebn0_db": [3.0], "stop": {"frames": 8}},
            ],
        }
        from fecnn.theory.bounds import BOUNDS

        large["bounds"] = [next(iter(BOUNDS))]
        self.trees = [small, large]
        names = [
            field.alias or name
            for m in (Study, Curve, StopTable, Grid)
            for name, field in m.model_fields.items()
        ]
        self.words = [*names, "./mine.alist", "osd", "map", "uncoded", "rayleigh", [1.0, 2.0], {"order": 1}]

    def load(self):
        study = load_study(self.folder / self.named)
        for point in study.points:
            check(math.isfinite(point.task.ebn0_db) and 1 <= point.task.batch, "task")
            check(len(point.task.id) == 64 and point.task.fingerprint == point.code.fingerprint, "task")
            check_code(point.code)
        check(len({point.task.id for point in study.points}) == len(study.points), "one task twice")


class TrainingToml(TomlTarget):
    def prepare(self):
        from fecnn.training.recipe import Check, Data, EarlyStop, Optimiser, Training

        head = {"name": "small", "code": "hamming-7-4", "steps": 40}
        write_alist(fecnn.hamming(3).H, self.folder / "mine.alist")
        self.trees = [
            {
                **head,
                "recipe": "improved",
                "model": {"kind": "fecnn-net", "options": {"iterations": 2, "width": 4}},
            },
            {**head, "recipe": "published", "model": {"kind": "literature-slnn", "options": {"hidden": [7]}}},
            {
                **head,
                "recipe": "published",
                "model": {"kind": "literature-mlnn", "options": {"hidden": [5, 5]}},
            },
            {
                **head,
                "code": "mine.alist",
                "model": {"kind": "ecct", "options": {"layers": 1, "width": 8, "heads": 2, "dropout": 0.1}},
                "data": {
                    "ebn0_db": [2.0],
                    "messages": "zero",
                    "targets": "ml",
                    "frames": 640,
                    "augment": True,
                },
                "optimiser": {
                    **{"method": "adamw", "rate": 0.01, "momentum": 0.5, "weight_decay": 0.1, "patience": 3},
                    **{"schedule": "cosine", "warmup": 10, "final_rate": 0.0, "clip": 1.0, "average": 0.9},
                },
                **{
                    "batch": 64,
                    "epoch": 10,
                    "deep": 0.1,
                    "precision": "bfloat16",
                    "seed": 3,
                    "save_every": 5,
                },
                "early_stop": {"patience": 3, "delta": 0.1},
                "check": {"every": 20, "ebn0_db": [2.0], "frames": 500},
            },
            {
                **{**head, "recipe": "improved"},
                "model": {
                    "kind": "crossmpt",
                    "options": {"layers": 1, "width": 8, "heads": 2, "checks": "systematic"},
                },
            },
            {
                **{**head, "recipe": "improved"},
                "model": {
                    "kind": "fecnn-net",
                    "options": {"orbits": 1, "limit": 3, "reference_ebn0_db": 3.0},
                },
            },
        ]
        names = [name for m in (Training, Data, Optimiser, EarlyStop, Check) for name in m.model_fields]
        self.words = [
            *names,
            *OPTIONS,
            "fecnn-net",
            "ecct",
            "improved",
            "published",
            "map",
            "plateau",
            "systematic",
        ]

    def load(self):
        training = load_training(self.folder / self.named)
        again = json.loads(training.model_dump_json())
        check(training_of(again, self.named) == training, "no round trip")


class References(Target):
    named = "hostile.csv"
    ROWS = (
        "hamming-7-4,ML,1.0,bler,0.15,100,588,S,Table 1,seen",
        'hamming-7-4,"ML, exact",2,ber,1.5e-3,,,"S ""2""","Fig. 1\nright","digitised, 2 %"',
        "bch-31-21,OSD,3,-ln(ber_code),6.15,,,S,Table 2,seen",
        "bch-31-21,OSD,-1.25,gap_db,0.20,,,S,Table 2,read at 0.5 % or 10%",
    )
    # fmt: off
    VALUES = (
        "", "0", "-1", "x", "nan", "inf", "1e400", "1e-400", "1e-999999999", "1E5", "0.10", "1_0", "sNaN",
        "é", "-ln(ber)", "-ln()", "-ln(bler)", "bler", "10", "11", "9" * 30, "9" * 400, "9" * 5000,
        "1e99 %", "\0",
        "2 %", "1.5.2%", ". %", "9" * 400 + "%", "1" * 3000, "1" * 100_000, "1 " * 50_000, "1" + " " * 50_000,
        '"', '""', '"a', "1.", "+3", " 4 ", "\u0663", "0x1", "1e308", "-0.0", "-1e308", "100 %", "1000 %",
    )
    # fmt: on
    TOKENS = b',|"|""|\n|\r|\r\n|\0|%| %|\xff|-ln(|)|\xef\xbb\xbf'.split(b"|")

    def prepare(self):
        self.text = "\n".join([",".join(COLUMNS), *self.ROWS, ""])

    def sound(self):
        return [self.text.encode()]

    def mutant(self, rng):
        kind = rng.random()
        if kind < 0.03:
            return self.files(noise(rng))
        if kind < 0.6:
            cells = [row.split(",") for row in self.text.split("\n")]
            for _ in range(rng.choice((1, 1, 2, 3))):
                row = rng.choice(cells if rng.random() < 0.2 else cells[1:])
                row[rng.randrange(len(row))] = rng.choice(self.VALUES)
            return self.files("\n".join(map(",".join, cells)).encode())
        return self.files(spoilt(rng, self.text.encode(), [*self.TOKENS, *NUMBERS]))

    def load(self):
        for reference in read_references(self.folder / self.named):
            low, high = reference.interval
            check(math.isfinite(reference.ebn0_db), "Eb/N0")
            check(low <= reference.value <= high < math.inf, f"interval {low}..{high} of {reference.value}")


# Checkpoints

OPTIONS = (
    "iterations limit width orbits reference_ebn0_db supports layers heads dropout checks hidden code".split()
)
NETWORKS = {
    "fecnn-net": {"iterations": 2, "width": 4},
    "ecct": {"layers": 1, "width": 8, "heads": 2},
    "crossmpt": {"layers": 2, "width": 8, "heads": 2, "checks": "systematic"},
    "literature-mlnn": {"hidden": [5, 3]},
    "literature-slnn": {"hidden": [4]},
}
DTYPES = "F32 F64 F16 BF16 I8 I16 I32 I64 U8 U16 U64 BOOL F8_E4M3 F8_E8M0 C64 F4 x".split()


class Checkpoint(Target):
    named = "hostile-net"
    refusals = (CheckpointError,)
    TOKENS = (*b'" { } [ ] : , \\u0000 \xff \0 null true'.split(b" "), b"[" * 500, *NUMBERS)

    def __init__(self, folder):
        super().__init__(Path(folder) / self.named)

    def prepare(self):
        self.code = fecnn.load_code("hamming-7-4")
        self.cards, self.weights = [], []
        for kind, options in NETWORKS.items():
            model = Model(kind=kind, options=options)
            network = build(model, self.code)
            point = {"ebn0_db": 2.0, "frames": 500, "block_errors": 9, "code_bit_errors": 12}
            points = [point | {"ml_block_errors": 8, "ml_code_bit_errors": 11}]
            card = Card(
                name="small",
                code="hamming-7-4",
                fingerprint=self.code.fingerprint,
                checks=checks_digest(network),
                model=model,
                parameters=parameter_count(network),
                config={"steps": 40, "data": {"ebn0_db": [2.0]}},
                step=40,
                frames=2560,
                finished=True,
                seconds=1.0,
                cpu_seconds=1.0,
                validations=[{"step": 20, "loss": 0.5, "points": points}],
                versions={"fecnn": "0"},
                weights_sha256="",
            )
            card = save(self.folder, network, card)
            self.cards.append(json.loads(card.model_dump_json()))
            self.weights.append((self.folder / WEIGHTS).read_bytes())
        self.words = [*Card.model_fields, *OPTIONS, *NETWORKS, "H", "systematic"]
        self.pickles = [pickle.dumps(Trap(self.folder / "sprung")), torch_pickle(self.folder / "sprung")]

    def sound(self):
        # First byte: which network; second: whether the rest is its card or its weights.
        parts = [(self.cards, as_json), (self.weights, bytes)]
        return [
            bytes([which, part]) + form(values[which])
            for which in range(len(self.cards))
            for part, (values, form) in enumerate(parts)
        ]

    def files(self, content):
        which, part = (content[0] % len(self.cards), content[1] % 2) if len(content) > 1 else (0, 0)
        if part == 0:
            return {CARD: content[2:], WEIGHTS: self.weights[which]}
        return {CARD: self.card(which, content[2:]), WEIGHTS: content[2:]}

    def card(self, which, weights, **changes):
        """The card of a network, made to fit these weights."""
        digest = hashlib.sha256(weights).hexdigest()
        return as_json({**self.cards[which], "weights_sha256": digest, **changes})

    def mutant(self, rng):
        which = rng.randrange(len(self.cards))
        card, weights = self.cards[which], self.weights[which]
        kind = rng.random()
        if kind < 0.15:
            return {CARD: spoilt(rng, as_json(card), self.TOKENS), WEIGHTS: weights}
        if kind < 0.3:
            return {CARD: as_json(warped(rng, card, self.words)), WEIGHTS: weights}
        if kind < 0.45:  # only the options: the widths of a network that is to be built
            model = {**card["model"], "options": warped(rng, card["model"]["options"], self.words)}
            return {CARD: as_json({**card, "model": model}), WEIGHTS: weights}
        if kind < 0.5:  # weights of another network
            weights = rng.choice(self.weights)
        elif kind < 0.52:
            weights = rng.choice([*self.pickles, noise(rng)])
        elif kind < 0.6:
            weights = spoilt(rng, weights, self.TOKENS)
        elif kind < 0.75:
            weights = self.retyped(rng, weights)
        else:
            weights = self.reheaded(rng, weights)
        return {CARD: self.card(which, weights), WEIGHTS: weights}

    def reheaded(self, rng, weights):
        """Weights whose header is changed: names, types, shapes, offsets, or its length."""
        length = struct.unpack("<Q", weights[:8])[0]
        header = warped(
            rng,
            json.loads(weights[8 : 8 + length]),
            ["F32", "dtype", "shape", "data_offsets", "__metadata__"],
        )
        if header and rng.random() < 0.3:
            entry = header[rng.choice(list(header))]
            if isinstance(entry, dict):
                entry["dtype"] = rng.choice(DTYPES)
        content = as_json(header)
        said = len(content) if rng.random() < 0.9 else rng.choice((0, 1, length, 2**31, 2**63, 2**64 - 1))
        return struct.pack("<Q", said) + content + weights[8 + length :]

    def retyped(self, rng, weights):
        """A sound safetensors file with one tensor of other numbers, shape or type."""
        from safetensors.numpy import load as load_arrays

        arrays = load_arrays(weights)
        names = list(arrays)
        name = "supports" if "supports" in arrays and rng.random() < 0.7 else rng.choice(names)
        if rng.random() < 0.1:
            name, arrays = "supports", {**arrays, "supports": np.zeros((1, 3), np.int16)}
        array = arrays[name]
        kind = rng.randrange(7)
        if kind == 0:
            array = array.astype(
                rng.choice((np.float32, np.float64, np.float16, np.int64, np.uint8, np.bool_))
            )
        elif kind == 1:
            array = array.reshape(-1)
        elif kind == 2:
            array = np.repeat(array, rng.choice((0, 2, 3, 500)), axis=0) if array.ndim else array
        elif kind == 3 and array.size:
            array = array.copy()
            array.flat[rng.randrange(array.size)] = rng.choice((-1, 0, 1, 6, 7, 8, 127))
        elif kind == 4 and array.size:
            array = np.full_like(array, rng.choice((-1, 0, 1, 100)))
        elif kind == 5:
            array = np.zeros((0, *array.shape[1:]), array.dtype)
        elif array.dtype.kind == "f":
            array = np.full_like(array, rng.choice((np.nan, np.inf)))
        return save_arrays({**arrays, name: np.ascontiguousarray(array)})

    def load(self):
        network, card = load(self.folder, self.code)
        check(card == read_card(self.folder), "card")
        check(parameter_count(network) == card.parameters, "parameters")
        check(checks_digest(network) == card.checks, "checks")
        state = network.state_dict().values()
        check(all(bool(torch.isfinite(tensor).all()) for tensor in state), "weights that are no numbers")

    def judge(self, files):
        taken = super().judge(files)
        check(not (self.folder / "sprung").exists(), "code in a checkpoint was run")
        return taken


class Trap:
    """What unpickling would run."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def torch_pickle(path):
    stream = io.BytesIO()
    torch.save({"norm": Trap(path)}, stream)
    return stream.getvalue()


class TrainingState(Target):
    """What an interrupted training goes on from; each kind of network and optimiser has a file of its own."""

    named = "hostile-"
    refusals = (CheckpointError,)
    TOKENS = Checkpoint.TOKENS

    def prepare(self):
        from fecnn.training.recipe import training_of
        from fecnn.training.train import _save_state
        from fecnn.training.trainer import Trainer

        head = {"name": "small", "code": "hamming-7-4", "steps": 4000, "batch": 8, "data": {"ebn0_db": [2.0]}}
        model = {"kind": "fecnn-net", "options": {"iterations": 2, "width": 4}}
        dense = {"kind": "literature-slnn", "options": {"hidden": [4]}}
        plans = (
            {**head, "model": model, "optimiser": {"method": "adamw", "rate": 0.01, "average": 0.9}},
            {**head, "model": dense, "optimiser": {"method": "sgd", "rate": 0.01}},
        )
        self.trainers, self.states = [], []
        for plan in plans:
            trainer = Trainer(training_of(plan, "sound"))
            for _ in range(3):
                trainer.advance()
            _save_state(trainer, self.folder / "sound")
            self.trainers.append(trainer)
            self.states.append(next((self.folder / "sound").glob("*.safetensors")).read_bytes())

    def sound(self):
        return [bytes([which]) + state for which, state in enumerate(self.states)]

    def files(self, content):
        return {f"{self.named}{content[0] % 2 if content else 0}.safetensors": content[1:]}

    def mutant(self, rng):
        which = rng.randrange(2)
        state, kind = self.states[which], rng.random()
        if kind < 0.05:
            state = rng.choice((noise(rng), self.states[1 - which]))
        elif kind < 0.25:
            state = spoilt(rng, state, self.TOKENS)
        elif kind < 0.65:
            state = self.restated(rng, state)
        else:
            state = Checkpoint.reheaded(self, rng, state)
        return self.files(bytes([which]) + state)

    def restated(self, rng, state):
        """Another count of steps and sums, or another configuration."""
        length = struct.unpack("<Q", state[:8])[0]
        header = json.loads(state[8 : 8 + length])
        part = "state" if rng.random() < 0.7 else "config"
        said = warped(rng, json.loads(header["__metadata__"][part]), ["step", "validations", "code"])
        header["__metadata__"][part] = as_json(said).decode("utf-8", "replace")
        content = json.dumps(header).encode()
        return struct.pack("<Q", len(content)) + content + state[8 + length :]

    def load(self):
        from fecnn.training.train import _resume

        (name,) = self.present
        trainer = self.trainers[int(name[len(self.named)])]
        _resume(trainer, self.folder / name)
        check(trainer.state.step >= 0, "steps")
        with contextlib.suppress(FloatingPointError):  # large weights have an endless loss
            check(math.isfinite(trainer.advance()), "loss")


# Result stores

STUDY = """
title = "t"
code = "hamming-7-4"
ebn0_db = [1.0, 2.0]
batch = 64
[[curve]]
decoder = "ml"
[[curve]]
decoder = "osd"
options = { order = 2 }
"""
MOST_FLAGS = 1 << 17

ENDLESS = "with recursive c(x) as (select 1 union all select x + 1 from c) select "


@functools.cache
def bomb(size):
    """Bytes that zlib makes ``size`` bytes of."""
    return zlib.compress(bytes(size))


class StoreFile(Target):
    named = "hostile.sqlite"
    refusals = (StoreError,)
    # fmt: off
    VALUES = (
        -1, 0, 1, 64, 65, 2**31, 2**62, -(2**63), 1.5, math.inf, -1e300, "many", "", "7", None, b"",
        b"\xff" * 9,
    )
    CONTENTS = (
        "", "null", "[]", "3", "{}", '{"options": 3}', '{"options": [[1]], "code": ""}', '{"options": []}',
        "[" * 5000, "{" * 20, '{"a":' * 5000, "9" * 5000, '{"options": {"a": [[]]}, "code": 0, "seed": NaN}',
        b"\xff", b"x",
    )
    # fmt: on

    def prepare(self):
        path = self.folder / "sound.toml"
        path.write_text(STUDY)
        self.study = load_study(path)
        self.tasks = [point.task for point in self.study.points]
        made = self.folder / "sound.sqlite"
        for name in (made, Path(f"{made}-wal"), Path(f"{made}-shm")):
            name.unlink(missing_ok=True)
        with Store(made, write=True) as store:
            for task in self.tasks:
                for i in range(3):
                    flags = np.packbits(np.arange(64) % 13 == i).tobytes()
                    store.append(task, i, Tally(64, 5, 9, 21, 15, 51, 4, 77, 2, 0.25, flags=flags))
        whole = bytearray(made.read_bytes())
        with Store(made, write=True) as store:
            store.append(self.tasks[0], 3, Tally(64, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, flags=bytes(8)))
            self.wal = Path(f"{made}-wal").read_bytes()
        whole[18:20] = b"\1\1"
        self.plain = bytes(whole)
        self.in_wal = bytes([*whole[:18], 2, 2, *whole[20:]])
        small = self.database(self.plain, "pragma page_size = 512", "vacuum")
        # As version 1 laid it out: without the last counts.
        older = self.database(
            self.plain,
            *("alter table batch drop column work", "alter table batch drop column uncertified"),
            "pragma user_version = 1",
        )
        self.contents = [self.plain, self.in_wal, small, older]

    def sound(self):
        return self.contents

    def database(self, content, *statements):
        """A database after statements, as far as SQLite takes them; (statement, values) or statement."""
        with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as base:
            base.deserialize(content)
            for statement in statements:
                with contextlib.suppress(sqlite3.Error):
                    base.execute(*((statement,) if isinstance(statement, str) else statement))
            return base.serialize()

    def mutant(self, rng):
        kind = rng.random()
        content = rng.choice(self.contents)
        if kind < 0.02:
            return self.files(noise(rng))
        if kind < 0.5:
            statements = [self.statement(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
            loose = [
                ("update sqlite_master set sql = replace(sql, ' not null', '')",),
                "pragma user_version = 2",
            ]
            if rng.random() < 0.5:
                statements = ["pragma writable_schema = 1", loose[0], *statements]
                content = self.database(self.plain, "pragma writable_schema = 1", loose[0])
            content = self.database(content if content[18] == 1 else self.plain, *statements)
            if rng.random() < 0.3:
                content = bytes([*content[:18], 2, 2, *content[20:]])
            return self.files(content)
        content = bytearray(content)
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            self.damage(rng, content)
        files = self.files(bytes(content))
        if rng.random() < 0.05:
            files[f"{self.named}-wal"] = (
                spoilt(rng, self.wal, [b"\0\0\0\0"]) if rng.random() < 0.7 else self.wal
            )
        if rng.random() < 0.02:
            files[f"{self.named}-journal"] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + rng.randbytes(600)
        return files

    def damage(self, rng, content):
        """Fields of the header, of a page's header, cells, or any bytes."""
        size = 512 if content[16:17] == b"\2" else 4096
        if len(content) < size:
            return
        kind = rng.randrange(7)
        if kind == 0:
            at = rng.choice((16, 18, 19, 20, 21, *range(24, 72, 4)))
            width = {16: 2}.get(at, 1 if at < 24 else 4)
            number = rng.choice((0, 1, 2, 255, 512, 2**31, 2**32 - 1, rng.getrandbits(32)))
            content[at : at + width] = number.to_bytes(4, "big")[-width:]
        elif kind in (1, 2):
            page = rng.randrange(len(content) // size) * size
            at = page + (100 if page == 0 else 0) + rng.randrange(24)
            content[at] = rng.choice((0, 1, 2, 5, 10, 13, 127, 128, 255, rng.getrandbits(8)))
        elif kind == 3:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        elif kind == 4:
            at = rng.randrange(len(content))
            content[at : at + 16] = rng.randbytes(min(16, len(content) - at))
        elif kind == 5:
            one, other = (slice(at, at + size) for at in rng.choices(range(0, len(content), size), k=2))
            content[one], content[other] = content[other], content[one]
        elif rng.random() < 0.5:
            del content[rng.randrange(len(content)) :]
        else:  # somewhere in what is used of a page: its tail, where cells lie
            at = (rng.randrange(len(content) // size) + 1) * size - 1 - rng.randrange(400)
            content[at] = rng.getrandbits(8)

    def statement(self, rng):
        """A statement that makes a well-formed database of a store that is none."""
        kind = rng.randrange(16)
        column, value = rng.choice(COUNTS), rng.choice(self.VALUES)
        where = rng.choice(("", " where i = 0", " where i = 1"))
        if kind <= 3:
            return f"update batch set {column} = ?{where}", (value,)
        if kind <= 5:
            flags = (
                b"",
                b"x",
                zlib.compress(b"")[:5],
                zlib.compress(bytes(7)),
                zlib.compress(bytes(9)),
                bomb(1 << 12),
            )
            flags += (bomb(1 << 18), bomb(1 << 28), zlib.compress(bytes(8)) + b"more", value)
            return f"update batch set flags = ?{where}", (rng.choice(flags),)
        if kind == 6:
            return f"update batch set {rng.choice(('i', 'version', 'host', 'time', 'task'))} = ?{where}", (
                value,
            )
        if kind <= 8:
            return "update task set content = ?", (rng.choice(self.CONTENTS),)
        if kind == 9:
            changes = (
                ('"options"', '"optons"'),
                ('"code"', '"cde"'),
                (": ", ":["),
                ("64", "1e400"),
                ("[", "{"),
            )
            return "update task set content = replace(content, ?, ?)", rng.choice(changes)
        if kind == 10:
            name, number = (
                rng.choice(("user_version", "application_id")),
                rng.choice((-1, 0, 1, 2, 3, 2**31 - 1)),
            )
            return f"pragma {name} = {number}"
        if kind == 11:
            return f"alter table batch drop column {rng.choice((*COUNTS, 'flags', 'host', 'version'))}"
        if kind == 12:
            return rng.choice(
                (
                    "create view extra as " + ENDLESS + "x from c",
                    "create table extra (x)",
                    "create index extra on batch (frames)",
                    "create index extra on task (abs(length(content)))",
                    "create trigger extra before insert on batch begin delete from batch; end",
                    "alter table batch add column extra blob as (zeroblob(900000000))",
                    "alter table batch rename to other",
                    "drop table task",
                    "delete from task",
                )
            )
        columns = ", ".join(("0 as task", "x as i", *(f"x as {name}" for name in COUNTS), "x'' as flags"))
        lie = rng.choice(
            (
                f"create view batch as {ENDLESS}{columns}, '' as version, '' as host, '' as time from c",
                "create table batch (task text, i integer, frames integer as (zeroblob(900000000)))",
                "create view batch as select zeroblob(900000000) as i",
                "create table batch (x)",
                "nonsense",
                "",
            )
        )
        if kind == 13:
            return "update sqlite_master set sql = ?, type = ?, rootpage = ? where name = 'batch'", (
                *(lie, rng.choice(("table", "view", "index", "x"))),
                rng.choice((0, 1, 2, 3, 4, 5, 99, 2**40)),
            )
        if kind == 14:
            return f"update sqlite_master set rootpage = {rng.choice((0, 1, 2, 3, 99))} where name = 'task'"
        return "update sqlite_master set sql = replace(sql, ?, ?)", rng.choice(
            (
                ("integer", "text"),
                ("without rowid", ""),
                ("frames", "fames"),
                ("primary key (task, i)", "check (1)"),
            )
        )

    def load(self):
        for sidecar in ("-wal", "-shm", "-journal"):
            if self.named + sidecar not in self.present:
                (self.folder / (self.named + sidecar)).unlink(missing_ok=True)
        path = self.folder / self.named
        digest = zlib.crc32(path.read_bytes())
        with Store(path, write=digest % 8 == 0) as store:
            for task in self.tasks:
                for i, tally in store.batches(task).items():
                    check(type(i) is int and i >= 0, f"batch {i!r}")
                    counts = [getattr(tally, name) for name in COUNTS if name != "seconds"]
                    check(all(type(count) is int and count >= 0 for count in counts), f"counts {counts}")
                    check(0 <= tally.seconds < math.inf, f"seconds {tally.seconds!r}")
                    try:
                        flags = store.flags(task, i)
                    except LookupError as error:  # cells out of order: met in passing, not when looked up
                        check(type(error) is LookupError and self.named in str(error), "another error")
                        continue
                    check(len(flags) <= MOST_FLAGS, "flags of more frames than a batch has")
            for row in store.rows():
                check(isinstance(json.loads(row["options"]), dict), "options")
            if digest % 8 == 0:
                store.append(self.tasks[0], 9, Tally(64, flags=bytes(8)))
        if digest % 4 == 0:
            table(self.study, path)
            compare(self.study, "ml", "osd (order 2)", path)


TARGETS = {
    "alist": Alist,
    "code": CodeToml,
    "study": StudyToml,
    "training": TrainingToml,
    "references": References,
    "checkpoint": Checkpoint,
    "state": TrainingState,
    "store": StoreFile,
}


@contextlib.contextmanager
def limits(seconds):
    """Within, much memory is refused by the system, and a hang ends the process, saying where it was."""
    import resource  # not on every system

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, hard))
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
