# SPDX-License-Identifier: Apache-2.0
"""The other side of SCTP listeners: a client and members in a virtual machine of the same image, for its
kernel speaks SCTP where the host's may not. It is no amphora: its agent is stopped."""

from harness import network_bed as net
from harness.eventually import eventually

CLIENT, CLIENT_6 = "198.51.100.220", "2001:db8:1::220"
MEMBERS, MEMBERS_6 = ("203.0.113.221", "203.0.113.222"), ("2001:db8:2::221",)
PORT = 2905

NETWORKS = {
    "client": ("vip", (f"{CLIENT}/24", f"{CLIENT_6}/64")),
    "members": ("member", [f"{address}/24" for address in MEMBERS]
                + [f"{address}/64" for address in MEMBERS_6])}

# Answers every association with the address that it came to.
SERVE = """\
use strict;
use Socket qw(:DEFAULT :addrinfo IPPROTO_SCTP);
my ($address, $port) = @ARGV;
my ($error, $at) = getaddrinfo($address, $port, {flags => AI_NUMERICHOST, socktype => SOCK_STREAM});
socket(my $server, $at->{family}, SOCK_STREAM, IPPROTO_SCTP) or die "socket: $!";
setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
bind($server, $at->{addr}) or die "bind: $!";
listen($server, 16) or die "listen: $!";
while (accept(my $connection, $server)) {
    syswrite($connection, $address) if sysread($connection, my $message, 65536);
    close($connection);
}
"""

# Asks so many times, each in an association of its own; a line for each says who answered.
ASK = """\
use strict;
use Socket qw(:DEFAULT :addrinfo IPPROTO_SCTP);
my ($address, $port, $count) = @ARGV;
my ($error, $to) = getaddrinfo($address, $port, {flags => AI_NUMERICHOST, socktype => SOCK_STREAM});
alarm(20);
for (1 .. $count) {
    socket(my $client, $to->{family}, SOCK_STREAM, IPPROTO_SCTP) or die "socket: $!";
    connect($client, $to->{addr}) or die "connect: $!";
    syswrite($client, "x" x 100) or die "write: $!";
    sysread($client, my $answer, 65536) or die "read: $!";
    print "$answer\\n";
    close($client);
}
"""


class SctpMember:
    """To a Controller a server; on the machine a unit."""

    port = PORT

    def __init__(self, machine, address):
        self.address = address
        self._shell = machine.shell
        self._unit = f"member-{address.replace(':', '-')}"
        self.start()

    def start(self):
        """It listens soon: whoever waits waits for its monitor."""
        self._shell.run(f"systemd-run --quiet --unit={self._unit} --collect "
                        f"ip netns exec members perl /run/serve.pl {self.address} {PORT}")

    def stop(self):
        self._shell.run(f"systemctl stop {self._unit}")


class SctpMachine:
    """Of a VirtualMachine that runs, with two NICs in the bed."""

    def __init__(self, machine, bed):
        self.shell = machine.shell
        self.shell.run("systemctl stop amphora-agent amphora-heartbeat prometheus-proxy")
        for name, source in (("serve", SERVE), ("ask", ASK)):
            self.shell.run(f"cat >/run/{name}.pl <<'PERL'\n{source}PERL")
        for namespace, (network, addresses) in NETWORKS.items():
            mac = net.new_mac()
            machine.add_nic(bed.open_tap(network), mac)
            self._attach(mac, namespace, addresses)

    def _attach(self, mac, namespace, addresses):
        find = f"grep -l {mac} /sys/class/net/*/address"
        path = eventually(lambda: self.shell.ask(find)[1].strip(), "the NIC is there", 30)
        name = path.split("/")[4]
        lines = [f"ip netns add {namespace}", f"ip link set {name} netns {namespace} name nic",
                 *(f"ip -n {namespace} address add {address} dev nic"
                   + (" nodad" if ":" in address else "") for address in addresses),
                 f"ip -n {namespace} link set lo up", f"ip -n {namespace} link set nic up"]
        self.shell.run("set -e\n" + "\n".join(lines))

    def serve(self, address):
        return SctpMember(self, address)

    def ask(self, address, count):
        """Who answered so many associations through a listener on PORT, in order."""
        return self.shell.run(
            f"ip netns exec client perl /run/ask.pl {address} {PORT} {count}", 60).split()
