"""Mutants of safetensors files: of their headers, and of their tensors."""

import json
import struct

import numpy as np
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from hostile.tree_mutants import as_json, warped

DTYPES = "F32 F64 F16 BF16 I8 I16 I32 I64 U8 U16 U64 BOOL F8_E4M3 F8_E8M0 C64 F4 x".split()
WORDS = ["F32", "dtype", "shape", "data_offsets", "__metadata__"]


def parts(content):
    """Header and data of a safetensors file."""
    end = 8 + struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8:end]), content[end:]


def joined(header, data, length=None):
    """A safetensors file of a header, as bytes, and data; its header may lie about its length."""
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def reheaded(rng, content):
    """A file whose header is changed: names, types, shapes, offsets, or its length."""
    sound, data = parts(content)
    header = warped(rng, sound, WORDS)
    if header and rng.random() < 0.3:
        entry = header[rng.choice(list(header))]
        if isinstance(entry, dict):
            entry["dtype"] = rng.choice(DTYPES)
    lengths = (0, 1, len(content) - len(data) - 8, 2**31, 2**63, 2**64 - 1)
    return joined(as_json(header), data, None if rng.random() < 0.9 else rng.choice(lengths))


def retyped(rng, content):
    """A sound file with one tensor of other numbers, shape or type."""
    arrays = load_arrays(content)
    name = "supports" if "supports" in arrays and rng.random() < 0.7 else rng.choice(list(arrays))
    if rng.random() < 0.1:
        name, arrays = "supports", {**arrays, "supports": np.zeros((1, 3), np.int16)}
    array = rng.choice(CHANGES)(rng, arrays[name])
    return save_arrays({**arrays, name: np.ascontiguousarray(array)})


def other_type(rng, array):
    return array.astype(rng.choice((np.float32, np.float64, np.float16, np.int64, np.uint8, np.bool_)))


def flat(rng, array):
    return array.reshape(-1)


def other_length(rng, array):
    return np.repeat(array, rng.choice((0, 2, 3, 500)), axis=0) if array.ndim else array


def one_number(rng, array):
    array = array.copy()
    if array.size:
        array.flat[rng.randrange(array.size)] = rng.choice((-1, 0, 1, 6, 7, 8, 127))
    return array


def one_number_everywhere(rng, array):
    return np.full_like(array, rng.choice((-1, 0, 1, 100)))


def emptied(rng, array):
    return np.zeros((0, *array.shape[1:]), array.dtype)


def no_number(rng, array):
    return np.full_like(array, rng.choice((np.nan, np.inf))) if array.dtype.kind == "f" else array


CHANGES = (other_type, flat, other_length, one_number, one_number_everywhere, emptied, no_number)
