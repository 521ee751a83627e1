"""Evaluation sets of pictures: files and tars of them, and pictures of a corpus that look like one of them."""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from curate.decode import BOMB, BROKEN, FORMATS
from curate.dedupe.evaluation import file_sha256, files_at
from curate.dedupe.perceptual import BITS, CLEAR, hashes, lookalikes
from curate.errors import InputError
from curate.storage import input_file

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
SUFFIXES = (*PICTURES, ".tar")
LISTED = 63
"""Bits. Test pictures within this are told of; no threshold may be above."""


class PictureSet(BaseModel):
    """Where the pictures of an evaluation set are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str | tuple[str, ...] = Field(description="a picture, a tar of pictures, a folder of these, or several")


@dataclass(frozen=True)
class Near:
    """What was found for n pictures."""

    bits: NDArray[np.int32]
    """int32[n]: bits between each and the test picture most like it; 256 where there is nothing to compare."""
    unreadable: NDArray[np.bool_]
    rows: NDArray[np.int64]
    """int64[k]: pictures within `LISTED` of a test picture, sorted; one entry for each row and item."""
    items: NDArray[np.int64]
    """int64[k]: which test picture."""
    item_bits: NDArray[np.int64]


class PictureIndex:
    """The hashes of all test pictures, and of what copies of them would look like."""

    def __init__(self, sets: Mapping[str, PictureSet], *, cropped: bool, turned: bool) -> None:
        """Hash every picture; `cropped` also as it would look smaller and cut, `turned` turned and mirrored besides.

        Raises:
            InputError: a file is missing, or is not a picture or tar of pictures.
        """
        self.names: list[tuple[str, str]] = []
        self.flat: list[bool] = []
        """Whether a picture has too little in it to be told from others."""
        looks, items = [], []
        for name, pictures in sets.items():
            for file, data in read_pictures(pictures.path):
                hashed = hashes([data])
                if hashed.quality[0] < 0:
                    raise InputError(f"{name}: {file}: not a picture that can be read")
                mine = lookalikes(data, any_turn=turned) if cropped or turned else hashed.bits
                self.flat.append(bool(hashed.quality[0] < CLEAR))
                if not self.flat[-1]:
                    looks.append(mine)
                    items.append(np.full(len(mine), len(self.names)))
                self.names.append((name, file))
        whole = np.concatenate([np.empty((0, BITS // 8), np.uint8), *looks])
        self._looks = np.ascontiguousarray(whole.view("<u8").T)
        """uint64[4, m]: 64 bits of all looks after 64 bits of all looks; 0.3 ms for each picture among 175,000."""
        self._items = np.concatenate([np.empty(0, np.int64), *items]).astype(np.int64)

    def find(self, pictures: pa.Array) -> Near:
        """Compare n encoded pictures with all test pictures; a null is like none of them."""
        there = np.flatnonzero(pictures.is_valid())
        hashed = hashes(value.as_py() for value in pictures.take(pa.array(there)))
        unreadable = np.zeros(len(pictures), np.bool_)
        unreadable[there[hashed.quality < 0]] = True
        clear = hashed.quality >= CLEAR
        bits = np.full(len(pictures), BITS, np.int32)
        found: list[NDArray[np.int64]] = [np.empty((0, 3), np.int64)]
        for row, look in zip(there[clear], hashed.bits[clear], strict=True):
            apart = self._distances(look)
            bits[row] = apart.min(initial=BITS)
            close = np.flatnonzero(apart <= LISTED)
            order = close[np.lexsort((apart[close], self._items[close]))]
            items, first = np.unique(self._items[order], return_index=True)
            found.append(np.stack([np.full(len(items), row), items, apart[order][first]], axis=1))
        rows, items, item_bits = np.concatenate(found).T
        return Near(bits, unreadable, rows, items, item_bits)

    def _distances(self, look: NDArray[np.uint8]) -> NDArray[np.int16]:
        """Return int16[m]: bits between a picture and each test picture's looks."""
        bits = np.zeros(len(self._items), np.int16)
        for mine, theirs in zip(look.view("<u8"), self._looks, strict=True):
            bits += np.bitwise_count(mine ^ theirs)
        return bits


def pictures_sha256(paths: str | Sequence[str]) -> str:
    """Hash the contents of a set's files, and see that they are pictures, or tars of them.

    Raises:
        InputError: they are not, or one is missing.
        StorageError: the disk or the store refuses.
    """
    listed = [paths] if isinstance(paths, str) else paths
    files = [file for path in listed for file in files_at(path, SUFFIXES)]
    content = hashlib.sha256("".join(map(file_sha256, files)).encode()).hexdigest()
    _see_pictures(tuple(listed), content)
    return content


@lru_cache(maxsize=1000)
def _see_pictures(paths: tuple[str, ...], _content: str) -> None:
    for name, data in read_pictures(paths):
        try:
            Image.open(io.BytesIO(data), formats=FORMATS).close()
        except (*BROKEN, *BOMB) as error:
            raise InputError(f"{name}: not a picture that can be read") from error


def read_pictures(paths: str | Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of every picture; the name is that below the path, or in the tar.

    Raises:
        InputError: a file is missing, or a tar is damaged or holds no picture.
    """
    for path in [paths] if isinstance(paths, str) else paths:
        for url in files_at(path, SUFFIXES):
            folder, name = input_file(url)
            if url.lower().endswith(".tar"):
                yield from _members(url, folder.read(name))
            else:
                yield (url.removeprefix(path).lstrip("/") or name), folder.read(name)


def _members(url: str, data: bytes) -> list[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            members = [member for member in tar if member.isfile() and member.name.lower().endswith(PICTURES)]
            found = [(member.name, content.read()) for member in members if (content := tar.extractfile(member))]
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(f"{url}: cannot be read as a tar: {error}") from error
    if not found:
        raise InputError(f"{url}: holds no picture whose name ends in one of {', '.join(PICTURES)}")
    return found
