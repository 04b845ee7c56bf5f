"""The menus: which commands stand where, and the panels that can be shown."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtWidgets import QMenu, QMenuBar

from engine.contract.exports import EXPORTS
from rllab_gui.commands import Commands
from rllab_gui.workspaces.base import Workspace

PANELS = "panels"
"""Stands for the submenu of panels."""

EXPORT = "export"
"""Stands for the submenu of exports."""

MENUS: dict[str, tuple[str, ...]] = {
    "&File": (
        "session.new",
        "session.open",
        "",
        "session.save",
        "session.saveAs",
        "session.fork",
        "session.certify",
        "session.close",
        "",
        "session.import",
        EXPORT,
        "",
        "preset.save",
        "preset.delete",
        "",
        "record.live",
        "",
        "app.quit",
    ),
    "&Edit": ("edit.undo", "edit.redo", "", "view.palette", "edit.preferences"),
    "&View": (
        "workspace.train",
        "workspace.step",
        "",
        "view.theme",
        "view.larger",
        "view.smaller",
        "view.normal",
        "view.freeze",
        "view.presenter",
        "",
        "view.filter",
        "view.export",
        "view.autoRange",
        "view.nextPanel",
        "view.previousPanel",
        PANELS,
        "view.resetLayout",
    ),
    "&Train": (
        "train.start",
        "train.startPaused",
        "train.startAgain",
        "train.continue",
        "train.rewind",
        "train.halveBatch",
        "",
        "train.pause",
        "train.resume",
        "train.stop",
        "",
        "train.stepEnv",
        "train.stepEpisode",
        "",
        "offline.choose",
        "offline.this",
        "offline.leave",
        "",
        "options.takeBack",
        "world.editGrid",
        "replay.prioritize",
        "head.distribution",
        "network.remember",
    ),
    "&Play": (
        "transport.play",
        "transport.stepBack",
        "transport.stepFwd",
        "transport.back10",
        "transport.fwd10",
        "transport.first",
        "transport.last",
        "",
        "transport.nextMark",
        "transport.prevMark",
        "transport.mark",
        "transport.nextBookmark",
        "transport.prevBookmark",
        "",
        "transport.prevEpisode",
        "transport.nextEpisode",
        "transport.backward",
        "transport.forward",
        "transport.prevCheckpoint",
        "transport.nextCheckpoint",
        "transport.follow",
        "transport.loop",
        "transport.slower",
        "transport.faster",
        "",
        "branch.choose",
        "branch.playSeed",
        "branch.byHand",
        "branch.realTime",
        "branch.handBack",
        "branch.leave",
        "branch.ghost",
        "branch.explore",
        "branch.rename",
        "branch.delete",
        "branch.exportTable",
        "branch.exportFilm",
    ),
    "&Explain": (
        "play.predict",
        "predict.reveal",
        "",
        "saliency.overlay",
        "returns.projection",
        "explain.showMap",
    ),
    "&Help": (
        "help.lesson",
        "help.tour",
        "help.tourFile",
        "help.whatsThis",
        "help.shortcuts",
        "",
        "train.endTrainer",
        "engine.restart",
    ),
}


def fill_menus(
    bar: QMenuBar, commands: Commands, workspaces: Iterable[Workspace]
) -> None:
    """Make all menus."""
    bar.setObjectName("main.menu")
    bar.setAccessibleName("Menu")
    submenus = {
        PANELS: _panels_menu(bar, workspaces),
        EXPORT: _export_menu(bar, commands),
    }
    for title, entries in MENUS.items():
        menu = bar.addMenu(title)
        menu.setObjectName(f"main.menu.{title.strip('&').lower()}")
        menu.setToolTipsVisible(True)
        for entry in entries:
            if entry in submenus:
                menu.addMenu(submenus[entry])
            elif entry:
                menu.addAction(commands.action(entry))
            else:
                menu.addSeparator()


def _export_menu(bar: QMenuBar, commands: Commands) -> QMenu:
    """A film, or what other programs read; what is missing says so in its tooltip."""
    exports = QMenu("Export", bar)
    exports.setObjectName("main.menu.export")
    exports.setToolTipsVisible(True)
    for entry in ("record.export", *(f"export.{name}" for name in EXPORTS)):
        exports.addAction(commands.action(entry))
    return exports


def _panels_menu(bar: QMenuBar, workspaces: Iterable[Workspace]) -> QMenu:
    """A closed panel is opened again from here."""
    panels = QMenu("Panels", bar)
    panels.setObjectName("main.menu.panels")
    for workspace in workspaces:
        panels.addSection(workspace.title)
        for name, dock in workspace.docks.items():
            action = dock.toggleViewAction()
            action.setObjectName(f"act.panel.{workspace.name}.{name}")
            action.setText(dock.accessibleName())
            action.setStatusTip(f"Show or hide the panel {dock.accessibleName()}")
            action.setToolTip(action.statusTip())
            panels.addAction(action)
    return panels
