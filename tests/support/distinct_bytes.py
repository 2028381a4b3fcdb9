"""File content in which a piece that is missing or out of place shows."""


def distinct_bytes(size: int) -> bytes:
    """Count up in steps of four bytes, so that no two places look alike."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]
