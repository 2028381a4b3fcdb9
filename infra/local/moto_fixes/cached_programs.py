"""StartExecution parses the definition each time, in 10 to 80 ms; its text never changes."""

import functools

from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

DEFINITIONS = 100


def fix() -> None:
    # The parsed program holds no state of an execution: all of that is in its Environment.
    parse = functools.lru_cache(DEFINITIONS)(AmazonStateLanguageParser.parse)
    AmazonStateLanguageParser.parse = staticmethod(parse)  # type: ignore[method-assign]
