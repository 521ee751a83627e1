"""One process at a time in a run directory.

On a disk the kernel holds the lock and lets go when the process dies, however it dies. On an object store a small
object says who works there; it is renewed while they live, and may be taken over once it has gone stale.
"""

import contextlib
import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from curate.errors import LockedError, StorageError
from curate.storage import Folder, refusing

NAME = ".lock"
RENEW_S, STALE_S = 5.0, 30.0


@contextlib.contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Hold the run directory.

    Raises:
        LockedError: another process holds it.
    """
    with _on_disk(folder) if folder.is_local else _in_store(folder):
        yield


def _holder() -> dict[str, str | int | float]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "id": uuid.uuid4().hex, "time": time.time()}


def _refuse(folder: Folder, holder: bytes) -> LockedError:
    try:
        who = json.loads(holder)
        other = f"process {who['pid']} on {who['host']}"
    except (ValueError, KeyError, TypeError):
        other = "another process"
    remedy = "Wait for it, or choose another --out."
    if not folder.is_local:
        remedy += f" If it was killed, its hold ends {STALE_S:.0f} s after its last sign of life."
    return LockedError(f"{folder.url}: {other} is working in this run. {remedy}")


@contextlib.contextmanager
def _on_disk(folder: Folder) -> Iterator[None]:
    path = Path(folder.path(NAME))
    with refusing(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+b")
    with opened as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _refuse(folder, path.read_bytes()) from error
        with refusing(str(path)):
            stream.truncate(0)
            stream.write(json.dumps(_holder()).encode())
            stream.flush()
        yield


@contextlib.contextmanager
def _in_store(folder: Folder) -> Iterator[None]:
    mine = _holder()
    while not folder.create(NAME, json.dumps(mine).encode()):
        _outlast(folder)
    if json.loads(folder.read(NAME))["id"] != mine["id"]:
        raise _refuse(folder, folder.read(NAME))
    stop = threading.Event()
    renewing = threading.Thread(target=_renew, args=(folder, mine, stop), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        stop.set()
        renewing.join()
        # Where the bucket is gone, the lock is gone with it, and the error under way says more.
        with contextlib.suppress(StorageError):
            if json.loads(folder.read(NAME))["id"] == mine["id"]:
                folder.delete(NAME)


def _outlast(folder: Folder) -> None:
    """Wait until a lock has gone unrenewed for STALE_S, by this machine's own clock, and remove it."""
    held, began = folder.read(NAME), time.monotonic()
    while time.monotonic() - began < STALE_S:
        time.sleep(RENEW_S * 1.5)
        if not folder.exists(NAME):
            return
        if folder.read(NAME) != held:
            raise _refuse(folder, held)
    folder.delete(NAME)


def _renew(folder: Folder, mine: dict[str, str | int | float], stop: threading.Event) -> None:
    while not stop.wait(RENEW_S):
        # A renewal that fails is tried again; the work itself meets the same refusal, and reports it.
        with contextlib.suppress(StorageError):
            if json.loads(folder.read(NAME))["id"] == mine["id"]:
                folder.write(NAME, json.dumps(mine | {"time": time.time()}).encode())
