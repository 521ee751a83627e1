"""What a text or a picture means as a vector: written once, read by whatever compares samples."""

from filters.embeddings.embed_images import EmbedImages
from filters.embeddings.embed_texts import EmbedTexts

__all__ = ["EmbedImages", "EmbedTexts"]
