"""The stages that `curate` itself brings, registered through the entry point `curate.stages` like anyone's."""

from curate.dedupe.exact import ExactDuplicates
from curate.dedupe.image_near_duplicates import ImageNearDuplicates
from curate.fetch.stage import Fetch
from curate.shards.webdataset import WebDataset
from curate.sources.image_folder import ImageFolder
from curate.sources.media_folder import MediaFolder
from curate.sources.urls import Urls
from curate.synthesize.conversations import WriteConversations

STAGES = (
    Urls,
    ImageFolder,
    MediaFolder,
    Fetch,
    ExactDuplicates,
    ImageNearDuplicates,
    WriteConversations,
    WebDataset,
)
__all__ = ["STAGES"]
