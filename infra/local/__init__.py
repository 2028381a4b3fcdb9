"""The second deployment target: runs the synthesized template on this machine."""

from infra.local.stack import LocalStack

__all__ = ["LocalStack"]
