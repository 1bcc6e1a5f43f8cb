# SPDX-License-Identifier: Apache-2.0
"""Certificates of a load balancer: PUT, GET, DELETE, and their life."""

import hashlib
import shutil
import ssl
import subprocess
import uuid

from cryptography import x509
import pytest

from harness import certificates, haproxy, processes
from harness.api_client import tls_connect
from harness.eventually import eventually
from harness.load_balancer import LoadBalancer
from harness.ports import free_port
from harness.web_server import WebServer, who_answers


def md5(data):
    return hashlib.md5(data).hexdigest()


@pytest.fixture
def site():
    """A certificate as a tenant would upload."""
    return certificates.foreign_authority().issue("www.example.com")


def path_of(lb_id, name):
    return f"/1.0/loadbalancer/{lb_id}/certificates/{name}"


def test_an_upload_is_200_with_its_md5_and_lies_there_for_its_owner_only(amphora, lb_id, site):
    answer = amphora.api.put(path_of(lb_id, "site.pem"), site.pem)
    assert answer.status == 200
    assert answer.json == {"message": "OK"}
    assert answer.etag == md5(site.pem)
    path = amphora.base_path / "certs" / lb_id / "site.pem"
    assert path.read_bytes() == site.pem
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


def test_an_upload_replaces_the_old_one(amphora, lb_id, site):
    assert amphora.api.put(path_of(lb_id, "a.pem"), "old\n").status == 200
    assert amphora.api.put(path_of(lb_id, "a.pem"), site.pem).status == 200
    assert amphora.api.get(path_of(lb_id, "a.pem")).json == {"md5sum": md5(site.pem)}


def test_a_get_tells_the_md5_and_never_the_certificate(amphora, lb_id, site):
    amphora.api.put(path_of(lb_id, "site.pem"), site.pem)
    answer = amphora.api.get(path_of(lb_id, "site.pem"))
    assert answer.status == 200
    assert answer.json == {"md5sum": md5(site.pem)}
    assert answer.etag == md5(site.pem)


def test_a_get_of_what_is_not_there_is_404(amphora, lb_id):
    answer = amphora.api.get(path_of(lb_id, "none.pem"))
    assert answer.status == 404
    assert answer.json == {"message": "Certificate Not Found",
                           "details": "No certificate with filename: none.pem"}


def test_a_delete_is_200_also_when_it_is_absent(amphora, lb_id, site):
    amphora.api.put(path_of(lb_id, "site.pem"), site.pem)
    for _ in range(2):
        answer = amphora.api.delete(path_of(lb_id, "site.pem"))
        assert (answer.status, answer.json) == (200, {"message": "OK"})
    assert amphora.api.get(path_of(lb_id, "site.pem")).status == 404


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
@pytest.mark.parametrize("name", ["site.crt", "pem", "site.pem.bak", "site.PEMX", "sitepem",
                                  ".pem"])
def test_a_name_that_is_no_pem_is_400(amphora, lb_id, method, name):
    answer = amphora.api.request(method, path_of(lb_id, name), body="x")
    assert answer.status == 400
    assert answer.json["message"] == "Filename has wrong format"


@pytest.mark.parametrize("name", ["..pem", "%2e%2e%2fescape.pem", "..%2fescape.pem", "a%00.pem",
                                  "a%2fb.pem", "x" * 10000 + ".pem"])
def test_no_name_leaves_its_folder(amphora, lb_id, name):
    files = amphora.files()
    answer = amphora.api.put(path_of(lb_id, name), "x")
    assert answer.status == 400
    assert amphora.files() == files


def test_crt_lists_and_revocation_lists_are_taken_as_they_are(amphora, lb_id):
    text = "/var/lib/octavia/certs/a/b.pem\n/var/lib/octavia/certs/a/c.pem\n"
    answer = amphora.api.put(path_of(lb_id, f"{lb_id}.pem"), text)
    assert (answer.status, answer.etag) == (200, md5(text.encode()))


class TlsLoadBalancer(LoadBalancer):
    """Terminates TLS with a crt-list, as a controller's TERMINATED_HTTPS listener does."""

    def __init__(self, amphora, servers):
        super().__init__(amphora, servers, mode="http")
        self.crt_list = amphora.base_path / "certs" / self.id / f"{self.listener_id}.pem"
        self.bind_options = f"ssl crt-list {self.crt_list}"

    def put_certificate(self, name, data):
        answer = self.amphora.api.put(path_of(self.id, name), data)
        assert answer.status == 200, answer

    def put_list(self, *names):
        folder = self.crt_list.parent
        self.put_certificate(self.crt_list.name, "".join(f"{folder}/{name}\n" for name in names))

    def presented(self, name):
        """The serial number of the certificate that the listener shows for a host name."""
        context = ssl.create_default_context(
            cadata=certificates.foreign_authority().pem.decode())
        with tls_connect((self.address, self.port), context, name) as connection:
            return x509.load_der_x509_certificate(connection.getpeercert(True)).serial_number

    def wait_until_it_serves(self):
        pass


@pytest.fixture
def tls(amphora, resources):
    return TlsLoadBalancer(amphora, [resources.enter_context(WebServer("one"))])


def test_a_tls_listener_presents_what_was_uploaded(tls, site):
    tls.put_certificate("site.pem", site.pem)
    tls.put_list("site.pem")
    tls.serve()
    assert tls.presented("www.example.com") == site.serial_number


def test_a_renewed_certificate_is_presented_after_a_reload(tls, site):
    tls.put_certificate("site.pem", site.pem)
    tls.put_list("site.pem")
    tls.serve()
    renewed = certificates.foreign_authority().issue("www.example.com")
    tls.put_certificate("site.pem", renewed.pem)
    assert tls.upload().status == 202
    assert tls.act("reload").status == 202
    assert tls.presented("www.example.com") == renewed.serial_number


