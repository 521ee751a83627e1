"""Debian packages as data: downloaded by apt, checked against apt's signed index, unpacked without root."""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from curate.errors import InputError

Say = Callable[[str], None]
Link = tuple[Path, Path]
"""Where a symbolic link stands, and what it names."""


@dataclass(frozen=True)
class Package:
    """What apt's index says of a package."""

    name: str
    version: str
    sha256: str


def find(names: Iterable[str], say: Say) -> tuple[Package, ...]:
    """Look packages up in apt's index, refreshing it once if one is unknown.

    Raises:
        InputError: there is no apt here, or it does not know a package.
    """
    for tool in ("apt-get", "apt-cache", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise InputError(f"{tool} is not on this machine: it is no Debian or Ubuntu")
    wanted = tuple(names)
    known = [_look_up(name) for name in wanted]
    if None in known:
        say("refreshing the package lists (apt-get update)")
        _run("apt-get", "update", "-qq")
        known = [_look_up(name) for name in wanted]
    unknown = [name for name, package in zip(wanted, known, strict=True) if package is None]
    if unknown:
        raise InputError(f"apt does not know {', '.join(unknown)}: add Debian's main archive, then apt-get update")
    return tuple(package for package in known if package)


def download(package: Package, folder: Path, say: Say) -> Path:
    """Download a package into `folder` and check its sha256.

    Raises:
        InputError: apt failed, or the file is not what the index says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    say(f"downloading {package.name} {package.version}")
    _run("apt-get", "download", "-qq", f"{package.name}={package.version}", cwd=folder)
    (file,) = folder.glob(f"{package.name}_*.deb")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != package.sha256:
        raise InputError(f"{file}: sha256 is {found}, apt's index says {package.sha256}. Delete it and try again.")
    return file


def unpack(deb: Path, into: Path, prefix: str, suffixes: tuple[str, ...]) -> None:
    """Write the package's files under `prefix` that end in `suffixes` below `into`, without the prefix.

    Links become copies: a web server of these files gives the same bytes at two addresses.
    """
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=into) as packed:
        command = [_tool("dpkg-deb"), "--fsys-tarfile", str(deb)]
        done = subprocess.run(  # noqa: S603 - no shell, our own arguments
            command, stdout=packed, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            raise InputError(f"{deb}: {done.stderr.strip()}")
        packed.seek(0)
        with tarfile.open(fileobj=packed) as tar:
            links = _extract(tar, into, PurePosixPath(prefix), suffixes)
    for target, source in links:
        if source.resolve().is_relative_to(into.resolve()) and source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _extract(tar: tarfile.TarFile, into: Path, prefix: PurePosixPath, suffixes: tuple[str, ...]) -> list[Link]:
    """Write regular files; return the symbolic links, whose targets may come later in the archive."""
    links: list[Link] = []
    for member in tar:
        inside = PurePosixPath(member.name.removeprefix("./"))
        if not inside.is_relative_to(prefix) or inside.suffix not in suffixes:
            continue
        target = into / inside.relative_to(prefix)
        if member.issym():
            links.append((target, target.parent / member.linkname))
        elif stream := tar.extractfile(member):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(stream.read())
    return links


def _look_up(name: str) -> Package | None:
    shown = subprocess.run(  # noqa: S603 - no shell, our own arguments
        [_tool("apt-cache"), "show", "--no-all-versions", name], capture_output=True, text=True, check=False
    )
    fields = dict(line.split(": ", 1) for line in shown.stdout.splitlines() if ": " in line and line[0] != " ")
    if "Version" not in fields or "SHA256" not in fields:
        return None
    return Package(name, fields["Version"], fields["SHA256"])


def _run(tool: str, *arguments: str, cwd: Path | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - no shell, our own arguments
        [_tool(tool), *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        detail = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(f"{tool} {arguments[0]} failed: {detail}")


def _tool(name: str) -> str:
    return shutil.which(name) or name
