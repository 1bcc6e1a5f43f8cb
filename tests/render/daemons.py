# SPDX-License-Identifier: Apache-2.0
"""What the daemons themselves say of a text: haproxy -c, and keepalived's test as agent/keepalived/check.c
judges it (its exit status alone says little)."""

import pathlib
import subprocess

from render import suite

# One in how many load balancers is put before the daemons: a check takes longer than the rest.
ONE_IN = 5
# keepalived's complaints that are none of a text's: scripts run as root, and pools without members.
KEEPALIVED_IGNORED = ("SECURITY VIOLATION", "keepalived_script", "has no real servers",
                      "Non-existent interface specified", "WARNING - interface ")
KEEPALIVED_STATUSES = (0, 4, 5, 6)
# What HAProxy refuses of Octavia's own texts, by the rules that say why:
# httpchk_names_its_host_apart, htx_is_no_option, check_addresses_stand_in_brackets.
OCTAVIAS_MISTAKES = ("'option httpchk' : hiding headers or body at the end of the version string",
                     "unknown option 'http-use-htx'", "'addr' : invalid character",
                     "'addr' : port ")


class Check:
    """folder: base_path of both sides, where certificates lie under the names that configs say."""

    def __init__(self, folder, certificates):
        self.folder = pathlib.Path(folder)
        self.common = self.folder / "all-certificates"
        self.common.mkdir()
        certificates.write_to(self.common)
        (self.folder / "certs").mkdir()

    def lay_out(self, lb_id):
        """The certificates where a load balancer has them."""
        (self.folder / "certs" / lb_id).symlink_to(f"../{self.common.name}")

    @staticmethod
    def is_chosen(number):
        return number % ONE_IN == 0

    def of(self, comparison):
        """Every complaint of one load balancer's texts."""
        self.lay_out(comparison.case.description["id"])
        for name, content in comparison.case.uploads.items():
            if name.startswith("certs/"):
                (self.folder / name).write_text(content)
        for side, texts in (("octavia", comparison.octavias), ("ours", comparison.ours)):
            for name, text in texts.items():
                says = haproxy if name == "haproxy.cfg" else keepalived
                complaint = says(self.folder / f"{side}-{name}", text)
                if complaint and not (side == "octavia" and is_octavias_mistake(complaint)):
                    yield f"{side}: {name}: {complaint}\n{text}"


def run(*words):
    return subprocess.run(suite.command(*words), capture_output=True, text=True, timeout=60,
                          check=False)


def is_octavias_mistake(complaint):
    """Every line that HAProxy does not take is one of those."""
    lines = [line for line in complaint.splitlines() if "[ALERT]" in line and ".cfg:" in line]
    return bool(lines) and all(any(part in line for part in OCTAVIAS_MISTAKES) for line in lines)


def haproxy(path, text):
    path.write_text(text)
    made = run("haproxy", "-c", "-f", suite.inside(path))
    return f"exit status {made.returncode}: {made.stderr}" if made.returncode != 0 else ""


def keepalived(path, text):
    path.write_text(text)
    made = run("keepalived", "--config-test", "-f", suite.inside(path))
    complaints = [line for line in (made.stdout + made.stderr).splitlines()
                  if not any(part in line for part in KEEPALIVED_IGNORED)]
    if made.returncode not in KEEPALIVED_STATUSES:
        complaints.append(f"exit status {made.returncode}")
    return "\n".join(complaints)
