"""Normalise the vectors of embedding models."""

import math
from collections.abc import Sequence

from assistants.ports.search import SearchUnavailableError, Vector


def unit(vector: Sequence[float], dimensions: int) -> Vector:
    """Return the vector with length 1.

    Raises `SearchUnavailableError` if it does not fit an index of `dimensions`.
    """
    length = math.hypot(*vector)
    if len(vector) != dimensions or not 0 < length < math.inf:
        raise SearchUnavailableError(
            f"The embedding model returned a vector of {len(vector)} dimensions and length "
            f"{length:g}, where {dimensions} dimensions are configured."
        )
    return [value / length for value in vector]
