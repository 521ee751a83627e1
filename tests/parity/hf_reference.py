"""BLIP-2, InstructBLIP and LLaVA by transformers 4.57.6."""

from typing import Any

import torch
from torch import nn
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2ForImageTextRetrieval,
    CLIPVisionConfig,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    OPTConfig,
    T5Config,
)

from . import tiny
from .reference import Reference, Tensors, conditional, detached, gradients, randomise
from .tiny import CLIP, EVA, IMAGE_TOKEN, LLAMA, QFORMER, SHARED

LN_VISION_EPSILON = 1e-5
"""Of the LayerNorm after the tower, as in LAVIS, which trained the published weights; transformers' is 1e-6."""


def opt_config(vocabulary: int = tiny.OPT.vocabulary) -> OPTConfig:
    return OPTConfig(
        vocab_size=vocabulary, hidden_size=tiny.OPT.width, word_embed_proj_dim=tiny.OPT.width,
        num_hidden_layers=tiny.OPT.layers, num_attention_heads=tiny.OPT.heads, ffn_dim=tiny.OPT.feedforward,
        max_position_embeddings=tiny.OPT.context, dropout=0.0, eos_token_id=None, pad_token_id=1,
    )  # fmt: skip


def llama_config() -> LlamaConfig:
    return LlamaConfig(
        vocab_size=LLAMA.vocabulary, hidden_size=LLAMA.width, num_hidden_layers=LLAMA.layers,
        num_attention_heads=LLAMA.heads, num_key_value_heads=LLAMA.heads, intermediate_size=LLAMA.feedforward,
        max_position_embeddings=LLAMA.context, eos_token_id=None, pad_token_id=0,
    )  # fmt: skip


def t5_config() -> T5Config:
    """Return Flan-T5's shape: gated, with an output matrix of its own; but with the exact GELU, as in LAVIS."""
    return T5Config(
        vocab_size=tiny.T5.vocabulary, d_model=tiny.T5.width, d_kv=tiny.T5.width // tiny.T5.heads,
        d_ff=tiny.T5.feedforward, num_layers=tiny.T5.layers, num_heads=tiny.T5.heads, dropout_rate=0.0,
        feed_forward_proj="gated-gelu", dense_act_fn="gelu", tie_word_embeddings=False, eos_token_id=None,
        pad_token_id=0, decoder_start_token_id=0,
    )  # fmt: skip


def clip_config() -> CLIPVisionConfig:
    return CLIPVisionConfig(
        image_size=CLIP.image_size, patch_size=CLIP.patch, hidden_size=CLIP.width, num_hidden_layers=CLIP.layers,
        num_attention_heads=CLIP.heads, intermediate_size=CLIP.feedforward,
    )  # fmt: skip


def eva_sizes() -> dict[str, Any]:
    return {
        "image_size": EVA.image_size, "patch_size": EVA.patch, "hidden_size": EVA.width,
        "num_hidden_layers": EVA.layers, "num_attention_heads": EVA.heads, "intermediate_size": EVA.feedforward,
        "layer_norm_eps": 1e-6, "hidden_act": "gelu",
    }  # fmt: skip


def qformer_sizes(*, reads_text: bool) -> dict[str, Any]:
    return {
        "vocab_size": QFORMER.vocabulary, "hidden_size": QFORMER.width, "num_hidden_layers": QFORMER.layers,
        "num_attention_heads": QFORMER.heads, "intermediate_size": QFORMER.feedforward,
        "max_position_embeddings": QFORMER.context, "encoder_hidden_size": EVA.width,
        "cross_attention_frequency": QFORMER.cross_every, "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0, "use_qformer_text_input": reads_text,
    }  # fmt: skip


def blip2_config(text_config: Any, *, reads_text: bool = False, image_token: int | None = IMAGE_TOKEN) -> Blip2Config:
    return Blip2Config(
        vision_config=eva_sizes(), qformer_config=qformer_sizes(reads_text=reads_text),
        text_config=text_config.to_dict(), num_query_tokens=QFORMER.queries, image_text_hidden_size=SHARED,
        image_token_index=image_token,
    )  # fmt: skip


