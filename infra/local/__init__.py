"""The local stack: the synthesized templates, deployed to this machine."""

from infra.local.stack import LocalStack

__all__ = ["LocalStack"]
