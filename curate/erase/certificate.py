"""RUN/erasures/REQUEST.json: what was asked, what was removed from where, and which models had seen it.

It may be published: it holds keys, counts and hashes, and no address, text or picture.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from curate.errors import InputError, IntegrityError
from curate.run.layout import Run
from curate.shards.tombstones import is_request
from curate.storage import Folder

FOLDER = "erasures"
FORMAT = "curate-erasure-1"
NOT_REACHED = (
    "models trained on the samples: those found are listed below, and what they learned stays in them",
    "copies of the run, its shards or its input that were made elsewhere, and backups",
    "the input of the source: a new run of it into another directory lists the samples again",
    "the blocks of a disk or the old object versions of a bucket that files were deleted from",
    "what Ray spilled, and temporary files of processes that were killed",
)


def need_request(name: str) -> str:
    """Return a request's reference.

    Raises:
        InputError: it cannot be a file's name.
    """
    if not is_request(name):
        raise InputError(
            f"--request {name!r}: may have letters, digits, '.', '_' and '-', 80 at most. "
            "It is published: give a reference number, never a name"
        )
    return name


def blank(run: Run, request: str) -> dict[str, Any]:
    """Return a certificate in which nothing was done yet."""
    facts = run.facts()
    return {
        "format": FORMAT,
        "request": request,
        "run": facts.get("id"),
        "recipe": facts.get("recipe"),
        "forgotten": [],
        "rewritten": [],
        "checkpoints": {"searched": [], "saw": [], "did_not": [], "cannot_tell": []},
        "not_reached": list(NOT_REACHED),
    }


def from_tombstones(run: Run, request: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a certificate made from a request's tombstones alone, for one that lost its own or never had one."""
    mine = [row for row in rows if row["request"] == request]
    told = {row["key"]: {"selector": row["selector"]} for row in mine}
    at = min((row["at"] for row in mine), default=datetime.fromtimestamp(0, UTC))
    content = blank(run, request)
    content["forgotten"] = [{"at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "keys": told, "selectors": []}]
    return content


def load(run: Folder, request: str) -> dict[str, Any] | None:
    """Read a certificate; None where there is none.

    Raises:
        IntegrityError: the file is damaged.
    """
    name = f"{FOLDER}/{request}.json"
    if not run.exists(name):
        return None
    try:
        content = dict(json.loads(run.read(name)))
        keys_of(content)
        same = content["format"] == FORMAT and content["request"] == request
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{run.url}/{name}: is damaged ({error}). Restore it from a copy") from error
    if not same:
        raise IntegrityError(f"{run.url}/{name}: is another request's, or of another format. Restore it from a copy")
    return content


def save(run: Folder, content: Mapping[str, Any]) -> None:
    """Write a certificate, whole or not at all; the same content gives the same bytes."""
    spelled = json.dumps(content, indent=1, sort_keys=True) + "\n"
    name = f"{FOLDER}/{content['request']}.json"
    if not run.exists(name) or run.read(name) != spelled.encode():
        run.write(name, spelled.encode())


def requests(run: Folder) -> list[str]:
    """Return the references of all requests that have a certificate."""
    return [name.removesuffix(".json") for name in run.names(FOLDER) if name.endswith(".json")]


def keys_of(certificate: Mapping[str, Any]) -> list[str]:
    """Return the keys that a request had erased."""
    return [key for forgotten in certificate["forgotten"] for key in forgotten["keys"]]


def removed(certificate: Mapping[str, Any]) -> set[str]:
    """Return the keys that a rewrite has removed."""
    return {key for rewritten in certificate["rewritten"] for key in rewritten["keys"]}
