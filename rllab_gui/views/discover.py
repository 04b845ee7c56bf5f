"""Finds all views: every module of this package that declares one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import rllab_gui.views
from rllab_gui.views.base import View


@cache
def all_views() -> dict[str, type[View]]:
    """Classes of all views by their id."""
    for module in pkgutil.iter_modules(rllab_gui.views.__path__):
        importlib.import_module(f"rllab_gui.views.{module.name}")
    return {kind.view_id: kind for kind in _below(View) if kind.view_id}


def _below(kind: type[View]) -> list[type[View]]:
    ours = [it for it in kind.__subclasses__() if it.__module__.startswith("rllab_gui")]
    return [it for sub in ours for it in (sub, *_below(sub))]
