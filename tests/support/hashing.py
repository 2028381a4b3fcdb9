"""An embedding model for tests: hashed words, so that texts with common words are near."""

import math
import re
import zlib
from collections.abc import Sequence


class HashingEmbedder:
    model = "hashing"
    unrelated = 0.0

    def __init__(self, dimensions: int = 64) -> None:
        self.dimensions = dimensions

    def documents(self, texts: Sequence[str]) -> list[list[float]]:
        return [self.query(text) for text in texts]

    def query(self, text: str) -> list[float]:
        vector = [0.0] * self.dimensions
        for word in re.findall(r"\w+", text.lower()):
            digest = zlib.crc32(word.encode())
            vector[digest % self.dimensions] += 1.0 if digest & (1 << 30) else -1.0
        length = math.hypot(*vector) or 1.0
        vector[0] += 0.0 if any(vector) else 1.0  # a text without a word needs a direction, too
        return [value / length for value in vector]
