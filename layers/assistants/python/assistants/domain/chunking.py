"""How a file is cut into chunks: by default, or by numbers that a client gives."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from assistants.domain.schema import Part


class ChunkSizes(Part):
    """In tokens. The overlap is at most half of the size."""

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

# The original's, and what it answers with where `auto` was asked for.
DEFAULT = StaticChunking(
    type="static", static=ChunkSizes(max_chunk_size_tokens=800, chunk_overlap_tokens=400)
)


def decided(strategy: AutoChunking | StaticChunking | None) -> StaticChunking:
    return strategy if isinstance(strategy, StaticChunking) else DEFAULT
