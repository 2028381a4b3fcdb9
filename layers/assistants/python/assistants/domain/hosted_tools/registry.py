"""The hosted tools of this service, by name."""

from assistants.domain.hosted_tools.code_interpreter import CODE_INTERPRETER
from assistants.domain.hosted_tools.file_search import FILE_SEARCH

HOSTED_TOOLS = {spec.name: spec for spec in (CODE_INTERPRETER, FILE_SEARCH)}
