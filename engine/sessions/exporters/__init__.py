"""Session data in other programs' formats; one module for each."""

from engine.sessions.exporters.registry import EXPORTERS, export

__all__ = ["EXPORTERS", "export"]
