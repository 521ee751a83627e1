"""Tiny models of transformers and of ours, of the same sizes, and what both say of one batch."""

import torch
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    CLIPVisionConfig,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    OPTConfig,
    T5Config,
)

from curate.train.batch import Batch, Text
from curate.train.presets import configure
from curate.train.template import IMAGE, UNLABELLED

ROWS, IMAGE_TOKEN, QUERIES, PATCHES = 300, 300, 4, 4
VISION = {
    "image_size": 28, "patch_size": 14, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 64,
}  # fmt: skip
_QFORMER = {
    "vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "encoder_hidden_size": 32, "max_position_embeddings": 16,
}  # fmt: skip
_OURS = {
    "vision.image_size": "28", "vision.patch": "14", "vision.width": "32", "vision.layers": "2", "vision.heads": "2",
    "vision.feedforward": "64", "language.vocabulary": str(ROWS), "language.width": "32", "language.layers": "2",
    "language.heads": "2", "language.feedforward": "64", "language.context": "64",
}  # fmt: skip
_OUR_QFORMER = {
    "vision.kind": "eva", "qformer.queries": str(QUERIES), "qformer.width": "32", "qformer.layers": "2",
    "qformer.heads": "2",
    "qformer.feedforward": "64", "qformer.vocabulary": "60", "qformer.context": "16", "qformer.dropout": "0",
}  # fmt: skip
PRESETS = {"opt": "blip2-opt-tiny", "t5": "blip2-flan-t5-tiny", "instruct": "instructblip-tiny", "llava": "llava-tiny"}
KINDS = {"opt": "hf-blip2", "t5": "hf-blip2", "instruct": "hf-instructblip", "llava": "hf-llava"}


def overrides(which):
    return _OURS if which == "llava" else _OURS | _OUR_QFORMER


def settings(which):
    return configure(PRESETS[which], overrides(which))


def text_config(which, rows):
    if which == "opt":
        return OPTConfig(
            vocab_size=rows, hidden_size=32, word_embed_proj_dim=32, num_hidden_layers=2, num_attention_heads=2,
            ffn_dim=64, max_position_embeddings=64, dropout=0.0,
        )  # fmt: skip
    if which == "t5":
        return T5Config(
            vocab_size=rows, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu",
            tie_word_embeddings=False, decoder_start_token_id=0, dropout_rate=0.0,
        )  # fmt: skip
    return LlamaConfig(
        vocab_size=rows, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
        intermediate_size=64, max_position_embeddings=64,
    )  # fmt: skip


def theirs(which, rows=ROWS + 1):
    """Return a random model of transformers, its keys without bias as published ones are."""
    torch.manual_seed(0)
    text = text_config(which, rows)
    if which == "llava":
        model = LlavaForConditionalGeneration(
            LlavaConfig(vision_config=CLIPVisionConfig(**VISION), text_config=text, image_token_index=IMAGE_TOKEN)
        )
    else:
        config, kind = (
            (InstructBlipConfig, InstructBlipForConditionalGeneration)
            if which == "instruct"
            else (Blip2Config, Blip2ForConditionalGeneration)
        )
        model = kind(
            config(
                vision_config=VISION, qformer_config=_QFORMER, text_config=text.to_dict(), num_query_tokens=QUERIES,
                image_token_index=IMAGE_TOKEN,
            )
        )  # fmt: skip
    if which == "t5":
        model.language_model.lm_head.weight = torch.nn.Parameter(model.language_model.shared.weight.detach().clone())
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    if which != "llava":
        for layer in model.vision_model.encoder.layers:
            layer.self_attn.qkv.bias.data[32:64] = 0.0
    return model.eval()


def given(which):
    """Return pictures [2, ...], rows of words, and words for a Q-Former and a decoder."""
    torch.manual_seed(1)
    words = torch.randint(5, ROWS - 5, (2, 7))
    told, said = torch.randint(5, 60, (2, 5)), torch.randint(5, ROWS - 5, (2, 4))
    return torch.randn(2, 3, 28, 28), words, told, said


def their_logits(which, model, image_token=IMAGE_TOKEN):
    pixels, words, told, said = given(which)
    slots = torch.full((2, PATCHES if which == "llava" else QUERIES), image_token)
    ids = torch.cat([slots, words], 1)
    more = {"qformer_input_ids": told, "qformer_attention_mask": torch.ones_like(told)} if which == "instruct" else {}
    if which == "t5":
        more |= {"decoder_input_ids": said}
    with torch.no_grad():
        return model(pixel_values=pixels, input_ids=ids, attention_mask=torch.ones_like(ids), **more).logits[..., :ROWS]


def our_logits(which, model):
    pixels, words, told, said = given(which)
    ids = torch.cat([torch.full((2, PATCHES if which == "llava" else QUERIES), IMAGE), words], 1)
    places = torch.arange(2)
    batch = Batch(_text(ids), _text(told) if which == "instruct" else None, None, pixels, cached=False, places_B=places)
    more = {"decoder_input_ids": said} if which == "t5" else {}
    with torch.no_grad():
        embeds = model.eval().embed(batch)
        return model.language(inputs_embeds=embeds, attention_mask=torch.ones_like(ids), **more).logits


def _text(ids):
    return Text(ids, torch.full_like(ids, UNLABELLED), torch.ones_like(ids))
