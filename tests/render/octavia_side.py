# SPDX-License-Identifier: Apache-2.0
"""What Octavia renders of load balancers: its own REST driver, with its own templates, on an amphora
that only keeps what it is sent. A program, because the suite of another release runs it in a chroot
of that release.

usage: octavia_side.py FOLDER

Stdin has a line of JSON each, stdout answers each with one: first {"vault": …, "haproxy": VERSION}
(answer: {"release": …}), then descriptions (generator.py), answered by {PATH: text, …}: haproxy.cfg,
keepalived-lvs-LISTENER.conf, keepalived-vrrp-AMPHORA.conf and certs/LB/NAME for what the driver
uploads. FOLDER is the amphora's base_path."""

import functools
import inspect
import json
import logging
import os
import sys

from octavia.amphorae.drivers.haproxy import rest_api_driver
from octavia.common import constants, data_models
from octavia.common.config import cfg
from oslo_log import log

PROJECT = "1234567890abcdef1234567890abcdef"


class Vault:
    """Barbican's place: references are names."""

    def __init__(self, secrets):
        self.secrets = secrets

    def get_cert(self, _context, reference, check_only=False):
        return Certificate(self.secrets[reference])

    def get_secret(self, _context, reference):
        return self.secrets[reference]


class Certificate:
    def __init__(self, secret):
        self.secret = secret

    def get_certificate(self):
        return self.secret["certificate"].encode()

    def get_private_key(self):
        return self.secret["key"].encode()

    def get_private_key_passphrase(self):
        return None

    def get_intermediates(self):
        return []


class Amphora:
    """The client's end of the REST API, as far as the driver calls it for a configuration."""

    def __init__(self, haproxy_version):
        self.haproxy_version = haproxy_version
        self.uploads = {}

    def get_api_version(self, *_, **__):
        return {"api_version": "1.0"}

    def get_info(self, *_, **__):
        return {"haproxy_version": self.haproxy_version}

    def get_details(self, *_, **__):
        return {}

    def get_cert_md5sum(self, *_, **__):
        return None

    def upload_cert_pem(self, _amphora, lb_id, name, pem):
        text = pem if isinstance(pem, str) else pem.decode()
        self.uploads[f"certs/{lb_id}/{name}"] = text

    def upload_config(self, _amphora, _lb_id, text, **_):
        self.uploads["haproxy.cfg"] = text

    def upload_udp_config(self, _amphora, listener_id, text, **_):
        self.uploads[f"keepalived-lvs-{listener_id}.conf"] = text

    def upload_vrrp_config(self, amphora, text):
        self.uploads[f"keepalived-vrrp-{amphora.id}.conf"] = text

    def reload_listener(self, *_, **__):
        pass


@functools.lru_cache(maxsize=None)
def known_fields(model):
    return frozenset(inspect.signature(model.__init__).parameters)


def make(model, **fields):
    """Fields that this release's model does not have yet are left out."""
    known = known_fields(model)
    return model(**{name: value for name, value in fields.items() if name in known})


def common(fields):
    return {"id": fields["id"], "project_id": PROJECT, "enabled": fields["admin_state_up"],
            "provisioning_status": "ACTIVE", "operating_status": "ONLINE"}


def take(fields, *names):
    return {name: fields[name] for name in names}


def make_monitor(monitor):
    return monitor and make(
        data_models.HealthMonitor, **common(monitor), rise_threshold=monitor["max_retries"],
        fall_threshold=monitor["max_retries_down"],
        **take(monitor, "type", "delay", "timeout", "http_method", "url_path", "expected_codes",
               "http_version", "domain_name"))


def make_member(member):
    return make(
        data_models.Member, **common(member), ip_address=member["address"],
        **take(member, "protocol_port", "weight", "backup", "monitor_address", "monitor_port"))


def make_pool(pool):
    persistence = pool["session_persistence"]
    return make(
        data_models.Pool, **common(pool), members=[make_member(m) for m in pool["members"]],
        health_monitor=make_monitor(pool["healthmonitor"]),
        session_persistence=persistence and make(data_models.SessionPersistence, **persistence),
        tls_certificate_id=pool["client_certificate"], ca_tls_certificate_id=pool["ca_certificate"],
        crl_container_id=pool["crl"],
        **take(pool, "name", "protocol", "lb_algorithm", "tls_enabled", "tls_ciphers",
               "tls_versions", "alpn_protocols"))


def make_rule(rule):
    return make(data_models.L7Rule, **common(rule),
                **take(rule, "type", "compare_type", "key", "value", "invert"))


def make_policy(policy, position, pools):
    return make(
        data_models.L7Policy, **common(policy), position=position,
        l7rules=[make_rule(rule) for rule in policy["rules"]],
        redirect_pool=pools.get(policy["redirect_pool_id"]),
        **take(policy, "action", "redirect_pool_id", "redirect_url", "redirect_prefix",
               "redirect_http_code"))


def used_pools(default_pool, policies):
    """Which pools a listener is said to use: octavia/db/models.py, Listener.pools."""
    pools = [default_pool] + [policy.redirect_pool for policy in policies
                              if policy.l7rules and policy.enabled]
    return list({pool.id: pool for pool in pools if pool}.values())


