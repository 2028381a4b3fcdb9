"""The types of fixtures that are functions."""

from collections.abc import Callable

from openai.types.beta import Assistant

MakeAssistant = Callable[..., Assistant]
