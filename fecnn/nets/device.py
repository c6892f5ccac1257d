"""Choosing torch's device, checked before use."""

import os
import re
from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")

if hasattr(os, "register_at_fork"):
    # A forked child has none of torch's threads and would wait for them forever.
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def torch_device(name: str) -> torch.device:
    """The device of that name: ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        ValueError: If the name is invalid, or the machine has no such device.

    Example:
        >>> torch_device("cpu")
        device(type='cpu')
    """
    if not re.fullmatch(r"cpu|cuda(:[0-9]{1,2})?", name):
        raise ValueError(f"device must be cpu, cuda or cuda:1 and so on, got {name!r}")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"there is no device {name}: torch sees {torch.cuda.device_count()} GPUs; use cpu")
    return device


def has_bfloat16(name: str) -> bool:
    """Whether a device has units for bfloat16; others emulate it, which is slower than float32.

    What a CPU has is only known on Linux. A device that does not exist has none.
    """
    if name.startswith("cuda"):
        return torch.cuda.is_available() and torch.cuda.get_device_capability(name)[0] >= 8
    flags = CPUINFO.read_text() if CPUINFO.exists() else ""
    return re.search(r"\b(avx512_bf16|amx_bf16|bf16)\b", flags) is not None
