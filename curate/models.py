"""Finding weights: a path in the recipe, `CURATE_MODELS`, the Hugging Face cache, then the hub if allowed.

Nothing falls back to a weaker model: what is missing is an error that says how to get it.
"""

import hashlib
import importlib.util
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from curate.errors import ModelError, nearest


@dataclass(frozen=True)
class Model:
    """One set of weights that a stage names."""

    name: str
    """As the recipe spells it: a path, a name under CURATE_MODELS, a hub id, or `package:module/path/in/it`."""
    licence: str
    """Of the weights, as published."""
    weights: tuple[str, ...] = ()
    """Files below the model's folder that hold what it computes with; empty when the model is one file."""
    known: tuple[str, ...] = ()
    """Names that the stage knows, to tell which was meant."""

    def locate(self) -> Path:
        """Return the folder or file on this machine.

        Raises:
            ModelError: it is not here; the text says how to get it.
        """
        for found in (_in_package, _as_path, _in_models_folder, _in_hub_cache):
            path = found(self.name)
            if path is not None:
                return path
        raise ModelError(
            f"model '{self.name}' is not on this machine.{nearest(self.name, self.known)} "
            f"Give a path in the recipe, put it under $CURATE_MODELS/{self.name.replace('/', '--')}, "
            f"or fetch it once with `hf download {self.name}` where the network allows it."
        )

    def fingerprint(self) -> str:
        """Return sha256 over the weight files, which names the model in ledgers and caches."""
        root = self.locate()
        files = [root / w for w in self.weights] if root.is_dir() else [root]
        if root.is_dir() and not files:
            files = sorted(p for p in root.rglob("*") if p.is_file() and _is_content(p.relative_to(root)))
        whole = hashlib.sha256()
        for file in files:
            if not file.is_file():
                raise ModelError(f"model '{self.name}' at {root} has no file {file.relative_to(root)}")
            stat = file.stat()
            whole.update(_file_sha256(str(file), stat.st_size, stat.st_mtime_ns).encode())
        return whole.hexdigest()


def _is_content(path: Path) -> bool:
    """Tell files of a model from what tools leave beside them: hidden files and compiled Python."""
    return not any(part.startswith(".") or part == "__pycache__" for part in path.parts)


@lru_cache(maxsize=256)
def _file_sha256(path: str, _size: int, _mtime_ns: int) -> str:
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _in_package(name: str) -> Path | None:
    """Resolve `package:module/file`: weights that an installed package carries, found without importing it."""
    if not name.startswith("package:"):
        return None
    module, _, inside = name.removeprefix("package:").partition("/")
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"model '{name}' comes with the package '{module}', which is not installed. Install it with pip, or with "
            f"`python -m spacy download {module}` where it is one of spaCy's"
        )
    path = Path(spec.submodule_search_locations[0], inside)
    if not path.exists():
        raise ModelError(f"model '{name}': the installed package '{module}' has no '{inside}'")
    return path


def _as_path(name: str) -> Path | None:
    path = Path(name).expanduser()
    return path if path.exists() else None


def _in_models_folder(name: str) -> Path | None:
    root = os.environ.get("CURATE_MODELS")
    if not root:
        return None
    tries = (Path(root, name), Path(root, name.replace("/", "--")))
    return next((p for p in tries if p.exists()), None)


def _in_hub_cache(name: str) -> Path | None:
    """Look in the Hugging Face cache; ask the hub only where HF_HUB_OFFLINE does not forbid it."""
    if name.count("/") != 1 or name.startswith(("/", ".", "~")):
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        return Path(snapshot_download(name, local_files_only=_offline()))
    except (LocalEntryNotFoundError, HfHubHTTPError, OfflineModeIsEnabled, OSError):
        return None


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0") or not os.environ.get("CURATE_ALLOW_HUB")
