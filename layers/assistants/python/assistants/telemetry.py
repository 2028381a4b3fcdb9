"""The structured log, with the ids of the run in each entry."""

from aws_lambda_powertools import Logger

logger = Logger()
