# SPDX-License-Identifier: Apache-2.0
"""explore"""
import time
import pytest
from octavia.common import constants

from harness import network_bed as net
from harness.eventually import eventually
from harness.neutron import MEMBER_SUBNET, MEMBER_SUBNET_6, VIP_SUBNET_6
from harness.plugging import MEMBER_IP, MEMBER_IP_6, VIP, VIP_6
from harness.site import Site


def test_explore(amphora, controller, bed, add_nic, resources):
    sh = amphora.machine.shell
    t = time.monotonic()
    def lap(what):
        nonlocal t
        n = time.monotonic(); print(f"LAP {what}: {n - t:.2f}"); t = n
    site = Site(controller, add_nic, additional=[(VIP_6, VIP_SUBNET_6)])
    lap("site")
    site.plug_vip()
    lap("plug vip")
    site.plug_network((MEMBER_IP, MEMBER_SUBNET), (MEMBER_IP_6, MEMBER_SUBNET_6))
    lap("plug network")
    one = resources.enter_context(bed.web_server("one", net.MEMBERS[0]))
    two = resources.enter_context(bed.web_server("two", net.MEMBERS[1]))
    six = resources.enter_context(bed.web_server("six", net.MEMBERS_6[0]))
    http, pool, members = site.add_listener("HTTP", 80, [one, two, six], "HTTP")
    tcp, tpool, tmembers = site.add_listener("TCP", 81, [one, two], "PING")
    dns, dpool, dmembers = site.add_listener("UDP", 53, [one, two], "UDP-CONNECT")
    sctp, spool, smembers = site.add_listener("SCTP", 53, [one], "SCTP")
    site.update()
    lap("update")
    for i in range(4):
        print(bed.ask(VIP, 80), bed.ask(VIP_6, 80), bed.ask(VIP, 81, bed.neighbour))
    lap("asks")
    try:
        controller.wait_for(site.id, {m: "ONLINE" for m in members + tmembers}, 40)
    except AssertionError as e:
        print(e)
    lap("wait")
    print(controller.operating_statuses(site.id))
    print(sh.run("systemctl show -p LimitNOFILE 'haproxy-*'; ip netns exec amphora-haproxy nft list ruleset; ip netns exec amphora-haproxy ipvsadm -Ln; ip netns exec amphora-haproxy ip a; ip netns exec amphora-haproxy sysctl net.ipv4.vs.conntrack net.ipv4.vs net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.ip_nonlocal_bind; ps axf -o user,pid,ppid,args; systemctl --failed; cat /etc/systemd/system/octavia-keepalivedlvs*.service"))
    print(sh.run("journalctl --no-pager -o short-monotonic -p warning"))
    print(sh.run("journalctl --no-pager -o short-monotonic --since -120"))
    assert 0
