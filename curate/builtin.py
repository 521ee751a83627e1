"""The stages that `curate` itself brings, registered through the entry point `curate.stages` like anyone's."""

from curate.dedupe.decontaminate import Decontaminate
from curate.dedupe.exact import ExactDuplicates
from curate.dedupe.image_near_duplicates import ImageNearDuplicates
from curate.dedupe.near_duplicates import NearDuplicates
from curate.dedupe.repeated_paragraphs import RepeatedParagraphs
from curate.dedupe.semantic_duplicates import SemanticDuplicates
from curate.fetch.stage import Fetch
from curate.shards.webdataset import WebDataset
from curate.sources.documents import Documents
from curate.sources.image_folder import ImageFolder
from curate.sources.media_folder import MediaFolder
from curate.sources.urls import Urls
from curate.sources.warc.source import Warc
from curate.synthesize.conversations import WriteConversations

STAGES = (
    Urls,
    Documents,
    Warc,
    ImageFolder,
    MediaFolder,
    Fetch,
    ExactDuplicates,
    ImageNearDuplicates,
    NearDuplicates,
    RepeatedParagraphs,
    SemanticDuplicates,
    Decontaminate,
    WriteConversations,
    WebDataset,
)
__all__ = ["STAGES"]
