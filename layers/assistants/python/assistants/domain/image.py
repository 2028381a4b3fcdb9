"""Images that models take: their types, recognized by the first bytes, and their limits."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

ImageType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]

MAX_IMAGE_BYTES = 20 * 1024 * 1024  # OpenAI's guide on vision
_MAX_URL_CHARACTERS = 8192
_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)


class InvalidImageError(ValueError):
    """Raised when bytes are not an image of a type and size that models take."""


@dataclass(frozen=True, slots=True)
class Image:
    type: ImageType
    content: bytes

    @classmethod
    def from_bytes(cls, content: bytes) -> "Image":
        """Recognize the type by the content, whatever a file name or a header says.

        Raises `InvalidImageError`.
        """
        if len(content) > MAX_IMAGE_BYTES:
            raise InvalidImageError(f"The image is larger than {MAX_IMAGE_BYTES // 2**20} MB")
        if (type := _type_of(content)) is None:
            names = ", ".join(name.removeprefix("image/") for name in get_args(ImageType))
            raise InvalidImageError(f"The image has none of the formats {names}")
        return cls(type, content)

    @classmethod
    def from_data_url(cls, url: str) -> "Image":
        """Decode `data:image/png;base64,...`. Raises `InvalidImageError`."""
        head = _DATA_URL.match(url)
        if head is None:
            raise InvalidImageError("Expected a base64-encoded data URL with an image MIME type")
        if len(url) > MAX_IMAGE_BYTES * 4 // 3 + head.end() + 4:
            raise InvalidImageError(f"The image is larger than {MAX_IMAGE_BYTES // 2**20} MB")
        try:
            return cls.from_bytes(base64.b64decode(url[head.end() :], validate=True))
        except binascii.Error as error:
            raise InvalidImageError("The data URL is not valid base64") from error

    @property
    def data_url(self) -> str:
        return f"data:{self.type};base64,{base64.b64encode(self.content).decode()}"


def check_image_url(url: str) -> str:
    """Check the URL of an image in a message, an http(s) or a data URL, and return it unchanged.

    Fetches nothing. Raises `ValueError`, of which `InvalidImageError` is a subclass.
    """
    if url[:5].lower() == "data:":
        Image.from_data_url(url)
    elif len(url) > _MAX_URL_CHARACTERS or not _is_http(url):
        raise ValueError("Expected a valid URL, but got a value with an invalid format")
    return url


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises unless it is a number
    except ValueError:
        return False
    plain = url.isprintable() and " " not in url
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def _type_of(content: bytes) -> ImageType | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None
