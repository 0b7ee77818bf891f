"""The Debian package: built, unpacked, and its programs started where they lie."""

import os
import re
import subprocess

import pytest
from servers import ROOT

DEBIAN = ROOT / "deploy/debian"
PROGRAMS = ["activestack-gateway", "activestack-sync-agent", "activestack-auth-agent",
            "activestack-ctl"]
CONFIG = "etc/activestack/activestack.conf"
GIVEN = """
amqp.url = amqp://a:b@127.0.0.1:1/x
redis.url = redis://127.0.0.1:1/0
gateway.session_secret = ssssssssssssssssssssssssssssssss
auth.seal_secret = tttttttttttttttttttttttttttttttt
"""


def run(*command, **environment):
    return subprocess.run(list(map(str, command)), text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment}, capture_output=True)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Built in a hurry: without optimisation, and without its debugging symbols."""
    ended = run("nice", DEBIAN / "build", tmp_path_factory.mktemp("built"),
                DEB_BUILD_OPTIONS="noopt noautodbgsym")
    assert ended.returncode == 0, ended.stderr[-10000:]
    return ended.stdout.strip()


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    assert run("dpkg-deb", "--raw-extract", package, folder).returncode == 0
    return folder


def packages(variable):
    """Those that deploy/lib/packages.sh names."""
    return run("bash", "-c", f'. "$1"; echo "${{{variable}[@]}}"', "bash",
               ROOT / "deploy/lib/packages.sh").stdout.split()


def version():
    return re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text()).group(1)


def test_the_package_has_the_version_of_the_programs():
    assert (DEBIAN / "changelog").read_text().startswith(f"activestack ({version()}) ")


def test_the_package_is_built_with_what_the_project_is_built_with():
    depends = re.search(r"(?m)^Build-Depends:((?:.*,\n)*.*)", (DEBIAN / "control").read_text())
    named = set(re.findall(r"[\w.+-]+", re.sub(r"\(.*?\)", "", depends.group(1))))
    essential = {"gcc", "libc6-dev"}
    assert named - {"debhelper-compat", "dh-sequence-installsysusers"} == \
        set(packages("BUILD_PACKAGES")) - essential


@pytest.mark.long
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_packaged_program_starts(program, unpacked):
    assert run(unpacked / "usr/bin" / program, "--version").stdout == f"{program} {version()}\n"


@pytest.mark.long
def test_the_packaged_configuration_says_what_it_lacks(unpacked):
    ended = run(unpacked / "usr/bin/activestack-gateway", "--config", unpacked / CONFIG)
    assert ended.returncode == 2 and "amqp.url: not set" in ended.stderr


@pytest.mark.long
def test_with_what_it_lacks_the_packaged_configuration_is_accepted(unpacked, tmp_path):
    config = tmp_path / "activestack.conf"
    model = unpacked / "usr/share/doc/activestack/examples/model.json"
    config.write_text(f"{(unpacked / CONFIG).read_text()}{GIVEN}model.file = {model}\n")
    for program in PROGRAMS[:3]:
        ended = run(unpacked / "usr/bin" / program, "--check-config", "--config", config)
        assert ended.returncode == 0, ended.stderr
    assert run(unpacked / "usr/bin/activestack-ctl", "check-config", config).stdout == "ok\n"


@pytest.mark.long
def test_the_configuration_stays_the_administrators(unpacked):
    assert (unpacked / "DEBIAN/conffiles").read_text().split() == [f"/{CONFIG}"]


@pytest.mark.long
def test_services_are_enabled_and_not_started(unpacked):
    script = (unpacked / "DEBIAN/postinst").read_text()
    enabled = set(re.findall(r"deb-systemd-helper enable '([^']+)'", script))
    assert enabled == {path.name for path in (unpacked / "lib/systemd/system").iterdir()}
    assert {f"{program}.service" for program in PROGRAMS[:3]} < enabled
    assert not re.search(r"deb-systemd-invoke|systemctl .*start", script)


@pytest.mark.long
def test_the_user_of_the_services_is_made(unpacked):
    assert "systemd-sysusers" in (unpacked / "DEBIAN/postinst").read_text()
    users = re.findall(r"(?m)^u (\S+)", (unpacked / "usr/lib/sysusers.d/activestack.conf").read_text())
    units = (unpacked / "lib/systemd/system").glob("*.service")
    assert {re.search(r"(?m)^User=(.*)$", unit.read_text()).group(1) for unit in units} == set(users)
