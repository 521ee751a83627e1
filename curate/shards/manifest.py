"""Which shards make up a dataset version; the hash over them is the version's name."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from curate.errors import IntegrityError, RunError
from curate.storage import Folder

FILE = "manifest.json"
FORMAT = "curate-shards-1"
_SPELLED = {
    "name": re.compile(r"[0-9A-Za-z_][0-9A-Za-z._-]*\.tar"),
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "index_sha256": re.compile(r"[0-9a-f]{64}"),
}
"""Files are read, written and deleted by these: a manifest from elsewhere names none outside its run."""


@dataclass(frozen=True)
class ShardEntry:
    """One shard as it was written."""

    name: str
    """`00000.tar`, inside RUN/shards; its index has the same stem and ends in `.idx`."""
    sha256: str
    """64 hex digits, of the tar."""
    bytes: int
    """Size of the tar."""
    samples: int
    index_sha256: str
    """64 hex digits, of the index file."""


@dataclass(frozen=True)
class Manifest:
    """The shards of a dataset version, in order."""

    name: str
    """The recipe's name."""
    shards: tuple[ShardEntry, ...]

    @property
    def samples(self) -> int:
        """How many samples all shards hold, erased ones included."""
        return sum(shard.samples for shard in self.shards)

    @property
    def version(self) -> str:
        """The sha256 over `NAME SHA256` lines of all shards: the same samples in the same order, the same version."""
        lines = "".join(f"{shard.name} {shard.sha256}\n" for shard in self.shards)
        return hashlib.sha256(lines.encode()).hexdigest()

    def to_bytes(self) -> bytes:
        """Return canonical JSON: equal manifests give equal bytes."""
        content = {
            "format": FORMAT,
            "name": self.name,
            "samples": self.samples,
            "shards": [asdict(shard) for shard in self.shards],
            "version": self.version,
        }
        return (json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_bytes(cls, data: bytes, where: str = FILE) -> "Manifest":
        """Read what `to_bytes` wrote; `where` names the file in errors.

        Raises:
            IntegrityError: `data` is no manifest, or its sums do not fit its shards.
        """
        try:
            content = json.loads(data)
        except ValueError as error:
            raise _broken(where, f"is not JSON ({error})") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise _broken(where, f'does not say "format": "{FORMAT}"')
        manifest = cls(_typed(content, "name", str, where), tuple(_entries(content, where)))
        if content.get("samples") != manifest.samples or content.get("version") != manifest.version:
            raise _broken(where, "states another sample count or version than its shards add up to")
        return manifest

    @classmethod
    def load(cls, run: Folder) -> "Manifest":
        """Read the manifest of a run.

        Raises:
            RunError: the run has none.
            IntegrityError: it is malformed.
        """
        if not run.exists(FILE):
            raise RunError(
                f"{run.url}: holds no {FILE}, so no finished dataset is here. "
                "Mend the path, or finish the run with `curate run`."
            )
        return cls.from_bytes(run.read(FILE), f"{run.url}/{FILE}")

    def save(self, run: Folder) -> None:
        """Write the manifest of a run, whole or not at all."""
        run.write(FILE, self.to_bytes())


def _broken(where: str, what: str) -> IntegrityError:
    return IntegrityError(f"{where}: {what}. Restore it from a copy, or write it anew with `curate run`.")


def _typed(content: dict[str, Any], name: str, kind: type, where: str) -> Any:
    value = content.get(name)
    if type(value) is not kind:
        raise _broken(where, f"needs '{name}' as {kind.__name__}")
    return value


def _entries(content: dict[str, Any], where: str) -> list[ShardEntry]:
    names = {field.name: field.type for field in fields(ShardEntry)}
    entries = []
    for number, raw in enumerate(_typed(content, "shards", list, where)):
        if not isinstance(raw, dict) or set(raw) != set(names):
            raise _broken(where, f"shard {number} needs exactly the fields {', '.join(names)}")
        values = {name: _typed(raw, name, kind, where) for name, kind in names.items() if isinstance(kind, type)}
        for name, form in _SPELLED.items():
            if not form.fullmatch(values[name]):
                raise _broken(where, f"shard {number} has {values[name]!r} as '{name}'")
        entries.append(ShardEntry(**values))
    return entries
