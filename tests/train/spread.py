"""One function in several processes that find each other over Gloo, for what is smaller than a training run."""

import tempfile
from pathlib import Path

import torch
import torch.distributed as dist

from curate.train.ranks import Ranks


def spread(count, work, *arguments):
    """Call `work(ranks, *arguments)` in `count` processes; return what each returned, in order of rank."""
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_join, (count, folder, work, arguments), nprocs=count)
        return [torch.load(Path(folder) / f"{rank}.pt", weights_only=False) for rank in range(count)]


def _join(rank, count, folder, work, arguments):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=count)
    try:
        torch.save(work(Ranks(rank, count), *arguments), f"{folder}/{rank}.pt")
    finally:
        dist.destroy_process_group()
