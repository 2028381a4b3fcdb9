"""How a process dies in the middle of its work."""


class CrashError(Exception):
    """A failure that no code of the service expects, so that it ends the invocation."""


class Killed(BaseException):
    """The process is gone, as after a timeout: no code of the service can catch this."""
