# SPDX-License-Identifier: Apache-2.0
"""How an amphora ends: by nova's power button and by a reboot, in order and soon; and how long a reboot
takes."""

import re
import time

# Half of what nova gives a guest before it pulls the plug ([compute] shutdown_timeout).
OFF_S = 30
# systemd kills what has not ended after 90 s. Nothing of ours takes long.
STOP_S = 20

STOPS = "/var/log/stops"
SENDER, HAPROXY, LVS = "amphora-heartbeat", "haproxy-", "octavia-keepalivedlvs-"


def ends_of_units(journal):
    """{unit: (when it was asked to stop, when it had stopped)} in seconds, from a journal that ended
    with a shutdown."""
    ends = {}
    for line in journal.splitlines():
        if found := re.match(r"\[ *([\d.]+)\] .* systemd\[1\]: (Stopping|Stopped) (\S+?)\.service", line):
            begin, _ = ends.get(found[3], (None, None))
            ends[found[3]] = ((float(found[1]), None) if found[2] == "Stopping"
                              else (begin, float(found[1])))
    return ends


def test_the_power_button_ends_an_amphora_in_order(amphora, balancer, health_manager, figure):
    machine = amphora.machine
    health_manager.next_beat(balancer.is_told, "a heartbeat tells of everything", 60)
    pressed_s = time.monotonic()
    machine.press_power_button()
    machine.wait_until_off(OFF_S)
    figure("power button to power off", f"{time.monotonic() - pressed_s:.1f} s")
    assert "Power down" in machine.console()
    machine.start()
    balancer.wait_until_served(180)


def test_at_a_shutdown_the_sender_falls_silent_first(amphora, balancer, health_manager, figure):
    shell = amphora.machine.shell
    health_manager.next_beat(balancer.is_told, "a heartbeat tells of everything", 60)
    # The journal of the image ends with the machine; the test's shell is there to its very end.
    shell.run(f"setsid journalctl --follow --output=short-monotonic _PID=1 >{STOPS} 2>&1 &")
    began_s = time.monotonic()
    amphora.reboot()
    figure("reboot to the agent's first answer", f"{time.monotonic() - began_s:.1f} s")
    ends = ends_of_units(shell.run(f"cat {STOPS}"))
    def of(prefix):
        return next(end for unit, end in ends.items() if unit.startswith(prefix))
    assert of(SENDER)[1] <= min(of(HAPROXY)[0], of(LVS)[0])
    assert all(stopped - asked < STOP_S for asked, stopped in ends.values() if asked and stopped)
    took_s = max(stopped for _, stopped in ends.values() if stopped) - min(
        asked for asked, _ in ends.values() if asked)
    figure("  of which all services need to stop", f"{took_s:.1f} s")


def test_a_reset_needs_nobody_to_listen(amphora, balancer):
    before = amphora.machine.boot_id()
    amphora.machine.monitor.execute("system_reset")
    amphora.machine.shell.close()
    amphora.wait_for_boot(before)
    balancer.wait_until_served()