def make_listener(listener, load_balancer, pools):
    policies = [make_policy(policy, number, pools)
                for number, policy in enumerate(listener["l7policies"], 1)]
    default_pool = pools.get(listener["default_pool_id"])
    return make(
        data_models.Listener, **common(listener), load_balancer=load_balancer, peer_port=1025,
        l7policies=policies, default_pool=default_pool, pools=used_pools(default_pool, policies),
        tls_certificate_id=listener["certificate"],
        sni_containers=[make(data_models.SNI, tls_container_id=name)
                        for name in listener["sni_certificates"]],
        client_ca_tls_certificate_id=listener["client_ca_certificate"],
        client_crl_container_id=listener["client_crl"],
        **take(listener, "protocol", "protocol_port", "connection_limit", "insert_headers",
               "timeout_client_data", "timeout_member_connect", "timeout_member_data",
               "timeout_tcp_inspect", "client_authentication", "tls_ciphers", "tls_versions",
               "alpn_protocols", "hsts_max_age", "hsts_include_subdomains", "hsts_preload"))


def make_amphorae(description):
    vip = description["vip"]["ip_address"]
    single = {"id": description["id"], "vrrp_ip": vip, "vrrp_interface": "eth1",
              "vrrp_priority": 100}
    vrrp = description["vrrp"] or {"virtual_router_id": 1}
    return [make(data_models.Amphora, id=amphora["id"], status="ALLOCATED", ha_ip=vip,
                 vrrp_id=vrrp["virtual_router_id"], lb_network_ip="192.0.2.1",
                 role=constants.ROLE_BACKUP if number else constants.ROLE_MASTER,
                 **take(amphora, "vrrp_ip", "vrrp_interface", "vrrp_priority"))
            for number, amphora in enumerate(description["amphorae"] or [single])]


def make_load_balancer(description):
    vrrp = description["vrrp"]
    load_balancer = make(
        data_models.LoadBalancer, **{**common(description),
                                     "project_id": description["project_id"]},
        topology=description["topology"],
        vip=make(data_models.Vip, ip_address=description["vip"]["ip_address"]),
        additional_vips=[make(data_models.AdditionalVip, ip_address=other["ip_address"])
                         for other in description["additional_vips"]])
    load_balancer.amphorae = make_amphorae(description)
    if vrrp:
        load_balancer.vrrp_group = make(
            data_models.VRRPGroup, vrrp_group_name=vrrp["group_name"],
            vrrp_auth_type=vrrp["auth_type"], vrrp_auth_pass=vrrp["auth_pass"],
            advert_int=vrrp["advert_int"])
    pools = {pool["id"]: make_pool(pool) for pool in description["pools"]}
    load_balancer.pools = list(pools.values())
    load_balancer.listeners = [make_listener(listener, load_balancer, pools)
                               for listener in description["listeners"]]
    return load_balancer


def network_config(description):
    """The subnets of the VIPs, as the flow hands them to the driver."""
    def subnet(vip):
        return {"cidr": vip["subnet_cidr"], "gateway_ip": vip["gateway"],
                "host_routes": vip["host_routes"]}
    return {"vip_subnet": subnet(description["vip"]),
            "additional_vip_data": [{"ip_address": vip["ip_address"], "subnet": subnet(vip)}
                                    for vip in description["additional_vips"]]}


class Octavia:
    def __init__(self, folder, vault, haproxy_version):
        for name, value in {"base_path": folder, "base_cert_dir": f"{folder}/certs"}.items():
            cfg.CONF.set_override(name, value, "haproxy_amphora")
        cfg.CONF.set_override("cert_manager", "local_cert_manager", "certificates")
        self.driver = rest_api_driver.HaproxyAmphoraLoadBalancerDriver()
        self.driver.cert_manager = Vault(vault)
        self.haproxy_version = haproxy_version

    def render(self, description):
        amphora = Amphora(self.haproxy_version)
        self.driver.clients = {"base": amphora, "1.0": amphora}
        load_balancer = make_load_balancer(description)
        self.driver.update_amphora_listeners(load_balancer, load_balancer.amphorae[0])
        if load_balancer.vrrp_group:
            networks = network_config(description)
            for model in load_balancer.amphorae:
                self.driver.update_vrrp_conf(load_balancer, {model.id: networks}, model)
        return amphora.uploads


def release():
    from importlib import metadata
    return metadata.version("octavia")


def main():
    log.register_options(cfg.CONF)
    # oslo.config takes an empty environment for its own.
    cfg.CONF([], project="octavia", default_config_files=[], default_config_dirs=[])
    logging.disable(logging.ERROR)
    answers, sys.stdout = sys.stdout, sys.stderr
    settings = json.loads(sys.stdin.readline())
    octavia = Octavia(sys.argv[1], settings["vault"], settings["haproxy"])
    print(json.dumps({"release": release()}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(octavia.render(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    os.environ.pop("HTTP_PROXY", None)
    main()