def as_published(model: Any, seed: int) -> Any:
    """Fill a model of transformers with random weights, but for what published weights never have.

    The tower's keys have no bias, and its last LayerNorm is LAVIS's.
    """
    randomise(model, seed)
    width = EVA.width
    with torch.no_grad():
        for layer in model.vision_model.encoder.layers:
            layer.self_attn.qkv.bias[width : 2 * width] = 0.0
    model.vision_model.post_layernorm.eps = LN_VISION_EPSILON
    return model


def blip2_opt(seed: int = 0) -> Reference:
    """Return BLIP-2's second stage with OPT: queries, the begin token and a text."""
    model = as_published(Blip2ForConditionalGeneration(blip2_config(opt_config())), seed)
    rows = tiny.decoder_rows(QFORMER.queries, picture_first=True)
    return conditional(model, tiny.decoder_batch(rows), tiny.decoder_prompts(rows))


def blip2_t5(seed: int = 0) -> Reference:
    """Return BLIP-2's second stage with T5: queries and a prefix to the encoder, the rest from the decoder."""
    model = as_published(Blip2ForConditionalGeneration(blip2_config(t5_config())), seed)
    return conditional(model, tiny.encoder_batch(QFORMER.queries), tiny.encoder_prompts(QFORMER.queries))


def retrieval_model(seed: int = 0) -> Any:
    """Build BLIP-2's first stage as transformers has it: no losses, no captions, no temperature."""
    config = blip2_config(opt_config(), reads_text=True, image_token=None)
    return as_published(Blip2ForImageTextRetrieval(config), seed)


def blip2_itm(given: Tensors, seed: int = 0) -> Reference:
    """Return the two-way logits `itm` of matching pairs, and their cross-entropy with the label 1."""
    model = retrieval_model(seed)
    batch = {name: given[name] for name in ("pixel_values", "input_ids", "attention_mask")}
    logits = model(**batch, use_image_text_matching_head=True).logits_per_image
    losses = {"itm": nn.functional.cross_entropy(logits, torch.ones(len(logits), dtype=torch.long))}
    return Reference(model, batch, detached({"itm": logits}), detached(losses), gradients(model, losses))


def _instructblip(language: Any, given: Tensors, asked: list[Tensors], seed: int) -> Reference:
    config = InstructBlipConfig(
        vision_config=eva_sizes(), qformer_config=qformer_sizes(reads_text=True), text_config=language.to_dict(),
        num_query_tokens=QFORMER.queries, image_token_index=IMAGE_TOKEN,
    )  # fmt: skip
    model = as_published(InstructBlipForConditionalGeneration(config), seed)
    read = tiny.told()
    for n, prompt in enumerate(asked):
        length = int(read["qformer_attention_mask"][n].sum())
        prompt |= {name: table[n : n + 1, :length] for name, table in read.items()}
    return conditional(model, given | read, asked)


def instructblip_llama(seed: int = 0) -> Reference:
    """Return InstructBLIP with Llama; the Q-Former reads other tokens than the decoder, of its own vocabulary."""
    rows = tiny.decoder_rows(QFORMER.queries, picture_first=True)
    return _instructblip(llama_config(), tiny.decoder_batch(rows), tiny.decoder_prompts(rows), seed)


def instructblip_t5(seed: int = 0) -> Reference:
    """Return InstructBLIP with T5."""
    return _instructblip(
        t5_config(), tiny.encoder_batch(QFORMER.queries), tiny.encoder_prompts(QFORMER.queries), seed
    )


def llava(projector: str, seed: int = 0) -> Reference:
    """Return LLaVA (`linear`, which transformers lacks and is one matrix) or LLaVA-1.5 (`mlp2x_gelu`)."""
    config = LlavaConfig(
        vision_config=clip_config(), text_config=llama_config(), image_token_index=IMAGE_TOKEN,
        vision_feature_layer=-2, vision_feature_select_strategy="default",
    )  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    if projector == "linear":
        model.model.multi_modal_projector = nn.Linear(CLIP.width, LLAMA.width)
    rows = tiny.decoder_rows(CLIP.patches, picture_first=False)
    return conditional(randomise(model, seed), tiny.decoder_batch(rows), tiny.decoder_prompts(rows))
