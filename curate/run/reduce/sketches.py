"""What of a partition a Reduce gets to see: written as the partition leaves the phase, and kept beside its verdicts."""

import hashlib
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.dedupe.digests import of_hex
from curate.dedupe.shingles import mixed
from curate.errors import CurateError, StageError
from curate.ledger import part_name
from curate.plan import Step
from curate.reduce import SLICES, Banded, Reduce, Sketch
from curate.run.flow import Flow
from curate.run.job import Job
from curate.run.parts import read_table, write_table
from curate.run.reduce.corpus import PLACE, reduce_of
from curate.run.reduce.shape import shape_of
from curate.run.reduce.spill import bucket_of, scatter, spilling, whole_batch
from curate.storage import Folder

ROWS = pa.schema(
    [
        pa.field("node", pa.uint64(), nullable=False),
        pa.field("check", pa.uint64(), nullable=False),
        pa.field("order", pa.int64(), nullable=False),
        pa.field("high", pa.uint64(), nullable=False),  # the key's first 16 hex digits
        pa.field("low", pa.uint64(), nullable=False),  # and its last
        pa.field("score", pa.float64(), nullable=False),  # nan where there is none
    ]
)
BANDS = pa.schema(
    [
        pa.field("band", pa.uint64(), nullable=False),
        pa.field("node", pa.uint64(), nullable=False),
        pa.field("order", pa.int64(), nullable=False),
    ]
)
FAILURES = pa.schema([pa.field("row", pa.int32(), nullable=False), pa.field("failed", pa.string(), nullable=False)])


def write_sketch(job: Job, step: Step, flow: Flow) -> None:
    """Sketch the rows that leave a phase, unless that was done by an earlier command."""
    folder, name = job.run.work / step.folder, part_name(flow.partition)
    if folder.exists(f"rows-{name}.arrow"):
        return
    stage, living = reduce_of(step), flow.living
    table = flow.take(dict.fromkeys(["row", "key", *stage.inputs()]), living).combine_chunks()
    sketch, failed = _safely(stage, table)
    _write_failures(folder, flow.partition, table, failed)
    table = table.filter(pa.array(~failed)) if failed.any() else table
    records, near = _records(stage, table, sketch, flow.partition)
    if sketch.payload is not None:
        _write_payload(folder, name, _payloads(stage, table, sketch, records).filter(pa.array(near)))
    shape = shape_of(job, step)
    if sketch.bands is not None:
        bands = mix(_declared(stage, sketch.bands, len(near)), _scope(stage, table)[:, None])
        _write_bands(folder, name, _band_records(near, records, bands), shape.bands)
    # The last bucket holds the rows that have nothing to compare: they are counted, and nothing else.
    bucket = np.where(near, bucket_of(records["node"].to_numpy(), shape.rows), shape.rows)
    with spilling(folder, f"rows-{name}.arrow", ROWS) as spill:
        spill.add(scatter(records, bucket, shape.rows + 1))
        spill.said = {"rows": table.num_rows}


