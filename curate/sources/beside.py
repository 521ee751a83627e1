"""Samples as files that lie beside each other below a folder: media, and a caption in a `.txt` of the same name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from curate.errors import InputError, StorageError
from curate.sources.files import InputFile, file_system, input_file
from curate.sources.inside import path_fault

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")
_CAPTION = ".txt"
_MOST_CAPTION_BYTES = 1 << 20


@dataclass(frozen=True)
class Beside:
    """The files of one sample."""

    media: tuple[InputFile, ...]
    """One or more, sorted by name."""
    caption: InputFile | None

    @property
    def files(self) -> tuple[InputFile, ...]:
        """All of them."""
        return self.media if self.caption is None else (*self.media, self.caption)


def find_samples(url: str, suffixes: tuple[str, ...], *, together: bool) -> Iterator[Beside]:
    """Yield the samples below a folder in the order of their paths. Memory holds one folder's names.

    Args:
        url: the folder.
        suffixes: what the names of media end in, in lower case.
        together: files that differ in what follows the last dot are one sample; otherwise each is one.

    Raises:
        InputError: there is no such folder.
        StorageError: the disk or the store refuses.
    """
    fs, root = file_system(url)
    try:
        if not fs.isdir(root):
            raise InputError(f"{url}: no such folder")
        yield from _below(fs, root, "", suffixes, together)
    except OSError as error:
        raise StorageError(f"{url}: {error.strerror or error}") from error


def _below(fs: Any, folder: str, prefix: str, suffixes: tuple[str, ...], together: bool) -> Iterator[Beside]:
    found = {info["name"].rstrip("/").rpartition("/")[2]: info for info in fs.ls(folder, detail=True)}
    shown = sorted(name for name in found if not name.startswith("."))
    media = [n for n in shown if found[n]["type"] != "directory" and n.lower().endswith(suffixes)]
    stems: dict[str, list[str]] = {}
    for name in media:
        stems.setdefault(_stem(name) if together else name, []).append(name)
    groups = {names[0]: names for names in stems.values()}
    for name in shown:
        if found[name]["type"] == "directory":
            yield from _below(fs, found[name]["name"], f"{prefix}{name}/", suffixes, together)
        elif name in groups:
            caption = _stem(name) + _CAPTION
            files = [input_file(fs, found[n], prefix + n) for n in (*groups[name], caption) if n in found]
            count = len(groups[name])
            yield Beside(tuple(files[:count]), files[count] if len(files) > count else None)


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def is_name(name: str) -> bool:
    """Tell whether a file's name is text at all."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_caption(root: str, caption: InputFile | None) -> tuple[str | None, str | None]:
    """Return a sample's caption, null where it has none, and why the sample is of no use, if it is not."""
    if caption is None:
        return None, None
    fault = path_fault(caption.fs, root, caption.path)
    if fault is not None:
        return None, fault
    if caption.size > _MOST_CAPTION_BYTES:
        return None, "bad_caption"
    try:
        with caption.open() as stream:
            return stream.read(_MOST_CAPTION_BYTES).decode("utf-8-sig").strip(), None
    except UnicodeDecodeError:
        return None, "bad_caption"
