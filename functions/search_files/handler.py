"""State SearchFiles: search the vector stores for one file_search call."""

from assistants.states import answer_hosted_call

handler = answer_hosted_call
