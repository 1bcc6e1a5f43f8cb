# SPDX-License-Identifier: Apache-2.0
"""The table: one line a figure, printed as soon as it is known. With two subjects each line holds
both, and how many times better the first is."""

from subject import Unavailable

LABEL_WIDTH = 50
VALUE_WIDTH = 14


class Report:
    def __init__(self, subjects):
        self.subjects = subjects
        self.title = ""
        self.missed = []
        self.notes = []

    def section(self, title):
        heads = [subject.name for subject in self.subjects]
        if len(heads) > 1:
            heads.append("times better")
        self.title = title
        print()
        self._print(title, heads, "must reach")

    def row(self, label, values, unit="", below=None, wanted=None, better="less"):
        """values: one a subject, a number, text, or the Unavailable that stood in the way.
        below, wanted: what the first subject's value must stay under, or be.
        better: "less" or "more" is, or None where neither is."""
        cells = [self._cell(value, unit) for value in values]
        if len(values) > 1:
            cells.append(_times_better(values, better))
        goal = ""
        if below is not None:
            goal = f"< {_number(below)} {unit}".rstrip()
            goal += self._verdict(f"{label}: {cells[0]}, not {goal}", _is_below(values[0], below))
        if wanted is not None:
            goal = wanted + self._verdict(f"{label}: {cells[0]}, not {wanted}", cells[0] == wanted)
        self._print("  " + label, cells, goal)

    def end(self):
        print()
        for number, note in enumerate(self.notes, 1):
            print(f"[{number}] {note}")
        if self.missed:
            print("MISSED:", *self.missed, sep="\n  ")
        else:
            print("Everything that must be reached is reached.")

    def _print(self, label, cells, goal):
        line = f"{label:<{LABEL_WIDTH}}" + "".join(f"{cell:>{VALUE_WIDTH}}" for cell in cells)
        print(f"{line}   {goal}".rstrip(), flush=True)

    def _cell(self, value, unit):
        if isinstance(value, Unavailable):
            if str(value) not in self.notes:
                self.notes.append(str(value))
            return f"n/a [{self.notes.index(str(value)) + 1}]"
        if isinstance(value, str):
            return value
        return f"{_number(value)} {unit}".rstrip()

    def _verdict(self, complaint, reached):
        if reached:
            return "  ok"
        self.missed.append(f"{self.title}: {complaint}")
        return "  MISSED"


def _is_number(value):
    return isinstance(value, (int, float))


def _is_below(value, limit):
    return _is_number(value) and value < limit


def _times_better(values, better):
    ours, theirs = reversed(values) if better == "more" else values
    if better is None or not all(_is_number(value) and value > 0 for value in values):
        return ""
    return _number(theirs / ours)


def _number(value):
    """Three significant digits, never an exponent."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}"
