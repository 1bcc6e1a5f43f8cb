# SPDX-License-Identifier: Apache-2.0
"""The demo's story: each step shows a command and its result, and checks what it observed."""

import json
import pathlib
import sys
import time

import amphora
import certificates
import network
import processes

HERE = pathlib.Path(__file__).resolve().parent
WEB_SERVERS = {f"web-{number}": address
               for number, address in enumerate(network.MEMBER_ADDRESSES, 1)}
WAIT_S = 15

PICTURE = f"""\
                 {network.AMPHORA}, the VM
you {network.CONTROLLER_ADDRESS}  ---- {network.AMPHORA_ADDRESS}, the agent         namespace {network.MEMBERS}
    {network.CLIENT_ADDRESS} ---- NIC {network.VIP_MAC}
                     NIC {network.MEMBER_MAC} ---- 198.51.100.4:8080 web-1
                                               198.51.100.5:8080 web-2
                                               198.51.100.6:8080 web-3
"""


class NotObserved(Exception):
    """A step whose result is not what it has to be."""


def expect(condition, what):
    if not condition:
        raise NotObserved(what)


def wait_for(what, probe):
    """Asks probe until its answer is true; that answer, and after how many seconds it came."""
    start_s = time.monotonic()
    while True:
        answer = probe()
        waited_s = time.monotonic() - start_s
        if answer:
            return answer, waited_s
        expect(waited_s < WAIT_S, f"{what}, within {WAIT_S} s")
        time.sleep(0.1)


