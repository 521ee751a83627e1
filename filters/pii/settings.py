"""What every stage that looks for personal data in text can be told."""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pydantic import Field

from curate.errors import ModelError
from curate.models import Model
from curate.stage import Stage
from filters.pii.entities import Entity

UnknownLanguage = Literal["fail", "drop", "patterns_only", "treat_as_default"]
PACKAGES = ("presidio-analyzer", "spacy", "phonenumbers", "tldextract")
"""What decides about findings beside the weights and our own code."""


class DetectsPii(Stage):
    """Settings of every stage that looks for personal data in text."""

    model: str = Field(
        "en_core_web_lg",
        description="an installed spaCy package, or the folder of a spaCy pipeline, for texts in its language",
    )
    pipelines: dict[str, str] = Field(
        {}, description="spaCy pipelines of further languages, by ISO 639-1 code: {de: de_core_news_lg}"
    )
    language_column: str | None = Field(
        None,
        min_length=1,
        description="column that says in which language a sample is; without it all are in `model`'s",
    )
    unknown_language: UnknownLanguage = Field(
        "fail",
        description="what becomes of a sample in a language without a pipeline: fail, drop, patterns_only (no "
        "names are looked for) or treat_as_default (as if it were in `model`'s language)",
    )
    entities: tuple[Entity, ...] = Field(
        (
            "PERSON",
            "EMAIL_ADDRESS",
            "PHONE_NUMBER",
            "CREDIT_CARD",
            "IBAN_CODE",
            "US_SSN",
            "US_ITIN",
            "US_PASSPORT",
            "US_BANK_NUMBER",
            "UK_NHS",
            "MEDICAL_LICENSE",
            "IP_ADDRESS",
            "MAC_ADDRESS",
            "CRYPTO",
            "STREET_ADDRESS",
            "SOCIAL_HANDLE",
            "DATE_OF_BIRTH",
            "API_KEY",
        ),
        min_length=1,
        description="kinds of personal data to look for, in Presidio's names",
    )
    score_at_least: float = Field(0.35, ge=0, le=1, description="confidence from which a finding counts")

    def models(self) -> tuple[Model, ...]:
        """Name the spaCy pipelines, that of `model` first."""
        return tuple(_named(name) for name in (self.model, *self.pipelines.values()))

    def language_inputs(self) -> tuple[str, ...]:
        """Name the column that tells languages, if there is one."""
        return () if self.language_column is None else (self.language_column,)

    def identity(self) -> str:
        """Hash the versions of what finds with the rest: its patterns decide as much as the weights."""
        versions = [package_version(package) for package in PACKAGES]
        return hashlib.sha256(f"{super().identity()} {versions}".encode()).hexdigest()


def _named(name: str) -> Model:
    return Model(name if Path(name).is_dir() else f"package:{name}", licence="MIT")


def package_version(package: str) -> str:
    """Return the version of an installed package.

    Raises:
        ModelError: it is not installed.
    """
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise ModelError(
            f"looking for personal data needs {package}: pip install 'curate-multimodal[filters]'"
        ) from error
