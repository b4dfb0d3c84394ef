"""Compile the C++ of this room once for this processor, and open it.

What lives here: the compiler's command line and the cache of its results. What does not: what is computed
(``*.cpp``), and how torch calls it (``attention.py``, ``cross_entropy.py``).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from torch._inductor.runtime.cache_dir_utils import cache_dir

from warehouse.errors import TrainingFailed
from warehouse.files import file_sha256, write_bytes_whole
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

    torch must be loaded before, so that both use one OpenMP. What was compiled before is taken only if it is the file
    that was written then, and nobody else could have written it.

    Raises:
        TrainingFailed: the compiler is absent or refuses the source, or the cache belongs to somebody else.
    """
    program = compiler()
    if program is None:
        raise TrainingFailed("There is no C++ compiler", "Install g++")
    arguments = [program, *FLAGS, *(f"-D{definition}" for definition in definitions), str(SOURCES / source)]
    texts = [(SOURCES / name).read_text() for name in (source, HEADER)]
    name = fingerprint(*arguments, *texts, _processor())
    path = _own_folder() / f"{Path(source).stem}-{name}.so"
    proof = path.with_suffix(".sha256")
    if not (path.exists() and proof.exists() and proof.read_text() == file_sha256(path).hex()):
        compiled = _compiled(arguments)
        write_bytes_whole(path, compiled)
        write_bytes_whole(proof, hashlib.sha256(compiled).hexdigest().encode())
    return ctypes.CDLL(str(path))


def _own_folder() -> Path:
    """Where compiled code is kept: code that others can write must not be loaded."""
    folder = Path(cache_dir()) / "fakesmrt-native"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise TrainingFailed(
            f"{folder} belongs to somebody else, or others may write there",
            "Remove it, or name another folder in TORCHINDUCTOR_CACHE_DIR",
        )
    return folder


def _compiled(arguments: list[str]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "compiled.so"
        done = subprocess.run([*arguments, "-o", str(output)], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return output.read_bytes()
    lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
    raise TrainingFailed(
        f"{arguments[0]} does not compile {arguments[-1]}: {lines[0]}", "Install a newer g++"
    )


def _processor() -> str:
    """What -march=native follows from: a cache may be shared by unlike machines."""
    described = Path("/proc/cpuinfo")
    if not described.exists():
        return platform.processor()
    lines = described.read_text().splitlines()
    return "\n".join(line for line in lines[:64] if line.startswith(("model name", "flags", "Features")))
