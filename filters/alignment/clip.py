"""CLIP and its kin: two towers trained together, Radford et al. (2021), arXiv:2103.00020."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curate.errors import ModelError
from filters.alignment.towers import Towers, Vectors, batched

TEXTS = 64


def load(folder: Path) -> Towers:
    """Load a CLIP or SigLIP checkpoint of transformers with its own preprocessing.

    Raises:
        ModelError: the folder holds no model with a picture and a text tower.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        processor = _picture_processor(folder)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} is not a checkpoint that `alignment` can load: {error}") from error
    if not (hasattr(model, "get_image_features") and hasattr(model, "get_text_features")):
        raise ModelError(f"{folder} holds a {type(model).__name__}; `alignment` needs a CLIP or SigLIP checkpoint")
    # SigLIP was trained on texts padded to full length and reads the padding.
    padding = "max_length" if model.config.model_type.startswith("siglip") else "longest"
    length = model.config.text_config.max_position_embeddings

    def embed(texts: list[str]) -> Vectors:
        options = {"padding": padding, "truncation": True, "max_length": length, "return_tensors": "pt"}
        with torch.inference_mode():
            return _unit(model.get_text_features(**tokenizer(texts, **options)))

    def embed_pictures(prepared: Sequence[Any]) -> Vectors:
        with torch.inference_mode():
            return _unit(model.get_image_features(pixel_values=torch.stack(list(prepared))))

    return Towers(
        prepare=lambda image: processor(images=image, return_tensors="pt")["pixel_values"][0],
        embed_pictures=embed_pictures,
        embed_texts=lambda texts: batched(texts, TEXTS, embed),
    )


def _picture_processor(folder: Path) -> Any:
    from transformers import AutoImageProcessor

    # The variants on Pillow, not on torchvision, are what the published thresholds were measured with.
    return AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend="pil")


def _unit(features: Any) -> Vectors:
    import torch

    vectors: Vectors = torch.nn.functional.normalize(features.pooler_output.float(), dim=-1).numpy()
    return vectors
