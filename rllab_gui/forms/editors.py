"""An editor for each kind of option; all say the same two things."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QWidget,
)

from engine.contract.alternatives import Alternative
from engine.contract.options import ConfigurationError, OptionSpec, parse_value
from rllab_gui.forms.number import NumberField
from rllab_gui.forms.scale import STEPS, slider_scale
from rllab_gui.forms.words import about_alternative, choice_title
from rllab_gui.plots.narrow_box import NarrowBox


class Editor(QWidget):
    """Base of all editors.

    Signals:
      edited(object): A person has entered this value.
      refused(str): What was typed cannot be read; one sentence.
    """

    edited = Signal(object)
    refused = Signal(str)

    def __init__(self, of: OptionSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.of = of
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(6)

    def set_value(self, value: Any) -> None:
        """Show a value without saying that a person did."""

    def main_widget(self) -> QWidget:
        """What gets the focus and the mark when something is wrong."""
        return self

    def offer(self, alternatives: Mapping[Any, Alternative]) -> None:
        """Say of each value what choosing it takes; impossible ones are greyed."""

    def adopt(self, widget: QWidget, part: str) -> None:
        """Name a part for tests and screen readers, and lay it out."""
        widget.setObjectName(f"train.param.{self.of.key}.{part}")
        title = f"{self.of.title} {self.of.symbol}".strip()
        widget.setAccessibleName(title)
        widget.setProperty("applies", self.of.applies)
        self.row.addWidget(widget)


class QuietSlider(QSlider):
    """A slider that the wheel moves only with focus."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the form that is being scrolled."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class QuietCombo(NarrowBox):
    """A combo box that the wheel moves only with focus, and that can be narrow."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumContentsLength(6)
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the form that is being scrolled."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class NumberEditor(Editor):
    """Slider, where one helps, and field."""

    def __init__(self, of: OptionSpec, parent: QWidget | None = None) -> None:
        super().__init__(of, parent)
        self._scale = slider_scale(of)
        self._slider: QSlider | None = None
        if self._scale is not None:
            self._slider = QuietSlider(Qt.Orientation.Horizontal)
            self._slider.setRange(0, STEPS)
            self._slider.setPageStep(STEPS // 20)
            self._slider.setMinimumWidth(48)
            self.adopt(self._slider, "slider")
            self.row.setStretch(0, 1)
            self._slider.valueChanged.connect(self._on_slid)
        self._field = NumberField(of)
        self._field.setSizePolicy(
            QSizePolicy.Policy.Expanding
            if self._slider is None
            else QSizePolicy.Policy.Fixed,
            QSizePolicy.Policy.Fixed,
        )
        self.adopt(self._field, "spin")
        self._field.edited.connect(self._on_typed)
        self._field.refused.connect(self.refused)

    def set_value(self, value: Any) -> None:
        """Show the number in both."""
        self._field.set_value(value)
        self._place(value)

    def main_widget(self) -> QWidget:
        """The field."""
        return self._field

    def _place(self, value: float) -> None:
        if self._slider is not None and self._scale is not None:
            self._slider.blockSignals(True)
            self._slider.setValue(self._scale.place(value))
            self._slider.blockSignals(False)

    def _on_slid(self, place: int) -> None:
        assert self._scale is not None
        value = self._scale.value(place)
        self._field.set_value(value)
        self.edited.emit(value)

    def _on_typed(self, value: float) -> None:
        self._place(value)
        self.edited.emit(value)


class ChoiceEditor(Editor):
    """One of several words."""

    def __init__(self, of: OptionSpec, parent: QWidget | None = None) -> None:
        super().__init__(of, parent)
        self._combo = QuietCombo()
        for choice in of.choices:
            self._combo.addItem(choice_title(choice), choice)
        self.adopt(self._combo, "combo")
        self._combo.activated.connect(
            lambda index: self.edited.emit(self._combo.itemData(index))
        )

    def set_value(self, value: Any) -> None:
        """Show the word."""
        self._combo.setCurrentIndex(self._combo.findData(value))

    def main_widget(self) -> QWidget:
        """The combo box."""
        return self._combo

    def offer(self, alternatives: Mapping[Any, Alternative]) -> None:
        """Grey the impossible words; each says why, or what comes with it."""
        model = self._combo.model()
        assert isinstance(model, QStandardItemModel)
        for index in range(model.rowCount()):
            found = alternatives.get(self._combo.itemData(index), Alternative())
            item, words = model.item(index), about_alternative(found)
            item.setEnabled(not found.reason)
            item.setToolTip(f"<p>{escape(words)}</p>" if words else "")
            item.setStatusTip(words)
            item.setAccessibleDescription(words)


class FlagEditor(Editor):
    """On or off."""

    def __init__(self, of: OptionSpec, parent: QWidget | None = None) -> None:
        super().__init__(of, parent)
        self._check = QCheckBox()
        self.adopt(self._check, "check")
        self.row.addStretch(1)
        self._check.clicked.connect(self._on_clicked)

    def set_value(self, value: Any) -> None:
        """Show on or off."""
        self._check.setChecked(bool(value))
        self._check.setText("on" if value else "off")

    def main_widget(self) -> QWidget:
        """The box."""
        return self._check

    def offer(self, alternatives: Mapping[Any, Alternative]) -> None:
        """Grey the box where its other state is impossible; the row says why."""
        other = alternatives.get(not self._check.isChecked(), Alternative())
        self._check.setEnabled(not other.reason)
        self._check.setStatusTip(about_alternative(other))

    def _on_clicked(self, checked: bool) -> None:
        self._check.setText("on" if checked else "off")
        self.edited.emit(checked)


class TextEditor(Editor):
    """Text, whole numbers with commas, or a JSON object."""

    def __init__(self, of: OptionSpec, parent: QWidget | None = None) -> None:
        super().__init__(of, parent)
        self._edit = QLineEdit()
        self._shown = ""
        self.adopt(self._edit, "edit")
        self._edit.editingFinished.connect(self._on_finished)

    def set_value(self, value: Any) -> None:
        """Show the value as a person would type it."""
        self._shown = _as_text(value)
        self._edit.setText(self._shown)
        self._edit.setCursorPosition(0)

    def main_widget(self) -> QWidget:
        """The line."""
        return self._edit

    def _on_finished(self) -> None:
        text = self._edit.text().strip()
        if text == self._shown:
            return
        try:
            value = parse_value(self.of, text)
        except ConfigurationError as error:
            self.refused.emit(str(error))
            return
        self._shown = text
        self.edited.emit(value)


def _as_text(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value) if value else ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)


EDITORS: dict[str, type[Editor]] = {
    "bool": FlagEditor,
    "int": NumberEditor,
    "float": NumberEditor,
    "choice": ChoiceEditor,
    "str": TextEditor,
    "integers": TextEditor,
    "mapping": TextEditor,
}