def _records(stage: Reduce, table: pa.Table, sketch: Sketch, partition: int) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Return a ROWS record for each row, or for each piece of a row, and bool[n]: there is something to compare."""
    scope, scores = _scope(stage, table), _scores(stage, table)
    order = (np.int64(partition) << PLACE) | table["row"].to_numpy().astype(np.int64)
    high, low = of_hex(table["key"].to_pylist())
    if sketch.row is not None and sketch.piece is not None:
        # Of pieces it is never asked whose they are, but which: their number stands where the key would.
        order, scope, scores = order[sketch.row], scope[sketch.row], scores[sketch.row]
        high, low = sketch.piece.astype(np.uint64), np.zeros(len(order), np.uint64)
    near = np.ones(len(order), bool) if sketch.apart is None else ~sketch.apart
    columns = [mix(sketch.node, scope), mix(sketch.check, scope), order, high, low, scores]
    return pa.table(columns, schema=ROWS), near


def _payloads(stage: Reduce, table: pa.Table, sketch: Sketch, records: pa.Table) -> pa.Table:
    return pa.table(
        {"row": table["row"].cast(pa.int32()), "node": records["node"], "scope": _scope(stage, table),
         "payload": sketch.payload}
    )  # fmt: skip


def _safely(stage: Reduce, table: pa.Table) -> tuple[Sketch, NDArray[np.bool_]]:
    """Sketch n rows; return the sketch and bool[n], the rows that its code could not take."""
    sketcher = stage.open()
    try:
        sketch = sketcher(table)
        return sketch, np.zeros(table.num_rows, bool)
    except CurateError:
        raise
    # One bad sample costs one sample: which it is, is found row by row. The message may quote it, and is not kept.
    except Exception:  # noqa: BLE001
        failed = np.array([not _takes(sketcher, table.slice(i, 1)) for i in range(table.num_rows)], bool)
    return sketcher(table.filter(pa.array(~failed))), failed


def _takes(sketcher: Callable[[pa.Table], Sketch], row: pa.Table) -> bool:
    try:
        sketcher(row)
    except CurateError:
        raise
    except Exception:  # noqa: BLE001 - see above
        return False
    return True


def _write_failures(folder: Folder, partition: int, table: pa.Table, failed: NDArray[np.bool_]) -> None:
    rows = table["row"].filter(pa.array(failed)).combine_chunks()
    if failures(folder, partition)["row"].to_pylist() == rows.to_pylist():
        return
    # A command that was killed in between saw others fail, and what else it left is not of these rows.
    name = part_name(partition)
    for file in (f"bands-{name}.arrow", f"payload-{name}.arrow", f"failed-{name}.parquet"):
        folder.delete(file)
    if len(rows):
        reasons = pa.repeat("error_sketch", len(rows))
        write_table(folder, f"failed-{name}.parquet", pa.table([rows, reasons], schema=FAILURES))


def failures(folder: Folder, partition: int) -> pa.Table:
    """Return the rows of a partition that could not be sketched, with the reason."""
    name = f"failed-{part_name(partition)}.parquet"
    return read_table(folder, name) if folder.exists(name) else FAILURES.empty_table()


def _write_payload(folder: Folder, name: str, table: pa.Table) -> None:
    if folder.exists(f"payload-{name}.arrow"):
        return
    with spilling(folder, f"payload-{name}.arrow", table.schema) as spill:
        spill.add([whole_batch(table)])


def _declared(stage: Reduce, bands: NDArray[np.uint64], rows: int) -> NDArray[np.uint64]:
    how = stage.comparing()
    if not isinstance(how, Banded) or bands.shape != (rows, how.bands):
        raise StageError(
            f"{stage.name}: sketched {rows} rows to bands of shape {bands.shape}, which it did not declare"
        )
    return bands


def _band_records(near: NDArray[np.bool_], records: pa.Table, bands: NDArray[np.uint64]) -> pa.Table:
    """Return the bands of comparable rows; copies in a partition share every band, and one of them speaks for all."""
    places, node = np.flatnonzero(near), records["node"].to_numpy()
    _, first = np.unique(node[places], return_index=True)
    kept, width = places[np.sort(first)], bands.shape[1]
    flat = np.ascontiguousarray(bands[kept]).ravel()
    order = records["order"].to_numpy()[kept]
    return pa.table([flat, np.repeat(node[kept], width), np.repeat(order, width)], schema=BANDS)


def _write_bands(folder: Folder, name: str, records: pa.Table, buckets: int) -> None:
    if folder.exists(f"bands-{name}.arrow"):
        return
    with spilling(folder, f"bands-{name}.arrow", BANDS) as spill:
        spill.add(scatter(records, bucket_of(records["band"].to_numpy(), buckets), buckets))


def _scores(stage: Reduce, table: pa.Table) -> NDArray[np.float64]:
    if stage.score is None:
        return np.full(table.num_rows, np.nan)
    column = table[stage.score]
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise StageError(f"{stage.name}: score: {stage.score} is {column.type}; survivors are picked by a number")
    # Not safely: whole numbers beyond 2^53 are rounded, rather than stop the run.
    return np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy())


def _scope(stage: Reduce, table: pa.Table) -> NDArray[np.uint64]:
    """Return uint64[n]: equal where rows may be duplicates of one another; nulls are one scope."""
    scope = np.zeros(table.num_rows, np.uint64)
    for place, spelled in enumerate(stage.within):
        name, _, slice_ = spelled.partition(":")
        values = pa.chunked_array(table[name]).cast(pa.string())
        if slice_:
            values = pc.utf8_slice_codeunits(values, 0, SLICES[slice_])
        scope = mix(scope, _hashed(values, place + 1))
    return scope


def _hashed(values: pa.ChunkedArray, seed: int) -> NDArray[np.uint64]:
    coded = values.combine_chunks().dictionary_encode()
    texts = [text.encode("utf-8", "surrogatepass") for text in coded.dictionary.to_pylist()]
    hashes = [int.from_bytes(hashlib.blake2b(t, digest_size=8, key=bytes([seed])).digest()) for t in texts]
    found = np.array([*hashes, seed], np.uint64)
    return found[pc.fill_null(coded.indices, len(hashes)).to_numpy()]


def mix(hashes: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 64-bit hashes of pairs of hashes: SplitMix64's finisher (Steele, Lea & Flood 2014)."""
    return mixed(hashes ^ (other * np.uint64(0x9E3779B97F4A7C15)))


def keys_of(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> pa.Array:
    """Return string[n]: the keys of which these are the halves."""
    raw = np.stack([high, low], axis=1).astype(">u8").tobytes().hex().encode()
    offsets = np.arange(len(high) + 1, dtype=np.int64) * 32
    return pa.LargeStringArray.from_buffers(len(high), pa.py_buffer(offsets), pa.py_buffer(raw)).cast(pa.string())
