"""Language models."""
from transformers import LlamaConfig, LlamaForCausalLM, OPTConfig, OPTForCausalLM
from curate.train.sizes import Language


def build_language(sizes: Language):
    """Build."""
    if sizes.kind == "opt":
        return OPTForCausalLM(OPTConfig(
            vocab_size=sizes.vocabulary, hidden_size=sizes.width, word_embed_proj_dim=sizes.width,
            num_hidden_layers=sizes.layers, num_attention_heads=sizes.heads, ffn_dim=sizes.feedforward,
            max_position_embeddings=sizes.context, dropout=sizes.dropout, pad_token_id=None))
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=sizes.vocabulary, hidden_size=sizes.width, num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads, num_key_value_heads=sizes.heads, intermediate_size=sizes.feedforward,
        max_position_embeddings=sizes.context))


def blocks(model):
    """Layers."""
    return list(getattr(model.model, "decoder", model.model).layers)
