"""Language models."""
from transformers import LlamaConfig, LlamaForCausalLM
from curate.train.sizes import Language


def build_language(sizes: Language):
    """Build."""
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=sizes.vocabulary, hidden_size=sizes.width, num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads, num_key_value_heads=sizes.heads, intermediate_size=sizes.feedforward,
        max_position_embeddings=sizes.context))


def blocks(model):
    """Layers."""
    return list(model.model.layers)


def checkpoint_activations(modules) -> None:
    """Provisional."""
    import functools
    from torch.utils.checkpoint import checkpoint
    for m in modules:
        m.forward = functools.partial(checkpoint, m.forward, use_reentrant=False)
