#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The build service as a newcomer starts it: its first build is published, a machine is installed from that, somebody pushes, the
forge tells the service, and the machine finds the new version by itself, takes it, starts it, and is what the push said."""

import contextlib
import datetime
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import scenario
import tap
from machine import Machine, State, missing_tools
from particleos import PROGRAM, environment, particleos

KITCHEN = Path(os.environ.get("PARTICLEOS_KITCHEN", PROGRAM.parent.parent / "kitchen/program/particleos-kitchen"))
SECRET = "only for this test"
SERVICE = 10  # seconds that the service may add to the build's own


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def moment(text):
    """A time of the API, in seconds since 1970."""
    return datetime.datetime.fromisoformat(text).timestamp()


class Life(unittest.TestCase):
    def setUp(self):
        self.scratch = Path(tempfile.mkdtemp(prefix="particleos-kitchen-", dir=os.environ.get("PARTICLEOS_TEST_SCRATCH", "/var/tmp")))
        if not os.environ.get("PARTICLEOS_TEST_KEEP"):
            self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = self.scratch / "kitchen"
        self.log = open(self.scratch / "kitchen.log", "wb")
        self.service = subprocess.Popen([KITCHEN, f"--port={self.port}", "demo", self.home], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, env=environment(), start_new_session=True)
        self.addCleanup(self.stop)
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def stop(self):
        self.service.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.service.wait(60)
        if self._outcome and not self._outcome.success:
            print((self.scratch / "kitchen.log").read_text(errors="replace")[-6000:], file=sys.stderr)
            for log in sorted(self.home.glob("logs/*.log")):
                print(f"--- {log}\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)

    def until(self, what, look, seconds):
        end = time.monotonic() + seconds
        while not (found := look()):
            self.assertIsNone(self.service.poll(), f"the service ended while it was waited for {what}")
            self.assertLess(time.monotonic(), end, f"no {what} within {seconds} s")
            time.sleep(0.5)
        return found

    def get(self, path):
        with self.opener.open(self.url + path, timeout=30) as answer:
            return answer.read()

    def json(self, path):
        return json.loads(self.get("/api/v1/projects/demo/particleos" + path))

    def post(self, path, fields):
        page = self.get("/account").decode() if "/link/" not in path else ""
        csrf = re.search(r'name="csrf" value="([\w-]+)"', page)
        data = urllib.parse.urlencode({**fields, **({"csrf": csrf[1]} if csrf else {})}).encode()
        request = urllib.request.Request(self.url + path, data, {"Origin": self.url})
        return self.opener.open(request, timeout=30)

    def log_in(self):
        link = self.until("link", lambda: re.search(rb"(/link/\S+)", (self.scratch / "kitchen.log").read_bytes()), 60)[1].decode()
        self.post(link, {})
        self.post("/demo/particleos/settings/hooks", {"kind": "github", "secret": SECRET})
        page = self.get("/demo/particleos/settings").decode()
        self.hook = re.search(r"/hooks/([\w-]{10,})", page)[1]

    def build(self, number, seconds=1500):
        """The build of that number, when it is through."""
        def look():
            found = [x for x in self.json("/builds") if x["number"] == number]
            return found and found[0]["state"] in ("published", "failed", "skipped", "cancelled") and found[0]
        return self.until(f"build {number}", look, seconds)

    def push(self):
        """Somebody changes the recipe and pushes; the forge tells the service. The commit, and when."""
        git = ["git", "-C", self.scratch / "work", "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", "clone", "-q", self.home / "demo.git", self.scratch / "work"], check=True)
        extra = self.scratch / "work/mkosi.extra/usr/share/pushed"
        extra.parent.mkdir(parents=True, exist_ok=True)
        extra.write_text("by Ada\n")
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "Say who was here"], check=True)
        pushed = time.time()
        subprocess.run([*git, "push", "-q", "origin", "HEAD:main"], check=True)
        commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
        body = json.dumps({"ref": "refs/heads/main", "after": commit}).encode()
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.url}/hooks/{self.hook}", body, {
            "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "4b1f2e3d-0000-4000-8000-000000000001",
            "X-Hub-Signature-256": signature})
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.assertIn(answer.status, (200, 202))
        return commit, pushed

    def disk_image(self):
        """What an installer downloads: the disk of the newest release."""
        channel = f"{self.url}/pub/demo/particleos/minimal/stable"
        sums = urllib.request.urlopen(f"{channel}/SHA256SUMS", timeout=30).read().decode()
        digest, name = next(x.split(maxsplit=1) for x in sums.splitlines() if re.search(r"_\d{14}_x86-64\.raw$", x))
        path = self.scratch / "disk.raw"
        with urllib.request.urlopen(f"{channel}/{name.lstrip('*')}", timeout=300) as source, open(path, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        with open(path, "rb") as file:
            self.assertEqual(hashlib.file_digest(file, "sha256").hexdigest(), digest)
        return path

    def test_push_updates_a_machine(self):
        self.log_in()
        first = self.build(1)
        self.assertEqual(first["state"], "published", first)
        state = State.from_image(self.scratch / "machine", self.disk_image(), scenario.DISK_SIZE)
        with Machine(state, scenario.CREDENTIALS, log=self.scratch / "first.console", arguments="", network=True) as machine:
            machine.expect("Enrolling secure boot keys")
            # While it starts, somebody works.
            commit, pushed = self.push()
            second = self.build(2)
            self.assertEqual((second["state"], second["commit"]), ("published", commit), second)
            self.assertIn("pushed", json.dumps(self.json("/builds/2")))
            took, whole = self.seconds(second), moment(second["finished"]) - pushed
            print(f"# push to published: {whole:.1f} s, of these the build's own {took:.1f} s", file=sys.stderr)
            self.assertLess(whole - took, SERVICE)
            scenario.login(machine)
            self.assertEqual(scenario.version(machine), first["version"])
            machine.output("/usr/lib/systemd/systemd-networkd-wait-online --any --timeout=60; true")
            good, journal = scenario.update(machine)
            self.assertTrue(good, journal)
            machine.power_off()
        with Machine(state, log=self.scratch / "second.console", arguments="", network=True) as machine:
            scenario.login(machine)
            self.assertEqual(scenario.version(machine), second["version"])
            self.assertEqual(machine.output("cat /usr/share/pushed"), "by Ada")
            self.assertIn("Secure Boot: enabled", machine.output("bootctl status --no-pager 2>/dev/null || :"))
            machine.power_off()

    def seconds(self, build):
        """What the jobs of the build took on their worker."""
        jobs = self.json(f"/builds/{build['number']}")["jobs"]
        return max(moment(x["finished"]) - moment(x["started"]) for x in jobs)


if __name__ == "__main__":
    tap.run_cases(missing_tools())
