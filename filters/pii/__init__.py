"""Personal data in text, in the text of pictures and in speech, found by one detector."""

from filters.pii.pictures.identity_documents import IdentityDocuments
from filters.pii.pictures.redact_faces import RedactFaces
from filters.pii.pictures.redact_image_text import RedactImageText
from filters.pii.pii_density import PiiDensity
from filters.pii.redact_pii import RedactPii
from filters.pii.redact_speech import RedactSpeech

__all__ = ["IdentityDocuments", "PiiDensity", "RedactFaces", "RedactImageText", "RedactPii", "RedactSpeech"]
