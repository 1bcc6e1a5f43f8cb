# SPDX-License-Identifier: Apache-2.0
"""The power goes while the controller changes something: what was acknowledged is there at the next
boot, what was not is there wholly or not at all."""

import http.client
import itertools
import json
import random
import subprocess
import threading
import time

from harness import certificates
from harness.plugging import fixed_ip, network_body, plug_network

ROUNDS = 3
# The first changes have been acknowledged by then, even on an emulated machine.
EARLIEST_S, LATEST_S = 3, 8
LATE_MAC, LATE_IP = "fa:16:3e:00:00:53", "203.0.113.40"


class Changes:
    """One change after the other until the machine no longer answers: `tried` is the last one's number,
    `acknowledged` the last one's that succeeded, or what was in force before."""

    def __init__(self, change, numbers, in_force):
        self.tried = self.acknowledged = in_force
        self._numbers = numbers
        self._change = change
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        for self.tried in self._numbers:
            try:
                self._change(self.tried)
            except (OSError, http.client.HTTPException):
                return
            self.acknowledged = self.tried

    def wait(self):
        """Until the machine's end is noticed."""
        self._thread.join()

    def possible(self):
        return {self.acknowledged, self.tried}


class Scene:
    """What is changed: the load balancer, the server's certificate, an interface."""

    def __init__(self, balancer):
        self.balancer = balancer
        self.amphora = balancer.amphora
        self.identities = {0: None}

    def change_model(self, number):
        self.balancer.apply(self.balancer.model(connection_limit=number))

    def change_certificate(self, number):
        identity = certificates.amphora_authority().issue(self.amphora.id)
        self.identities[number] = identity.serial_number
        answer = self.amphora.api.put("/1.0/certificate", identity.pem)
        assert answer.status == 202, answer

    def plug(self, _=None):
        answer = plug_network(self.amphora, network_body(LATE_MAC, fixed_ip(LATE_IP)))
        assert answer.status in (202, 404), answer
        if answer.status == 404:
            raise http.client.HTTPException("the NIC has not come up yet")

    def model_number(self):
        path = f"/1.0/loadbalancer/{self.balancer.id}/model"
        model = self.amphora.api.get(path).json
        return model["loadbalancer"]["listeners"][0]["connection_limit"]

    def certificate_number(self):
        serial = self.amphora.api.server_certificate_serial()
        return next(number for number, known in self.identities.items() if known == serial)

    def has_late_interface(self):
        return LATE_IP in self.amphora.machine.shell.run(
            "ip netns exec amphora-haproxy ip address show")


def check_file_system(machine):
    """e2fsck's opinion of the disk of a machine that is off."""
    raw = machine.folder / "disk.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", machine.disk, raw], check=True)
    table = json.loads(subprocess.run(["sfdisk", "--json", raw], check=True, capture_output=True).stdout)
    start = table["partitiontable"]["partitions"][-1]["start"] * table["partitiontable"]["sectorsize"]
    done = subprocess.run(["e2fsck", "-f", "-n", f"{raw}?offset={start}"], text=True,
                          capture_output=True, check=False)
    raw.unlink()
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_acknowledged_survives_a_power_cut(amphora, balancer, bed, health_manager, figure):
    machine, scene = amphora.machine, Scene(balancer)
    scene.identities[0] = amphora.api.server_certificate_serial()
    scene.change_model(1)
    numbers = [itertools.count(2), itertools.count(1), itertools.count(1)]
    in_force = [1, 0, 0]
    machine.add_nic(bed.open_tap("member"), LATE_MAC)
    for _ in range(ROUNDS):
        model, certificate, plug = running = [
            Changes(*of) for of in zip((scene.change_model, scene.change_certificate, scene.plug),
                                       numbers, in_force)]
        time.sleep(random.uniform(EARLIEST_S, LATEST_S))
        machine.power_cut()
        for changes in running:
            changes.wait()
        figure("changes tried, and the last one acknowledged, before a power cut",
               f"models {model.tried}, {model.acknowledged}; certificates {certificate.tried}, "
               f"{certificate.acknowledged}")
        machine.start()
        amphora.wait_for_boot()
        in_force = [scene.model_number(), scene.certificate_number(), plug.acknowledged]
        assert in_force[0] in model.possible()
        assert in_force[1] in certificate.possible()
        assert not plug.acknowledged or scene.has_late_interface()
        scene.plug()
        assert scene.has_late_interface()
        balancer.wait_until_served()
        # What the boot has started is not killed by who takes a change back.
        assert "code=killed" not in machine.shell.run("journalctl --no-pager _PID=1")
        health_manager.next_beat(balancer.is_told, "it beats and tells of everything", 60)
    machine.press_power_button()
    machine.wait_until_off()
    check_file_system(machine)
