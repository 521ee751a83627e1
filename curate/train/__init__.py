"""Training multimodal architectures straight from shards, and asking a checkpoint about a picture.

These functions are all that training and asking need; `using` holds what else a trained model can do. What they need
(torch, transformers) loads when they are called.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["forecast", "generate", "preset_settings", "preset_table", "seen_by", "store_features", "trace", "train"]


def train(  # noqa: PLR0913 - one entry for the command line: each argument is one of its options
    preset: str,
    data: str | Sequence[str],
    out: str,
    *,
    overrides: Mapping[str, str],
    resume: bool = True,
    divided: bool = False,
    workers: int = 0,
    cache: str | None = None,
    progress: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Train `preset` on the run or runs at `data` into the local folder `out`; return the final metrics.

    Several runs are mixed: together, or by weight where each is spelled `URL:WEIGHT` or `URL:sqrt`.
    Shards that are not on this machine are copied into the folder `cache`, if there is one, when first read from.

    Called again with the same arguments it goes on from the last checkpoint, and losses are the same to the last bit.
    With `workers` Ray Train starts as many processes, here or on the cluster of RAY_ADDRESS.
    Started by torchrun or Ray Train it is one of several processes that learn as one, which divide the weights of the
    model's blocks among them where `divided`. `progress` gets one small dict at the start, for each step, for each
    checkpoint and at the end.

    Raises:
        TrainError: the preset, an override, the data or what `out` holds cannot be used.
        LockedError: another process trains into `out`.
    """
    from curate.train.job import Job, carry_out

    job = Job(preset, _runs(data), out, dict(overrides), resume, divided, cache)
    if not workers:
        return carry_out(job, progress)
    from curate.train.on_ray import carry_out_on_ray

    return carry_out_on_ray(job, workers, progress)


def _runs(data: str | Sequence[str]) -> tuple[str, ...]:
    return (data,) if isinstance(data, str) else tuple(data)


def preset_table() -> list[dict[str, Any]]:
    """Return a dict for each preset: its architecture, how many parameters it has, and what they take in memory."""
    from curate.train.foretelling import table

    return table()


def preset_settings(preset: str) -> list[tuple[str, str, str]]:
    """Return (key, value, what it means) of each setting of a preset.

    Raises:
        TrainError: there is no such preset.
    """
    from curate.train.foretelling import settings_of

    return settings_of(preset)


def forecast(preset: str, data: str | Sequence[str], *, overrides: Mapping[str, str]) -> dict[str, Any]:
    """Return what `train` would do: parameters, memory, tokens, and what share of the samples it could use.

    Raises:
        TrainError: the preset, an override or the data cannot be used.
    """
    from curate.train.foretelling import forecast as foretold

    return foretold(preset, _runs(data), dict(overrides))


def store_features(
    preset: str,
    run: str,
    *,
    overrides: Mapping[str, str],
    dtype: str = "float16",
    progress: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Store beside a run's shards what a preset's frozen towers say of each picture, for `train` to use.

    Called again it goes on with the shards that have none. `progress` gets one small dict for each shard.

    Raises:
        TrainError: the towers learn, pictures are cropped at random, or the preset or an override is wrong.
    """
    from curate.train.looking import store

    return store(preset, run, overrides, dtype, progress)


def trace(
    checkpoint: str,
    *,
    key: str | None = None,
    url: str | None = None,
    data: Sequence[str] = (),
    progress: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Say whether a checkpoint learned from the sample of a key, or from those of a URL, and in which steps.

    `data` are the runs it was fed, where they lie elsewhere now. `progress` gets a small dict now and then while a URL
    is searched for.

    Raises:
        TrainError: there is no checkpoint, or the runs are not the versions that it was fed.
    """
    from curate.train.lineage import trace as traced

    return traced(checkpoint, key, url, data, progress)


def seen_by(checkpoint: str, run: str, keys: Sequence[str]) -> dict[str, Any] | None:
    """Say what one checkpoint learned from samples of a run; None where it was not fed that run.

    The run may have been rewritten since: what it keeps of its versions is enough.

    Raises:
        TrainError: there is no checkpoint, or it cannot be told.
    """
    from pathlib import Path

    from curate.train.lineage import seen_by as seen

    return seen(Path(checkpoint), run, keys)


def generate(checkpoint: str, image: bytes, question: str, *, max_new_tokens: int = 40) -> str:
    """Answer a question about a picture, greedily, from a checkpoint folder alone.

    `checkpoint` is a folder that `train` wrote to (its newest checkpoint is taken) or one checkpoint in it. Without
    words in the question, an architecture that captions does.

    Raises:
        TrainError: there is no checkpoint, or the picture or question cannot be used.
    """
    from curate.train.decoder import Decoding
    from curate.train.using.opened import open_checkpoint
    from curate.train.using.speaking import Asking, answer

    (said,) = answer(open_checkpoint(checkpoint), [image], Asking(Decoding(max_new_tokens), question))
    return said
