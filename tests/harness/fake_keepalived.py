# SPDX-License-Identifier: Apache-2.0
"""A keepalived that only pretends to serve UDP and SCTP listeners: a real one needs IPVS in the
kernel. What it does stands in fake_keepalived.sh."""

import pathlib

PROGRAM = pathlib.Path(__file__).with_name("fake_keepalived.sh")


class FakeKeepalived:
    """What the fake ones of one amphora did, and what fails from now on. Make it before the agent
    starts. checker: the real keepalived that judges configs, if any."""

    def __init__(self, amphora, version="2.2.7", checker=""):
        self.path = amphora.directory / "keepalived.log"
        self._told = 0
        # Whoever starts it, it gets its environment.
        amphora.drop_in.set("agent", "keepalived_cmd", amphora.write_script(
            "fake-keepalived",
            f"export FAKE_KEEPALIVED_LOG={self.path} FAKE_KEEPALIVED_VERSION={version} "
            f"FAKE_KEEPALIVED_CHECKER={checker}\n"
            f'exec {PROGRAM} "$@"\n'))

    def steps(self):
        """The words since the last call: "check", "start", "reload", "stop"."""
        if not self.path.exists():
            return []
        lines = self.path.read_text().splitlines()[self._told:]
        self._told += len(lines)
        return [line.split()[0] for line in lines]

    def fail(self, *steps):
        new = self.path.with_name(self.path.name + ".fail.new")
        new.write_text("\n".join(steps) + "\n")
        new.rename(self.path.with_name(self.path.name + ".fail"))
