"""Arrays that grow on disk and are read back in pieces, so that none of them has to fit into memory.

What lives here: one-dimensional .npy files written by appending, and read by explicit reads. Not by memory
maps: the pages of a map that was walked through stay with the process and count as its memory.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray


class ArrayWriter:
    """Writes a one-dimensional .npy file piece by piece; the file holds the same bytes as `numpy.save` gives.

    Use it as a context manager: the length is written at the end of the block.
    """

    def __init__(self, path: Path, dtype: DTypeLike) -> None:
        self.path = path
        self.dtype = np.dtype(dtype).newbyteorder("<")
        self._length = 0
        self._stream: BinaryIO

    def __enter__(self) -> Self:
        self._stream = self.path.open("wb")
        self._write_header()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stream:
            self._stream.seek(0)
            self._write_header()

    def append(self, values: NDArray[Any]) -> None:
        """Write more values after those that are there."""
        self._stream.write(np.ascontiguousarray(values, self.dtype).data)
        self._length += len(values)

    def _write_header(self) -> None:
        # NumPy pads the header for a length of up to 21 digits, so that it can be written again in place.
        header = {"descr": npy.dtype_to_descr(self.dtype), "fortran_order": False, "shape": (self._length,)}
        npy.write_array_header_1_0(self._stream, header)


class ArrayFile:
    """A one-dimensional .npy file; a slice of it is a new array, read from disk.

    Attributes:
        path: the file.
        dtype: of its values.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as stream:
            npy.read_magic(stream)
            (self._length,), _, self.dtype = npy.read_array_header_1_0(stream)
            self._offset = stream.tell()

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice) -> NDArray[Any]:
        begin, end, _ = part.indices(self._length)
        place = self._offset + begin * self.dtype.itemsize
        return np.fromfile(self.path, self.dtype, max(end - begin, 0), offset=place)

    def place_of(self, value: int, side: str = "left") -> int:
        """`numpy.searchsorted` for one value where the file is ascending; reads a few pages of it."""
        if not self._length:
            return 0
        mapped = np.memmap(self.path, self.dtype, "r", self._offset, (self._length,))
        return int(
            np.searchsorted(mapped, self.dtype.type(value), side="right" if side == "right" else "left")
        )
