"""The structured log: state changes and decisions, with the ids of the run on each line."""

from aws_lambda_powertools import Logger

logger = Logger()