def test_a_certificate_in_use_may_be_deleted_and_uploaded_again_before_the_reload(tls, site):
    tls.put_certificate("site.pem", site.pem)
    tls.put_list("site.pem")
    tls.serve()
    assert tls.amphora.api.delete(path_of(tls.id, "site.pem")).status == 200
    assert tls.presented("www.example.com") == site.serial_number
    tls.put_certificate("site.pem", site.pem)
    assert tls.upload().status == 202
    assert tls.act("reload").status == 202
    assert tls.presented("www.example.com") == site.serial_number


def test_a_config_that_names_a_missing_certificate_is_400_and_the_old_one_goes_on(tls, site):
    tls.put_certificate("site.pem", site.pem)
    tls.put_list("site.pem")
    tls.serve()
    text = tls.configuration().replace(tls.crt_list.name, "missing.pem")
    answer = tls.upload(text)
    assert answer.status == 400
    assert "missing.pem" in answer.json["details"]
    assert tls.presented("www.example.com") == site.serial_number


def test_what_is_used_no_more_goes_after_an_upload_and_its_reload_only(tls, site):
    """Controllers never delete CAs, CRLs and lists; what nothing names yet may be named next."""
    folder = tls.crt_list.parent
    tls.put_certificate("old.pem", site.pem)
    tls.put_list("old.pem")
    tls.serve()
    for name in ("new.pem", "next.pem"):
        tls.put_certificate(name, site.pem)
    tls.put_list("new.pem")
    assert tls.upload().status == 202
    assert (folder / "old.pem").exists(), "the running HAProxy's"
    assert tls.act("reload").status == 202
    assert {path.name for path in folder.iterdir()} == {"new.pem", "next.pem", tls.crt_list.name}
    assert tls.presented("www.example.com") == site.serial_number


def test_a_rejected_upload_removes_no_certificate(tls, site):
    tls.put_certificate("old.pem", site.pem)
    tls.put_list("old.pem")
    tls.serve()
    assert tls.upload("nonsense\n").status == 400
    assert tls.act("reload").status == 202
    assert (tls.crt_list.parent / "old.pem").exists()


# Certificates lie in memory only: a machine that was rebooted has none.

def memory_is_lost(amphora, tls):
    """A reboot, as far as this load balancer goes; the agent starts."""
    processes.end_all_mentioning(str(amphora.directory))
    amphora.wait_until_ended()
    for folder in (tls.crt_list.parent, amphora.runtime_dir):
        shutil.rmtree(folder)
    amphora.runtime_dir.mkdir()
    amphora.start()


@pytest.fixture
def with_http(tls, site, amphora):
    """Its TLS listener has an HTTP listener beside it; their port and id."""
    port, listener_id = free_port(), str(uuid.uuid4())
    tls.put_certificate("site.pem", site.pem)
    tls.put_list("site.pem")
    answer = tls.upload(tls.configuration(
        haproxy.frontend(listener_id, port, tls.pool_id, "http", tls.address),
        haproxy.backend(tls.pool_id, listener_id, tls.members, "http")))
    assert answer.status == 202, answer
    assert tls.act("reload").status == 202
    eventually(lambda: who_answers(port) == "one", "the HTTP listener serves")
    memory_is_lost(amphora, tls)
    return port, listener_id


def vip_is_held(amphora):
    """Whether the check that keepalived runs is content."""
    script = amphora.base_path / "vrrp" / "check_script.sh"
    return subprocess.run([script], timeout=10, check=False).returncode == 0


def listeners_that_run(tls):
    return {proxy for proxy, kind in haproxy.statistics(tls.socket) if kind == "FRONTEND"}


def test_without_its_certificates_a_listener_is_left_out_and_the_others_serve(
        tls, with_http, amphora):
    port, listener_id = with_http
    eventually(lambda: who_answers(port) == "one", "the HTTP listener serves")
    # The health manager misses it, and replaces the amphora.
    assert listeners_that_run(tls) == {listener_id}
    assert (f"frontend {tls.listener_id} is not served, because {tls.crt_list} is missing"
            in amphora.log())
    assert not vip_is_held(amphora), "the other of a pair may have the certificates"
    # and so it stays over what may come before the certificates
    assert tls.act("reload").status == 202
    amphora.restart()
    assert tls.act("start").status == 202
    assert listeners_that_run(tls) == {listener_id}
    assert who_answers(port) == "one"
    assert not vip_is_held(amphora)


def test_a_certificate_that_is_uploaded_again_brings_its_listener_back(
        tls, with_http, site, amphora):
    port, listener_id = with_http
    tls.put_certificate("site.pem", site.pem)
    tls.put_list("site.pem")
    assert tls.act("reload").status == 202
    assert tls.presented("www.example.com") == site.serial_number
    assert who_answers(port) == "one"
    assert listeners_that_run(tls) == {listener_id, tls.listener_id}
    assert vip_is_held(amphora)
    # for good
    worker = tls.workers
    assert tls.act("reload").status == 202
    assert tls.workers == worker


def test_a_load_balancer_with_tls_alone_comes_back_with_its_certificate(tls, site, amphora):
    tls.put_certificate("site.pem", site.pem)
    tls.put_list("site.pem")
    tls.serve()
    memory_is_lost(amphora, tls)
    eventually(lambda: "found; start" in amphora.log(), "the agent has started what it can")
    assert listeners_that_run(tls) == set()
    tls.put_certificate("site.pem", site.pem)
    tls.put_list("site.pem")
    assert tls.act("reload").status == 202
    assert tls.presented("www.example.com") == site.serial_number
