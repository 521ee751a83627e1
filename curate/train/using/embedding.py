"""Pictures and texts as vectors of length 1, and how alike they are.

Axes: G pictures looked through, Q vectors of one picture, T texts, E width of the shared space.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curate.errors import TrainError
from curate.train.batch import Example
from curate.train.template import UNLABELLED, Tokens
from curate.train.using.items import Item, Told, nobody
from curate.train.using.opened import Opened, chunks

Vectors = NDArray[np.float32]
NOTHING = Example(Tokens([0], [UNLABELLED]))
"""What is said beside a picture that is only looked at."""


def of_pictures(
    opened: Opened, items: Sequence[Item], *, blank: bool = False, told: Told = nobody
) -> Iterator[Vectors]:
    """Yield float32[some, Q, E] of items' pictures, or of the mean colour where `blank`, batch by batch.

    Raises:
        TrainError: the architecture has no vectors.
        Unusable: a picture cannot be used; `items.usable` finds them before.
    """
    opened.embeds()
    for some in chunks(items, opened.batch_size):
        yield of_pixels(opened, [opened.decoded(item.read()) for item in some], blank=blank)
        told(len(some))


def of_given(opened: Opened, images: Sequence[Path], texts: Sequence[str]) -> tuple[list[str], Iterator[Vectors]]:
    """Return picture files or texts, and their vectors.

    Raises:
        TrainError: the architecture has no vectors, or a picture or a text cannot be used.
    """
    opened.embeds()
    if texts:
        return list(texts), iter([of_texts(opened, [opened.query(text) for text in texts])])
    pixels = [opened.given(image.read_bytes(), str(image)) for image in images]
    return [str(image) for image in images], (of_pixels(opened, some) for some in chunks(pixels, opened.batch_size))


def of_items(
    opened: Opened, items: Sequence[Item], *, captions: bool = False, told: Told = nobody
) -> Iterator[Vectors]:
    """Return the vectors of items' pictures, or of the first of their captions.

    Raises:
        TrainError: the architecture has no vectors.
    """
    if not captions:
        return of_pictures(opened, items, told=told)
    opened.embeds()
    return (
        of_texts(opened, [opened.reads().captioned(item.answers[0]) for item in some])
        for some in chunks(items, opened.batch_size)
    )


def of_pixels(opened: Opened, pixels: Sequence[NDArray[np.uint8]], *, blank: bool = False) -> Vectors:
    """Return float32[G, Q, E] of decoded pictures."""
    batch = opened.batch([replace(NOTHING, picture=picture) for picture in pixels], blank=blank)
    with opened.computing():
        vectors = opened.embeds().embed_images(batch).float().cpu().numpy()
    return np.asarray(vectors.reshape(len(pixels), -1, vectors.shape[-1]))


def of_texts(opened: Opened, texts: Sequence[Example]) -> Vectors:
    """Return float32[T, E] of texts without pictures."""
    parts = []
    for some in chunks(texts, opened.batch_size):
        with opened.computing():
            parts.append(opened.embeds().embed_texts(opened.batch(some)).float().cpu().numpy())
    return np.concatenate(parts)


def similarity(pictures_GQE: Vectors, texts_TE: Vectors) -> Vectors:
    """Return float32[G, T]: the best cosine of a picture's vectors with each text."""
    flat = pictures_GQE.reshape(-1, pictures_GQE.shape[-1]) @ texts_TE.T
    return np.asarray(flat.reshape(*pictures_GQE.shape[:2], -1).max(axis=1))


def write(path: Path, keys: Sequence[str], parts: Iterator[Vectors]) -> tuple[int, ...]:
    """Write vectors as they come: a .npy of all, or a .parquet of `key` and `vector` (row by row); return their shape.

    Raises:
        TrainError: the name ends in neither.
    """
    require_name(path)
    draft = path.with_name(f".{path.name}.tmp")
    shape = _npy(draft, parts) if path.suffix == ".npy" else _parquet(draft, keys, parts)
    draft.replace(path)
    return shape


def require_name(path: Path) -> None:
    """Refuse a file of a kind that nothing writes.

    Raises:
        TrainError: the name ends in neither .npy nor .parquet, or its folder is not there.
    """
    if path.suffix not in {".npy", ".parquet"}:
        raise TrainError(f"{path}: vectors are written to a .npy or a .parquet; end the name so")
    if not path.absolute().parent.is_dir():
        raise TrainError(f"{path}: its folder is not there; make it first")


def _npy(path: Path, parts: Iterator[Vectors]) -> tuple[int, ...]:
    whole = np.concatenate(list(parts))
    with path.open("wb") as stream:
        np.save(stream, whole)
    return whole.shape


def _parquet(path: Path, keys: Sequence[str], parts: Iterator[Vectors]) -> tuple[int, ...]:
    """Write one row group for each batch, so that a large run takes no more memory than a small one."""
    writer, start, inner = None, 0, (0,)
    for part in parts:
        inner = part.shape[1:]
        flat = pa.array(np.ascontiguousarray(part).reshape(-1))
        vectors = pa.FixedSizeListArray.from_arrays(flat, int(np.prod(inner)))
        facts = {"shape": ",".join(map(str, inner))}
        table = pa.table({"key": list(keys[start : start + len(part)]), "vector": vectors}, metadata=facts)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
        start += len(part)
    if writer is not None:
        writer.close()
    return (start, *inner)
