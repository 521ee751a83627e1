"""The commands that use a trained model, their options and their help."""

from pathlib import Path
from typing import Annotated

import typer

from curate.cli.train_app import Json
from curate.errors import TrainError

Checkpoint = Annotated[str, typer.Argument(metavar="DIR", help="what `curate train` wrote, or one checkpoint")]
Images = Annotated[
    list[Path], typer.Option(metavar="FILE", help="a picture file; repeatable", exists=True, dir_okay=False)
]
Question = Annotated[str | None, typer.Option(help="asked of every picture; none: its own, or a caption")]
Prompt = Annotated[str, typer.Option(help="what a question is put into: 'Question: {} Answer:'")]
Beams = Annotated[int, typer.Option(min=1, help="searched side by side; 1 is greedy")]
LengthPenalty = Annotated[float, typer.Option(help="over 0 favours long answers of beams, under 0 short ones")]
NewTokens = Annotated[int, typer.Option(min=0, help="longest answer, in tokens")]
BatchSize = Annotated[int, typer.Option("--batch", min=1, help="pictures that pass the model at once")]
AtMost = Annotated[int | None, typer.Option("--samples", min=1, help="only the first so many")]
Rerank = Annotated[int, typer.Option(min=0, help="the best so many are looked at again, where the model can; 0: none")]
Held = Annotated[bool, typer.Option("--held-out", help="only what training held out, of what it was fed")]
Coco = Annotated[Path | None, typer.Option(metavar="FILE", help="COCO captions")]
Karpathy = Annotated[Path | None, typer.Option(metavar="FILE", help="Karpathy's dataset_coco.json or its like")]
Split = Annotated[str, typer.Option(help="of --karpathy")]
Captions = Annotated[Path | None, typer.Option(metavar="FILE", help='lines {"image": ..., "captions": [...]}')]
Vqa = Annotated[tuple[Path, Path] | None, typer.Option(metavar="QUESTIONS ANSWERS", help="the two files of VQA v2")]
Names = Annotated[str, typer.Option(help="how the pictures of --vqa are named")]
Questions = Annotated[
    Path | None, typer.Option(metavar="FILE", help='lines {"image": ..., "question": ..., "answers": [...]}')
]
Pictures = Annotated[Path | None, typer.Option(metavar="DIR", help="the folder that the files' pictures are in")]
Classes = Annotated[Path | None, typer.Option(metavar="FILE", help="tell these classes apart: one name a line")]
Label = Annotated[str, typer.Option(help="field of a sample's json that names its class")]
Template = Annotated[str, typer.Option(help="what a class is put into")]
Controls = Annotated[bool, typer.Option(help="show blank and exchanged pictures too")]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="where the scores go, as JSON")]


def generate(  # noqa: PLR0913 - each argument is an option
    checkpoint: Checkpoint,
    *,
    image: Images = [],  # noqa: B006 - typer copies it
    data: Annotated[str | None, typer.Option(metavar="RUN", help="every sample of a run, a line of JSON each")] = None,
    question: Question = None,
    prompt: Prompt = "{}",
    beams: Beams = 1,
    length_penalty: LengthPenalty = 1.0,
    max_new_tokens: NewTokens = 40,
    at_most: AtMost = None,
    batch_size: BatchSize = 32,
    as_json: Json = False,
) -> None:
    """Ask a trained model about pictures; without a question an architecture that captions does."""
    from curate.cli.use import run_answers, run_answers_of
    from curate.train.decoder import Decoding
    from curate.train.using.opened import open_checkpoint
    from curate.train.using.speaking import Asking

    _one_of({"--image": bool(image), "--data": data is not None})
    opened = open_checkpoint(checkpoint, batch_size)
    asking = Asking(Decoding(max_new_tokens, beams, length_penalty), question, prompt)
    if data is not None:
        run_answers_of(opened, data, asking, at_most)
    else:
        run_answers(opened, image, asking, as_json=as_json)


