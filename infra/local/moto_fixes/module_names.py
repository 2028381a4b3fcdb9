"""Each request lists the folders of moto's package on disk, several times."""

from moto import backends


def fix() -> None:
    names = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: iter(names)
