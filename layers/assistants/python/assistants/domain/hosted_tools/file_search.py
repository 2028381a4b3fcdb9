"""File search: passages of the files in the assistant's and the thread's vector stores."""

from typing import Annotated, Literal

from pydantic import Field

from assistants.domain.hosted_tools.spec import HostedToolEntry, HostedToolSpec
from assistants.domain.schema import Part


class FileSearchRankingOptions(Part):
    score_threshold: Annotated[float, Field(ge=0, le=1)]
    ranker: Literal["auto", "default_2024_08_21"] = "auto"


class FileSearchOptions(Part):
    max_num_results: Annotated[int, Field(ge=1, le=50)] | None = None
    ranking_options: FileSearchRankingOptions | None = None


class FileSearchTool(HostedToolEntry):
    type: Literal["file_search"]
    file_search: FileSearchOptions | None = None


FILE_SEARCH = HostedToolSpec(
    entry=FileSearchTool,
    state="SearchFiles",
    argument="queries",
    schema={"type": "array", "items": {"type": "string"}, "minItems": 1},
    description=(
        "Searches the files that the user has attached. Ask one or several short, different "
        "queries. Every passage comes with its marker, such as 【0:1†report.pdf】: copy the marker "
        "behind each statement that rests on that passage."
    ),
    takes_files_for="search",
    cites=True,
)
