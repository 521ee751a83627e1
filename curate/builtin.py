"""The stages that `curate` itself brings, registered through the entry point `curate.stages` like anyone's."""

from curate.dedupe.exact import ExactDuplicates
from curate.shards.webdataset import WebDataset
from curate.synthesize.conversations import WriteConversations

STAGES = (
    ExactDuplicates,
    WriteConversations,
    WebDataset,
)
__all__ = ["STAGES"]
