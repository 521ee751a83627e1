"""Published checkpoints under our names: one file for each family, `taking` for what all of them do."""

from curate.train.importing import bert, eva, fromage, huggingface, lavis, llava, minigpt4
from curate.train.importing.source import Source

SOURCES: dict[str, Source] = {
    source.kind: source
    for source in (
        lavis.STAGE1,
        lavis.STAGE2,
        lavis.WITHOUT_PROJECTION,
        lavis.INSTRUCT,
        minigpt4.MINIGPT4,
        llava.LLAVA,
        fromage.FROMAGE,
        huggingface.BLIP2,
        huggingface.INSTRUCTBLIP,
        huggingface.LLAVA,
        bert.BERT,
        eva.EVA,
    )
}
"""Every kind of checkpoint that can be imported."""
