# SPDX-License-Identifier: Apache-2.0
"""Tells the story: numbered steps, each command as it is run, what came of it."""

import shutil
import subprocess
import sys
import textwrap

INDENT = "     "


class Narrator:
    def __init__(self, folder):
        self.folder = folder
        self.steps = 0
        self.width = min(shutil.get_terminal_size((100, 24)).columns, 110) - len(INDENT)

    def step(self, title):
        self.steps += 1
        title = f"{self.steps:>3}. {title}"
        print("\n" + (f"\033[1m{title}\033[0m" if sys.stdout.isatty() else title), flush=True)

    def say(self, text):
        for line in text.splitlines():
            print(INDENT + line, flush=True)

    def command(self, command, show_output=True):
        """Shows a shell command, runs it in the demo's folder; its output, stderr included."""
        self._show(command)
        done = subprocess.run(["sh", "-c", command], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if show_output:
            for line in done.stdout.splitlines():
                self.say(textwrap.fill(line, self.width, subsequent_indent="  ",
                                       break_on_hyphens=False))
        return done.stdout

    def _show(self, command):
        """With a backslash where the shell would need one to take it over two lines."""
        lines = textwrap.wrap(command, self.width - 4, subsequent_indent="    ",
                              break_long_words=False, break_on_hyphens=False)
        self.say("$ " + " \\\n".join(lines))
