"""Writing instruction conversations about samples: teachers, and the stage that asks them."""

from curate.synthesize.conversations import WriteConversations

__all__ = ["WriteConversations"]
