"""Chunking strategies: how a file is cut into chunks."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from assistants.domain.schema import Part


class ChunkSizes(Part):
    """Sizes in tokens. The overlap is at most half of the chunk size."""

    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    chunk_overlap_tokens: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _overlap_fits(self) -> "ChunkSizes":
        if self.chunk_overlap_tokens > self.max_chunk_size_tokens // 2:
            raise ValueError("chunk_overlap_tokens must not exceed half of max_chunk_size_tokens")
        return self


class AutoChunking(Part):
    type: Literal["auto"]


class StaticChunking(Part):
    type: Literal["static"]
    static: ChunkSizes


ChunkingStrategy = Annotated[AutoChunking | StaticChunking, Field(discriminator="type")]

# OpenAI's default, which the API also returns for `auto`.
DEFAULT = StaticChunking(
    type="static", static=ChunkSizes(max_chunk_size_tokens=800, chunk_overlap_tokens=400)
)


def decided(strategy: AutoChunking | StaticChunking | None) -> StaticChunking:
    """Return the sizes to cut by; `DEFAULT` for `auto` and for no strategy."""
    return strategy if isinstance(strategy, StaticChunking) else DEFAULT
