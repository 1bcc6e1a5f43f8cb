# SPDX-License-Identifier: Apache-2.0
"""The agent's configuration file, in the shape in which a controller writes it, and our drop-in."""


class AgentConfig:
    """Sections of keys; `set` one, then `text()`."""

    def __init__(self, sections):
        self._sections = {name: dict(keys) for name, keys in sections.items()}

    def copy(self):
        return AgentConfig(self._sections)

    def get(self, section, key):
        return self._sections[section][key]

    def set(self, section, key, value):
        """None removes the key. Returns the configuration, for chaining."""
        keys = self._sections.setdefault(section, {})
        if value is None:
            keys.pop(key, None)
        else:
            keys[key] = value
        return self

    def text(self):
        blocks = []
        for section, keys in self._sections.items():
            lines = [f"[{section}]"] + [f"{key} = {value}" for key, value in keys.items()]
            blocks.append("\n".join(lines) + "\n")
        return "\n" + "\n".join(blocks)


def controller_config(amphora_id, base_path, certificates, bind_host, bind_port):
    """What a controller's template gives for one amphora, on paths of a throw-away directory."""
    return AgentConfig({
        "DEFAULT": {
            "debug": "True",
            "use_syslog": "True",
            "syslog_log_facility": "LOG_LOCAL1",
        },
        "haproxy_amphora": {
            "base_cert_dir": f"{base_path}/certs",
            "base_path": base_path,
            "bind_host": bind_host,
            "bind_port": bind_port,
            "haproxy_cmd": "/usr/sbin/haproxy",
            "user_log_facility": 0,
            "administrative_log_facility": 1,
        },
        "health_manager": {
            "controller_ip_port_list": "",
            "heartbeat_interval": 1,
            "heartbeat_key": "insecure",
        },
        "amphora_agent": {
            "agent_server_ca": f"{certificates}/client_ca.pem",
            "agent_server_cert": f"{certificates}/server.pem",
            "agent_server_network_dir": f"{base_path}/interfaces",
            "agent_request_read_timeout": 180,
            "amphora_id": amphora_id,
            "amphora_udp_driver": "keepalived_lvs",
            "agent_tls_protocol": "TLSv1.2",
        },
        "controller_worker": {
            "loadbalancer_topology": "SINGLE",
        },
    })


def drop_in(runtime_dir, network_namespace=""):
    """What is ours alone and survives PUT /1.0/config."""
    return AgentConfig({
        "agent": {
            "service_manager": "direct",
            "network_namespace": network_namespace,
            "runtime_dir": runtime_dir,
            # Amphorae without a namespace of their own would all want the same port.
            "prometheus_port": 0,
        },
    })
