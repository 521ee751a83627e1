"""Taking samples out of a run again: tombstones at once, then shards without them, and a certificate of what was done.

`forget` puts up tombstones, which every reader obeys; `rewrite` removes what they name from shards, features, scores,
ledger and `work`; `explain` tells one sample's story.
"""

from curate.erase.check import check_erasures
from curate.erase.explain import explain, keys_of_url
from curate.erase.forget import Asked, Forgotten, forget
from curate.erase.rewrite import Rewritten, finish_rewrite, rewrite
from curate.erase.selectors import Selector, read_selectors, selector

__all__ = [
    "Asked",
    "Forgotten",
    "Rewritten",
    "Selector",
    "check_erasures",
    "explain",
    "finish_rewrite",
    "forget",
    "keys_of_url",
    "read_selectors",
    "rewrite",
    "selector",
]
