"""A state machine made by CloudFormation lands in the backend that does not execute it."""

from moto.stepfunctions import models
from moto.stepfunctions.parser.models import stepfunctions_parser_backends


def fix() -> None:
    models.stepfunctions_backends = stepfunctions_parser_backends  # type: ignore[assignment]
