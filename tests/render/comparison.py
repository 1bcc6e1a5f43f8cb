# SPDX-License-Identifier: Apache-2.0
"""One load balancer rendered by both sides, and what differs between them."""

import collections
import copy
import difflib
import json
import pathlib
import shutil
import subprocess

from harness import keepalived_text
from harness.amphora import BUILD
from harness.haproxy_text import Configuration

from render import meaning, our_side, shrink, suite
from render.certificates import Certificates
from render.generator import generate
from render.rules import RULES, Case
from render.stand_ins import StandIns

FOLDER = pathlib.Path(__file__).parent
PARSE = {"haproxy": Configuration, "lvs": keepalived_text.parse, "vrrp": keepalived_text.parse}
MEANING = {"haproxy": meaning.of_haproxy, "lvs": meaning.of_keepalived,
           "vrrp": meaning.of_keepalived}


class Octavia:
    """Its program (octavia_side.py), which answers one load balancer after the other."""

    def __init__(self, folder, certificates):
        """folder: suite.temporary_folder()'s, the base_path of both sides."""
        program = (FOLDER / "octavia_side.py").read_text()  # not every chroot has this folder
        self.process = subprocess.Popen(
            suite.command("/usr/bin/python3", "-c", program, str(suite.inside(folder))),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.release = self._ask({"vault": certificates.vault,
                                  "haproxy": suite.haproxy_version()})["release"]

    def _ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("octavia_side.py ended")
        return json.loads(answer)

    def render(self, description):
        """({name: text}, the stand-ins that they hold)."""
        own = copy.deepcopy(description)
        stand_ins = StandIns(own)
        return self._ask(own), stand_ins

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=60)


class Ours:
    """amphoractl, called for each load balancer."""

    def __init__(self, folder, certificates):
        self.base_path = suite.inside(folder)
        self.certificates = certificates
        self.path = pathlib.Path(folder) / "model.json"
        self.output = pathlib.Path(folder) / "output"

    def model(self, description):
        return our_side.model_of(description, self.certificates.file_name)

    def render(self, description):
        """{name: text}, named like Octavia's."""
        self.path.write_text(json.dumps(self.model(description), ensure_ascii=False))
        self._amphoractl("--output", self.output)
        made = self.output / description["id"]
        texts = {path.name: path.read_text() for path in made.iterdir()}
        if "haproxy.cfg" not in texts:  # nothing to serve: Octavia says even that
            texts["haproxy.cfg"] = self._amphoractl()
        shutil.rmtree(made)
        return texts

    def _amphoractl(self, *options):
        run = subprocess.run(
            [BUILD / "amphoractl", "render", "--base-path", self.base_path, *options, self.path],
            capture_output=True, text=True, timeout=60, check=False)
        if run.returncode != 0:
            raise ValueError(f"refused: {run.stderr}")
        return run.stdout


class Comparison:
    """differences: a text for each name under which the two say something else; used: how often each
    rule had something to change."""

    def __init__(self, description, octavia, ours):
        uploads, stand_ins = octavia.render(description)
        self.used = collections.Counter()
        self.differences = []
        self.release = octavia.release
        self.case = Case(ours.base_path, description, uploads, stand_ins)
        self.octavias = {name: text for name, text in uploads.items() if "/" not in name}
        try:
            self.ours = ours.render(description)
            self.differences += [f"{name} is not rendered"
                                 for name in self.octavias if name not in self.ours]
            for name in set(self.octavias) & set(self.ours):
                self._compare(name)
        except ValueError as error:
            self.differences.append(str(error))

    def _compare(self, name):
        lines = self._lines(name, self.ours[name])
        if lines["octavia"] != lines["ours"]:
            self.differences.append("\n".join(difflib.unified_diff(
                lines["octavia"], lines["ours"], f"octavia: {name}", f"ours: {name}", "", "",
                lineterm="")))

    def _lines(self, name, text):
        """What each side says, after the rules."""
        kind = "haproxy" if name == "haproxy.cfg" else name.split("-")[1]
        sides = {"octavia": PARSE[kind](self.octavias[name]), "ours": PARSE[kind](text)}
        for rule in RULES:
            if kind in rule.kinds and rule.applies_to(self.release):
                self.used[rule.name] += rule.apply(self.case, sides[rule.side])
        lines = {side: MEANING[kind](parsed) for side, parsed in sides.items()}
        if kind == "lvs":
            lines["octavia"] += meaning.comments(self.octavias[name])
            lines["ours"] += meaning.comments(text)
        return lines

    def notices(self, name, text):
        """Whether the text would be found to differ, in our text's place."""
        try:
            lines = self._lines(name, text)
        except (ValueError, IndexError):
            return True
        return lines["octavia"] != lines["ours"]


def explain(seed, number):
    """What differs in one load balancer, and the smallest part of it that still does."""
    certificates = Certificates()
    with suite.temporary_folder() as folder:
        octavia, ours = Octavia(folder, certificates), Ours(folder, certificates)
        try:
            smallest = shrink.smallest(
                generate(seed, number),
                lambda description: bool(Comparison(description, octavia, ours).differences))
            comparison = Comparison(smallest, octavia, ours)
            model = json.dumps(ours.model(smallest), indent=1, ensure_ascii=False)
        finally:
            octavia.close()
    return "\n".join([f"seed {seed}, load balancer {number}, as small as it gets:", model,
                      *comparison.differences])