def retrieve(  # noqa: PLR0913 - each argument is an option
    checkpoint: Checkpoint,
    *,
    data: Annotated[str, typer.Option(metavar="RUN", help="the run that is looked through")],
    text: Annotated[str, typer.Option(help="find its pictures; <image> stands where each --image goes")] = "",
    image: Images = [],  # noqa: B006 - typer copies it
    top: Annotated[int, typer.Option(min=1, help="how many are shown")] = 10,
    rerank: Rerank = 128,
    batch_size: BatchSize = 32,
    as_json: Json = False,
) -> None:
    """Find the pictures of a run that fit a text, or the captions that fit a picture."""
    from curate.cli.use import run_retrieval
    from curate.train.using.opened import open_checkpoint
    from curate.train.using.retrieving import Query, Search

    query = Query(text, tuple(path.read_bytes() for path in image))
    opened = open_checkpoint(checkpoint, batch_size)
    run_retrieval(opened, data, query, Search(top, rerank), as_json=as_json)


def embed(  # noqa: PLR0913 - each argument is an option
    checkpoint: Checkpoint,
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="a .npy, or a .parquet with key and vector")],
    data: Annotated[str | None, typer.Option(metavar="RUN", help="every picture of a run")] = None,
    captions: Annotated[bool, typer.Option("--captions", help="the first caption of each sample instead")] = False,
    image: Images = [],  # noqa: B006 - typer copies it
    text: Annotated[list[str], typer.Option(help="a text; repeatable")] = [],  # noqa: B006 - typer copies it
    batch_size: BatchSize = 32,
) -> None:
    """Write pictures or texts as vectors of length 1, by which a model that compares finds what belongs together."""
    from curate.cli.use import run_embedding, run_embedding_of
    from curate.train.using import embedding
    from curate.train.using.opened import open_checkpoint

    _one_of({"--image": bool(image), "--data": data is not None, "--text": bool(text)})
    embedding.require_name(out)
    opened = open_checkpoint(checkpoint, batch_size)
    if data is None:
        run_embedding(*embedding.of_given(opened, image, text), out)
    else:
        run_embedding_of(opened, data, out, captions=captions)


def evaluate(  # noqa: PLR0913 - each argument is an option
    checkpoint: Checkpoint,
    *,
    data: Annotated[list[str], typer.Option(metavar="RUN", help="a run; repeatable")] = [],  # noqa: B006
    held_out: Held = False,
    coco: Coco = None,
    karpathy: Karpathy = None,
    split: Split = "test",
    captions: Captions = None,
    vqa: Vqa = None,
    file_name: Names = "COCO_val2014_{image_id:012}.jpg",
    questions: Questions = None,
    pictures: Pictures = None,
    classes: Classes = None,
    label: Label = "",
    template: Template = "a photo of a {}",
    question: Question = None,
    prompt: Prompt = "{}",
    beams: Beams = 1,
    length_penalty: LengthPenalty = 1.0,
    max_new_tokens: NewTokens = 40,
    rerank: Rerank = 128,
    controls: Controls = True,
    at_most: AtMost = None,
    batch_size: BatchSize = 32,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Measure a trained model: what it says, finds or tells apart, with the pictures and without them."""
    from curate.cli.use import read_names, run_evaluation
    from curate.train.decoder import Decoding
    from curate.train.using.evaluating import Measures
    from curate.train.using.opened import open_checkpoint
    from curate.train.using.sources import Source
    from curate.train.using.speaking import Asking

    files = {"coco": coco, "karpathy": karpathy, "captions": captions, "questions": questions}
    named = {kind: (path,) for kind, path in files.items() if path is not None} | ({"vqa": vqa} if vqa else {})
    _one_of({"--data or --held-out": bool(data) or held_out, **{f"--{kind}": True for kind in named}})
    if data and label and not classes:
        raise TrainError("--label names the field of a class: name the classes too, --classes FILE")
    file = next(iter(named.items()), None)
    source = Source(tuple(data), held_out, file, pictures, split, file_name, label, at_most)
    asking = Asking(Decoding(max_new_tokens, beams, length_penalty), question, prompt)
    names = read_names(classes) if classes else ()
    measures = Measures(asking, rerank, names, template, controls)
    run_evaluation(open_checkpoint(checkpoint, batch_size), source, measures, out, as_json=as_json)


def _one_of(given: dict[str, bool]) -> None:
    """Refuse none and several.

    Raises:
        TrainError: not one is given.
    """
    if sum(given.values()) != 1:
        several = " and ".join(name for name, is_given in given.items() if is_given)
        raise TrainError(f"{several} cannot be given together" if several else f"give one of {', '.join(given)}")


COMMANDS = (generate, retrieve, embed, evaluate)
