"""Reading JSON that others wrote: each thing is asked for by name and kind, and what is wrong says where it stands."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from curate.errors import TrainError, nearest

Record = Mapping[str, Any]
_Value = TypeVar("_Value")


def whole(path: Path) -> Record:
    """Return the one object that a JSON file holds.

    Raises:
        TrainError: it cannot be read, is no JSON, or holds something else.
    """
    return _object(str(path), _content(path))


def lines(path: Path, keys: set[str]) -> Iterator[tuple[str, Record]]:
    """Yield `path:line` and the object of each line that is not blank; it has `keys` and no others.

    Raises:
        TrainError: the file cannot be read, or a line is not such an object.
    """
    for number, line in enumerate(_content(path).split("\n"), 1):
        if line.strip():
            where = f"{path}:{number}"
            record = _object(where, line)
            for key in sorted(record.keys() - keys):
                raise TrainError(f"{where}: '{key}' is not one of {sorted(keys)}.{nearest(key, keys)}")
            yield where, record


def records(where: str | Path, record: Record, key: str) -> Iterator[tuple[str, Record]]:
    """Yield the place and the value of each object in the list at `key`.

    Raises:
        TrainError: there is no such list, or it holds something else.
    """
    for number, item in enumerate(_kind(str(where), record, key, list)):
        place = f"{where}: {key}[{number}]"
        if not isinstance(item, dict):
            raise TrainError(f"{place} is {_shown(item)}; an object belongs there")
        yield place, item


def text(where: str | Path, record: Record, key: str) -> str:
    """Return the text at `key`, without space around it.

    Raises:
        TrainError: there is none, or it is blank.
    """
    return _text(f"{where}: '{key}'", _kind(str(where), record, key, str))


def texts(where: str, record: Record, key: str) -> tuple[str, ...]:
    """Return the texts in the list at `key`, one or more.

    Raises:
        TrainError: there is no such list, or something in it is no text.
    """
    found = _kind(where, record, key, list)
    return some(where, key, tuple(_text(f"{where}: {key}[{place}]", one) for place, one in enumerate(found)))


def number(where: str, record: Record, key: str) -> int:
    """Return the whole number at `key`.

    Raises:
        TrainError: there is none.
    """
    return int(_kind(where, record, key, int))


def some(where: str, key: str, found: tuple[str, ...]) -> tuple[str, ...]:
    """Return `found`, which must not be empty.

    Raises:
        TrainError: it is.
    """
    if not found:
        raise TrainError(f"{where}: '{key}' is empty; one or more belong there")
    return found


def known(where: str, values: Mapping[int, _Value], record: Record, key: str) -> _Value:
    """Return the value that the number at `key` refers to.

    Raises:
        TrainError: there is no such number, or it refers to nothing.
    """
    reference = number(where, record, key)
    if reference not in values:
        raise TrainError(f"{where}: '{key}' is {reference}, which refers to nothing; the files may not belong together")
    return values[reference]


def picture(where: str, name: str, folder: Path) -> str:
    """Return the path of a picture that lies below `folder`, relative to it, with forward slashes.

    Raises:
        TrainError: the path leads out of the folder, or no file is there.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise TrainError(f"{where}: picture {_shown(name)} leads out of the folder of pictures; give a path below it")
    if not _is_file(folder / path):
        raise TrainError(f"{where}: picture {_shown(str(path))} is not in {folder}; fetch it or give the right folder")
    return str(path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, or a folder that may not be entered
        return False


def _content(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise TrainError(f"{path}: cannot be read: {error.strerror}; give the path of an annotation file") from error
    except UnicodeDecodeError as error:
        raise TrainError(f"{path}: is not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _object(where: str, content: str) -> Record:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise TrainError(f"{where}: is not JSON: {error}; fetch or write it again") from error
    if not isinstance(found, dict):
        raise TrainError(f"{where}: holds {_shown(found)}; an object belongs there")
    return found


def _text(where: str, found: Any) -> str:
    if not isinstance(found, str):
        raise TrainError(f"{where} is {_shown(found)}; a text belongs there")
    if not found.strip():
        raise TrainError(f"{where} is blank; write it or remove it")
    return found.strip()


_NAMES = {str: "a text", int: "a whole number", list: "a list"}


def _kind(where: str, record: Record, key: str, kind: type) -> Any:
    if key not in record:
        raise TrainError(f"{where}: has no '{key}', only {sorted(record)[:12]}; it may be of another format")
    found = record[key]
    if not isinstance(found, kind) or isinstance(found, bool):
        raise TrainError(f"{where}: '{key}' is {_shown(found)}; {_NAMES[kind]} belongs there")
    return found


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:60] + "..."  # noqa: PLR2004
