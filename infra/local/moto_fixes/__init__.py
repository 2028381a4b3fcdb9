"""Corrections of moto 5.2.5, where it differs from AWS in a way that matters here.

Each module corrects one defect by its function `fix()`, and each has a test that fails without it.
A new version of moto must be checked against these tests.
"""

import functools
import pkgutil
from importlib import import_module


@functools.cache
def apply() -> None:
    """Correct moto in this process, by every module of this package."""
    names = [module.name for module in pkgutil.iter_modules(__path__, f"{__name__}.")]
    # All are imported first: a correction reaches the modules of moto that are loaded.
    for module in [import_module(name) for name in names]:
        module.fix()
