"""A tiny encoder of random weights in Detoxify's formats."""

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
)

# Detoxify's `original` uses the competition's names, `unbiased` its own and more of them, in another order.
ORIGINAL = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
UNBIASED = ("toxicity", "severe_toxicity", "obscene", "identity_attack", "insult", "threat", "sexual_explicit")
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "boat", "you", "are", "fool")
WINDOW = 32
KINDS = {
    "bert": (BertConfig, BertForSequenceClassification),
    "roberta": (RobertaConfig, RobertaForSequenceClassification),
}


def encoder(folder, classes=ORIGINAL, kind="bert", seed=0):
    """Write configuration and tokenizer; return the network of random weights that belongs to them."""
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), model_max_length=WINDOW).save_pretrained(folder)
    make_config, make_network = KINDS[kind]
    config = make_config(
        vocab_size=len(WORDS),
        pad_token_id=0,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=WINDOW + 2,
        num_labels=len(classes),
        id2label=dict(enumerate(classes)),
        initializer_range=0.5,
    )
    torch.manual_seed(seed)
    network = make_network(config).eval()
    config.save_pretrained(folder)
    return network


def release(folder, network, classes=ORIGINAL):
    """Write a checkpoint as Detoxify publishes them; return its folder."""
    args = {
        "model_type": str(folder),
        "model_name": type(network).__name__,
        "tokenizer_name": "BertTokenizerFast",
        "num_classes": len(classes),
    }
    config = {"arch": {"args": args}, "dataset": {"args": {"classes": list(classes)}}}
    torch.save({"config": config, "state_dict": network.state_dict()}, folder / "toxic.ckpt")
    return folder
