"""Reduce stages: what little they need of each row meets by hash range, is judged, and verdicts return.

sketches   what leaves a partition                   corpus    the partitions' sketches, and earlier runs'
banded     pairs that share a band                   pairwise  pairs by comparing all with all
stars      connected components                      election  who survives in a cluster
verdicts   back to the partitions                    rounds    one after the other
"""

from curate.run.reduce.corpus import check_earlier
from curate.run.reduce.rounds import carry_out
from curate.run.reduce.shape import spilled_bytes
from curate.run.reduce.sketches import write_sketch
from curate.run.reduce.verdicts import judged_by, repeated

__all__ = [
    "carry_out",
    "check_earlier",
    "judged_by",
    "repeated",
    "spilled_bytes",
    "write_sketch",
]
