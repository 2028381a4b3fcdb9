"""Query rewriting: removes polite phrases around a question, which no document contains.

OpenAI rewrites with a model ("I'd like to know the height of the main office building." becomes
"primary office building height"). Here common English phrases are cut off before and after the
question; any other query is unchanged.
"""

import re

_BEFORE = re.compile(
    r"(?:"
    r"(?:hi|hello|hey)(?: there)?[,.!]*"
    r"|please|kindly|thanks|(?:so|ok|okay|well),"
    r"|(?:can|could|would|will) (?:you|we|i)(?: please)?"
    r"(?: (?:tell|show|explain to|find|give|help)(?: me| us)?)?"
    r"|(?:tell|show|give|find)(?: me| us)"
    r"|i(?:'d| would) (?:like|love|want) to (?:know|find out|learn|see|understand)"
    r"|i (?:want|need) to (?:know|find out|learn|see|understand)"
    r"|i(?: am|'m) (?:looking for|interested in|wondering|curious about)"
    r"|do you (?:know|have)"
    r"|what(?: is|'s| are| was| were)|who(?: is|'s| are)|which (?:is|are)"
    r"|how (?:do|can|should|would) (?:i|we|you|one)"
    r"|(?:some |any |more )?information (?:about|on)"
    r"|about|if|the|a|an"
    r")\b[\s,:]*",
    re.IGNORECASE,
)
_AFTER = re.compile(r"\b(?:please|thanks|thank you)$", re.IGNORECASE)
_ENDS = " \t\r\n.,?!"


def rewritten(query: str) -> str:
    """Return the query without such phrases, or unchanged if nothing would be left."""
    left = _AFTER.sub("", query.strip().rstrip(_ENDS)).rstrip(_ENDS)
    while (found := _BEFORE.match(left)) is not None:
        left = left[found.end() :]
    return left or query
