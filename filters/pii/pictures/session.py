"""ONNX models in a worker: one session each, on as many threads as the stage asks for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curate.errors import ModelError

# Numbers of fields in onnx.proto, from a model down to the shape of a graph's input and of a graph's output.
SHAPES = ((7, 11, 2, 1, 2), (7, 12, 2, 1, 2))
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
CONTINUES = 0x80


def open_session(path: Path, threads: int, *, any_size: bool = False) -> Any:
    """Return an onnxruntime session on the CPU; `any_size` forgets the sizes that the file declares for its tensors.

    Raises:
        ModelError: onnxruntime is not installed, or the file is not a model.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError("pictures need onnxruntime: pip install 'curate-multimodal[filters]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # pictures differ in size: an arena keeps the largest for ever
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    try:
        data = path.read_bytes()
        model = _without_shapes(data) if any_size else data
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except _faults(onnxruntime) as error:
        raise ModelError(f"{path} is not a model that onnxruntime can run: {error}") from error


def _faults(onnxruntime: Any) -> tuple[type[Exception], ...]:
    states = onnxruntime.capi.onnxruntime_pybind11_state
    return (
        OSError,
        ValueError,
        RuntimeError,
        states.Fail,
        states.InvalidProtobuf,
        states.InvalidGraph,
        states.InvalidArgument,
        states.NotImplemented,
    )


def _without_shapes(model: bytes) -> bytes:
    for path in SHAPES:
        model = _without(model, path)
    return model


def _without(message: bytes, path: tuple[int, ...]) -> bytes:
    """Return a protobuf message without the field at `path`, a number for each level down."""
    kept = bytearray()
    for number, kind, start, body, end in _fields(message):
        if number != path[0]:
            kept += message[start:end]
        elif len(path) > 1 and kind == BYTES:
            inner = _without(message[body:end], path[1:])
            kept += _varint(number << 3 | BYTES) + _varint(len(inner)) + inner
    return bytes(kept)


def _fields(message: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield number, wire type, start of the field, start of its body and end of each field of a protobuf message.

    Raises:
        ValueError: the bytes are no protobuf message.
    """
    place = 0
    while place < len(message):
        start = place
        tag, place = _read_varint(message, place)
        kind, body = tag & 7, place
        if kind == VARINT:
            _, place = _read_varint(message, place)
        elif kind == BYTES:
            length, body = _read_varint(message, place)
            place = body + length
        elif kind in {FIXED64, FIXED32}:
            place += 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind} at byte {start}")
        if place > len(message):
            raise ValueError(f"the field at byte {start} ends after the file")
        yield tag >> 3, kind, start, body, place


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message):
        value |= (message[place] & ~CONTINUES) << shift
        place, shift = place + 1, shift + 7
        if not message[place - 1] & CONTINUES:
            return value, place
    raise ValueError("a number goes on after the file ends")


def _varint(value: int) -> bytes:
    written = bytearray()
    while value >= CONTINUES:
        written.append(value & 0x7F | CONTINUES)
        value >>= 7
    return bytes((*written, value))
