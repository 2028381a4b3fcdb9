"""Recognize images by their bytes, whatever the kernel calls them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

MAX_IMAGES = 20
MAX_IMAGE_BYTES = 10 << 20
MAX_TOTAL_BYTES = 32 << 20

_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_ENDING = {"image/png": b"IEND\xaeB`\x82", "image/jpeg": b"\xff\xd9"}


@dataclass(frozen=True)
class CheckedImage:
    """An image whose bytes have been checked."""

    mime: str
    data: bytes


def checked(mime: object, encoded: object) -> CheckedImage | None:
    """Return the image, None if it is not a complete PNG or JPEG of acceptable size."""
    if not isinstance(mime, str) or not isinstance(encoded, str) or mime not in _MAGIC:
        return None
    try:
        data = base64.b64decode(encoded.replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        return None
    whole = data.startswith(_MAGIC[mime]) and data.endswith(_ENDING[mime])
    return CheckedImage(mime, data) if whole and len(data) <= MAX_IMAGE_BYTES else None


class Gallery:
    """The images of one execution, within the budget of count and bytes."""

    def __init__(self) -> None:
        """Start empty."""
        self.images: list[CheckedImage] = []
        self.refused = 0
        self._bytes = 0

    def offer(self, mime: object, encoded: object) -> None:
        """Keep an image that is valid and fits the budget; count the others."""
        image = checked(mime, encoded) if len(self.images) < MAX_IMAGES else None
        if image is None or self._bytes + len(image.data) > MAX_TOTAL_BYTES:
            self.refused += 1
            return
        self.images.append(image)
        self._bytes += len(image.data)