class Story:
    def __init__(self, narrator, folder):
        self.narrator = narrator
        self.say = narrator.say
        self.folder = folder
        self.amphora = amphora.Amphora(folder)
        self.processes = processes.Processes(folder)
        self.web_pids = {}

    def tell(self):
        self.set_the_scene()
        self.start_the_agent()
        self.refuse_strangers()
        self.plug_the_nics()
        self.create_a_load_balancer()
        self.show_round_robin()
        self.show_a_heartbeat()
        self.stop_a_server()
        self.bring_it_back()
        self.weight_a_server()

    # The steps.

    def set_the_scene(self):
        self.narrator.step("A network, certificates, three web servers, a health manager")
        network.setup()
        certificates.make(self.folder, amphora.ID, network.AMPHORA_ADDRESS)
        for name in WEB_SERVERS:
            self.start_web_server(name)
        self.processes.start("health-manager", [
            sys.executable, HERE / "health_manager.py", network.CONTROLLER_ADDRESS,
            str(self.amphora.health_port), amphora.HEARTBEAT_KEY])
        self.say(PICTURE)
        self.say(f"Everything is in {self.folder}: ca.pem, server.pem (the amphora's), client.pem")
        self.say("(yours: you are the controller), configuration, logs.")

    def start_the_agent(self):
        self.narrator.step("The agent starts, and its heartbeat with it")
        self.amphora.configure()
        self.say(f"$ nsenter --net=/run/netns/{network.AMPHORA} amphora-agent "
                 "--config-file agent.conf --config-dir conf.d &")
        self.processes.start("agent", self.amphora.command())
        wait_for("the agent listens", self.agent_listens)
        answer = self.narrator.command(self.amphora.curl(f"{self.amphora.api}/info"))
        expect("haproxy_version" in answer, "the agent tells who it is")

    def refuse_strangers(self):
        self.narrator.step("Without a certificate of its CA nobody gets a word")
        answer = self.narrator.command(
            f"curl -s --cacert ca.pem {self.amphora.api}/info || echo refused: curl ends with $?")
        expect("refused" in answer and "haproxy_version" not in answer,
               "a client without a certificate is refused")

    def plug_the_nics(self):
        self.narrator.step("The controller plugs the VIP and the members' network: NICs by their MACs")
        for body, path, wanted in (
                ("plug-vip.json", f"vip/{network.VIP}", "plugged on interface eth1"),
                ("plug-network.json", "network", "Plugged on interface eth2")):
            self.narrator.command(f"cat {body}")
            answer = self.narrator.command(
                self.amphora.curl(f"-d @{body} {self.amphora.api}/plug/{path}"))
            expect(wanted in answer, f"the agent takes {body}")
        state = self.narrator.command(f"ip -n {network.HAPROXY} -4 -brief address")
        expect(f"{network.VIP}/32" in state and f"{network.MEMBER_IP}/24" in state,
               "the addresses are there")

    def create_a_load_balancer(self):
        self.narrator.step("A load balancer as data: one PUT renders, checks, installs, starts")
        self.put_model({})

    def show_round_robin(self):
        self.narrator.step("Round robin")
        order = self.ask_vip(6)
        expect(sorted(order[:3]) == sorted(WEB_SERVERS) and order[3:] == order[:3],
               "each web server in its turn")

    def show_a_heartbeat(self):
        self.narrator.step("Every second the health manager hears from the amphora")
        self.wait_for_heartbeat({name: "UP" for name in WEB_SERVERS})

    def stop_a_server(self):
        self.narrator.step("web-2 stops: three failed checks, a second apart, and it is DOWN")
        self.narrator.command(f"kill {self.web_pids['web-2']}")
        self.processes.reap("web-2")
        self.wait_for_status({"web-1": "ONLINE", "web-2": "ERROR", "web-3": "ONLINE"})
        self.wait_for_heartbeat({"web-1": "UP", "web-2": "DOWN", "web-3": "UP"})
        expect(set(self.ask_vip(4)) == {"web-1", "web-3"}, "no request goes to web-2")

    def bring_it_back(self):
        self.narrator.step("web-2 is back: two good checks, and it takes its turn again")
        self.start_web_server("web-2")
        self.wait_for_status({name: "ONLINE" for name in WEB_SERVERS})
        self.wait_for_heartbeat({name: "UP" for name in WEB_SERVERS})
        expect(set(self.ask_vip(6)) == set(WEB_SERVERS), "web-2 answers again")

    def weight_a_server(self):
        self.narrator.step("web-1 gets three times the weight")
        self.put_model({"web-1": 3})
        order = self.ask_vip(10)
        counts = {name: order.count(name) for name in WEB_SERVERS}
        self.say(", ".join(f"{name} {count}" for name, count in counts.items()))
        expect(5 <= counts["web-1"] <= 7 and counts["web-2"] and counts["web-3"],
               "web-1 gets three of five requests")

    def say_how_to_go_on(self):
        curl = self.amphora.curl
        self.narrator.step("Go on yourself, as root in another shell")
        self.say(f"cd {self.folder}")
        self.say(f"curl http://{network.VIP}/")
        for what in ("status", "model", "haproxy"):
            self.say(curl(f"{self.amphora.load_balancer}/{what}"))
        self.say(curl(f"-T model.json {self.amphora.model}"))
        self.say(curl(f"-T model.json '{self.amphora.model}?dry_run=true'"))
        self.say(f"kill {self.web_pids['web-3']}    # web-3")
        self.say("tail -f health-manager.log agent.log")
        self.say(f"ip netns exec {network.HAPROXY} ss -tln")
        self.say("\nCtrl-C here ends the demo and takes all of it away.")

    # What they are made of.

    def start_web_server(self, name):
        self.web_pids[name] = self.processes.start(name, network.command_inside(
            network.MEMBERS, [sys.executable, HERE / "web_server.py", WEB_SERVERS[name],
                              str(amphora.WEB_PORT), name]))

    def agent_listens(self):
        expect(not self.processes.has_ended("agent"), "the agent goes on running")
        return self.amphora.listens()

    def put_model(self, weights):
        self.amphora.write_model(WEB_SERVERS, weights)
        self.narrator.command("cat model.json")
        answer = self.narrator.command(self.amphora.curl(f"-T model.json {self.amphora.model}"))
        expect('"OK"' in answer, "the agent takes the model")

    def ask_vip(self, times):
        """Who answered, in order."""
        numbers = " ".join(map(str, range(1, times + 1)))
        order = self.narrator.command(
            f"for i in {numbers}; do curl -s http://{network.VIP}/; done | xargs").split()
        expect(len(order) == times, f"{times} answers to {times} requests")
        return order

    def wait_for_status(self, wanted):
        """wanted: the members' operating statuses."""
        def probe():
            return {member["id"]: member["operating_status"]
                    for member in self.amphora.members()} == wanted

        _, waited_s = wait_for(f"a status tree with {wanted}", probe)
        self.say(f"... {waited_s:.1f} s later:")
        self.narrator.command(self.amphora.curl(f"{self.amphora.load_balancer}/status"),
                              show_output=False)
        for member in self.amphora.members():
            check = member["last_check"]
            self.say(f"... {member['id']}: {member['operating_status']}, {member['state']} for "
                     f"{member['seconds_since_last_change']} s, last check {check['result']} "
                     f"{check['text']}".rstrip())

    def wait_for_heartbeat(self, wanted):
        """wanted: the members' statuses, in a heartbeat that comes from now on."""
        seen = len(self.heartbeats())

        def probe():
            return next((beat for beat in self.heartbeats()[seen:]
                         if [pool["members"] for pool in beat["pools"].values()] == [wanted]), None)

        beat, _ = wait_for(f"a heartbeat with {wanted}", probe)
        listener = next(iter(beat["listeners"].values()))
        states = ", ".join(f"{name} {status}" for name, status in wanted.items())
        self.say(f"heartbeat {beat['seq']}: {beat['bytes']} bytes, HMAC {beat['hmac']}, "
                 f"listener {listener['status']}, {states}")

    def heartbeats(self):
        """What the health manager has printed, whole lines only."""
        text = self.processes.log_path("health-manager").read_text()
        beats = [json.loads(line) for line in text.splitlines(keepends=True)
                 if line.startswith("{") and line.endswith("\n")]
        expect(all(beat["hmac"] == "good" for beat in beats), "every heartbeat's HMAC is good")
        return beats
