"""What a reader expects of every source file, checked by the tools that know."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from servers import ROOT
from stack import BUILD
from store import script

FOLDERS = ("common", "gateway", "agents", "deploy", "tests")
SCRIPTS = [".ci/run", "tests/run", "deploy/up", "deploy/rabbitmq/serve", "deploy/redis/backup",
           "deploy/redis/serve", "deploy/reference/make", "deploy/debian/build",
           "deploy/debian/prerm", "deploy/debian/postrm", "deploy/lib/supervise",
           "deploy/lib/install-packages",
           "deploy/make-secrets", "tests/compose/run", "tests/support/containers/engine",
           "tests/support/containers/base-images", "tests/support/containers/debian.sh",
           *(str(p.relative_to(ROOT)) for p in sorted((ROOT / "deploy/lib").glob("*.sh")))]
LUA_LOCALS_LEFT = 20
LUA_GLOBALS = {"ARGV", "cjson", "ipairs", "math", "next", "pairs", "redis", "string", "struct", "table",
               "tonumber", "tostring", "unpack"}


def composed_scripts():
    names = [path.stem.removeprefix("script_") for path in BUILD.glob("agents/**/script_*.c")]
    assert names, "nothing is built"
    return sorted(names)


def sources(*endings):
    found = [p for folder in FOLDERS for p in (ROOT / folder).rglob("*") if p.suffix in endings]
    assert found, f"no files with {endings}"
    return sorted(found)


def run(*command):
    ended = subprocess.run(list(map(str, command)), cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if ended.returncode != 0:
        pytest.fail(ended.stdout, pytrace=False)


def test_c_files_are_formatted():
    run("clang-format", "--dry-run", "-Werror", *sources(".c", ".h"))


@pytest.mark.long
def test_c_files_are_tidy():
    def tidy(path):
        ended = subprocess.run(
            ["nice", "clang-tidy", "--quiet", "-p", BUILD, path], cwd=ROOT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return ended.stdout or (ended.returncode and f"{path}: clang-tidy fails")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(filter(None, pool.map(tidy, sources(".c"))))
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_lua_scripts_parse():
    for script in sources(".lua"):
        run("luac5.1", "-p", script)


def test_composed_scripts_have_room_for_local_variables(tmp_path):
    """Lua allows 200 of them; what is added to a shared part must not be what breaks a script."""
    spare = ", ".join(f"spare_{i}" for i in range(LUA_LOCALS_LEFT))
    for name in composed_scripts():
        path = tmp_path / f"{name}.lua"
        path.write_text(f"local {spare}\n{script(name)}")
        run("luac5.1", "-p", path)


def test_composed_scripts_know_all_names_that_they_use(tmp_path):
    """Each has those functions of the shared parts that it uses, and Redis has no others for it."""
    for name in composed_scripts():
        path = tmp_path / f"{name}.lua"
        path.write_text(script(name))
        listing = subprocess.check_output(["luac5.1", "-l", "-p", path], text=True)
        unknown = set(re.findall(r"[GS]ETGLOBAL.*; (\w+)", listing)) - LUA_GLOBALS
        assert not unknown, f"{name}: {unknown}"


def test_manual_pages_are_clean():
    run("mandoc", "-T", "lint", "-W", "warning", *sorted((ROOT / "deploy/man").glob("*.[0-9]")))


@pytest.mark.parametrize("script", SCRIPTS)
def test_bash_scripts_are_clean(script):
    # Left out: what the sourced parts of a script know of each other.
    run("shellcheck", "--severity=warning", "--shell=bash",
        "--exclude=SC1090,SC2034,SC2054,SC2120,SC2154", script)
