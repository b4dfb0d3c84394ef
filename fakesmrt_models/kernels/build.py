"""Compile the C++ of this room once for this processor, and open it.

What lives here: the compiler's command line and the cache of its results. What does not: what is computed
(``*.cpp``), and how torch calls it (``attention.py``, ``cross_entropy.py``).
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from torch._inductor.runtime.cache_dir_utils import cache_dir

from warehouse.errors import TrainingFailed
from warehouse.identity import fingerprint

SOURCES = Path(__file__).parent
HEADER = "vector.h"

FLAGS = (
    "-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math",
    "-fopenmp", "-shared", "-fPIC",
)  # fmt: skip
"""No -ffast-math: the order of the additions is part of the result."""


def compiler() -> str | None:
    """The C++ compiler's path, `$CXX` or g++; None where there is none."""
    return shutil.which(os.environ.get("CXX", "g++"))


@lru_cache
def library(source: str, *definitions: str) -> ctypes.CDLL:
    """The compiled `source`, a file of this room, with macros such as ``HEAD_WIDTH=32`` defined.

    torch must be loaded before, so that both use one OpenMP.

    Raises:
        TrainingFailed: the compiler is absent or refuses the source.
    """
    program = compiler()
    if program is None:
        raise TrainingFailed("There is no C++ compiler", "Install g++, or train with compiled=False")
    arguments = [program, *FLAGS, *(f"-D{definition}" for definition in definitions), str(SOURCES / source)]
    texts = [(SOURCES / name).read_text() for name in (source, HEADER)]
    name = fingerprint(*arguments, *texts, _processor())
    path = Path(cache_dir()) / f"fakesmrt-{Path(source).stem}-{name}.so"
    if not path.exists():
        _compile(arguments, path)
    return ctypes.CDLL(str(path))


def _compile(arguments: list[str], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    done = subprocess.run([*arguments, "-o", str(partial)], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise TrainingFailed(
            f"{arguments[0]} does not compile {arguments[-1]}: {lines[0]}",
            "Install a newer g++, or train with compiled=False",
        )
    partial.replace(path)


def _processor() -> str:
    """What -march=native follows from: a cache may be shared by unlike machines."""
    described = Path("/proc/cpuinfo")
    if not described.exists():
        return platform.processor()
    lines = described.read_text().splitlines()
    return "\n".join(line for line in lines[:64] if line.startswith(("model name", "flags", "Features")))
