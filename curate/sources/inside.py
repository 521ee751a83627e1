"""Reading files below a folder, and never outside it: links are followed only where they lead back in."""

import os
from typing import Any


def read_inside(fs: Any, root: str, name: str | None, max_bytes: int) -> bytes | str:
    """Return a file's bytes, or why it cannot be had: `outside_folder`, `missing`, `unreadable` or `too_large`."""
    if not name or ".." in name.split("/") or name.startswith("/") or "\0" in name:
        return "outside_folder"
    path = f"{root.rstrip('/')}/{name}"
    fault = path_fault(fs, root, path)
    if fault is not None:
        return fault
    try:
        with fs.open(path, "rb") as stream:
            data: bytes = stream.read(max_bytes + 1)
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"
    return "too_large" if len(data) > max_bytes else data


def path_fault(fs: Any, root: str, path: str) -> str | None:
    """Return why a file of this machine may not be read: links lead out of `root`, or it is no plain file.

    Object stores have no links, so there is nothing to find.
    """
    if "file" not in fs.protocol:
        return None
    top, real = os.path.realpath(root), os.path.realpath(path)
    if os.path.commonpath((top, real)) != top:
        return "outside_folder"
    if not os.path.exists(real):  # noqa: PTH110 - pathlib's own follows again, and raises for odd names
        return "missing"
    return None if os.path.isfile(real) else "unreadable"  # noqa: PTH113 - see above; a pipe would wait for ever
