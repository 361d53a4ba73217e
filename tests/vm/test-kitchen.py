#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The build service as a newcomer starts it: its first build is published, a machine is installed from that, somebody pushes, the
forge tells the service, and the machine finds the new version by itself, takes it, starts it, and is what the push said.

Meanwhile a second user forks the project. A machine of the fork trusts the fork's keys and follows its channel, and neither of the
two machines takes what is of the other."""

import contextlib
import datetime
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import firmware
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

    def test_push_updates_machines(self):
        """The parts of the story are methods: they share the service, and each takes minutes."""
        ada = Person(self, "demo")
        link = self.until("link", lambda: re.search(rb"(/link/\S+)", (self.scratch / "kitchen.log").read_bytes()), 60)[1].decode()
        ada.post(link, {})
        hers = Project(self, ada, "demo", "stable", self.home / "demo.git")
        hers.add_hook()
        first = hers.build(1)
        self.assertEqual(first["state"], "published", first)
        bea = self.invite(ada, "bea")
        fork = self.fork(bea)
        state = State.from_image(self.scratch / "machine", hers.disk_image(), scenario.DISK_SIZE)
        self.push_updates_the_machine(hers, state, first)
        self.machine_of_the_fork(hers, fork, state)

    def push_updates_the_machine(self, project, state, first):
        with Machine(state, scenario.CREDENTIALS, log=self.scratch / "first.console", arguments="", network=True) as machine:
            machine.expect("Enrolling secure boot keys")
            # While it starts, somebody works. A start of the image before it is published takes minutes without KVM.
            starts_first = bool(os.environ.get("PARTICLEOS_TEST_LONG"))
            if starts_first:
                project.start_before_publishing()
            commit, pushed = project.push("Ada")
            second = project.build(2)
            self.assertEqual((second["state"], second["commit"]), ("published", commit), second)
            self.assertIn("pushed", json.dumps(project.json("/builds/2")))
            log = max(self.home.glob("logs/*.log"), key=lambda x: int(x.stem)).read_text(errors="replace")
            self.assertEqual("Starting the image in a virtual machine" in log, starts_first)
            took, whole = project.seconds(second), moment(second["finished"]) - pushed
            print(f"# push to published: {whole:.1f} s, of these the build's own {took:.1f} s", file=sys.stderr)
            self.assertLess(whole - took, SERVICE)
            self.update(machine, first)
        self.look(state, second, "Ada", project)

    def update(self, machine, version):
        """The machine runs VERSION, and finds the next one by itself."""
        scenario.login(machine)
        self.assertEqual(scenario.version(machine), version["version"])
        machine.output("/usr/lib/systemd/systemd-networkd-wait-online --any --timeout=60; true")
        good, journal = scenario.update(machine)
        self.assertTrue(good, journal)
        machine.power_off()

    def look(self, state, version, author, project, then=None):
        """Starts it again: it is what AUTHOR pushed, firmware trusts the project's key alone, and so does sysupdate."""
        with Machine(state, log=self.scratch / f"{author}.console", arguments="", network=True) as machine:
            scenario.login(machine)
            self.assertEqual(scenario.version(machine), version["version"])
            self.assertEqual(machine.output("cat /usr/share/pushed"), f"by {author}")
            self.assertIn("Secure Boot: enabled", machine.output("bootctl status --no-pager 2>/dev/null || :"))
            # After four bytes of attributes; such files cannot be read from the middle.
            seen = machine.output(f"cat /sys/firmware/efi/efivars/db-{firmware.IMAGE_SECURITY} | tail -c +5 | sha256sum").split()[0]
            if then:
                then(machine)
            machine.power_off()
        # What the machine says is in its flash, and it is the project, and nobody else.
        lists = firmware.Variables(state.variables).get("db", firmware.IMAGE_SECURITY)
        self.assertEqual(hashlib.sha256(lists).hexdigest(), seen)
        trusted = {hashlib.sha256(x).hexdigest() for x in firmware.certificates(lists)}
        self.assertIn(project.fingerprint("secure-boot"), trusted)
        self.assertLessEqual(trusted, {project.fingerprint("secure-boot"), project.fingerprint("verity")})

    # --- the fork ---

    def invite(self, administrator, name):
        page = administrator.post("/users", {"name": name}).read().decode()
        person = Person(self, name)
        person.post(re.search(r"(/link/[\w-]+)", page)[1], {})
        return person

    def fork(self, bea):
        """Presses the button, and takes the recipe into a repository of her own."""
        bea.post("/demo/particleos/fork", {})
        repository = self.home / "bea.git"
        subprocess.run(["git", "clone", "-q", "--bare", self.home / "demo.git", repository], check=True)
        bea.post("/bea/particleos/settings/project", {"title": "Mine", "url": f"file://{repository}", "branch": "main", "directory": "",
                                                      "packages": "at-once"})
        fork = Project(self, bea, "bea", "testing", repository)
        fork.add_hook()
        for path in ("build", "settings/project", "settings/hooks", "settings/members", "settings/credentials", "builds/1/retry"):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                bea.post(f"/demo/particleos/{path}", {"url": "file:///x", "branch": "main", "packages": "never", "kind": "github",
                                                      "user": "bea", "role": "owner", "name": "x", "value": "x" * 20})
            self.assertIn(refused.exception.code, (403, 404), path)
        return fork

    def machine_of_the_fork(self, hers, fork, stranger):
        first = fork.build(1)
        self.assertEqual(first["state"], "published", first)
        for purpose in ("secure-boot", "manifest", "pcr", "verity"):
            self.assertNotEqual(fork.fingerprint(purpose), hers.fingerprint(purpose), purpose)
        disk = fork.disk_image()
        self.judge(disk, fork, hers)
        state = State.from_image(self.scratch / "fork", disk, scenario.DISK_SIZE)
        with Machine(state, scenario.CREDENTIALS, log=self.scratch / "fork.console", arguments="", network=True) as machine:
            machine.expect("Enrolling secure boot keys")
            commit, _ = fork.push("Bea")
            second = fork.build(2)
            self.assertEqual((second["state"], second["commit"]), ("published", commit), second)
            self.update(machine, first)
        self.look(state, second, "Bea", fork, lambda machine: self.refuses_channel(machine, hers))
        self.assertEqual(len(hers.json("/builds")), 2)
        self.refuses_disk(stranger, disk)

    def judge(self, disk, fork, hers):
        """inspect believes the image with the certificates of the fork, and not with those of the other one."""
        for project, good in ((fork, True), (hers, False)):
            done = particleos("inspect", f"--certificate={project.path('secure-boot')}", f"--root-hash-certificate={project.path('verity')}",
                              f"--pcr-certificate={project.path('pcr')}", disk, status=None)
            self.assertEqual(done.returncode == 0, good, done.stdout + done.stderr)

    def refuses_channel(self, machine, other):
        """Pointed at the channel of the other project, the machine takes nothing: the manifest is of a key that it does not know."""
        machine.output("/usr/lib/systemd/systemd-networkd-wait-online --any --timeout=60; true")
        slots = scenario.slots(machine.state)
        good, journal = scenario.update_from_url(machine, other.channel_url(scenario.HOST))
        self.assertFalse(good, journal)
        self.assertRegex(journal, r"(?i)signature|public key")
        self.assertEqual(scenario.slots(machine.state), slots)

    def refuses_disk(self, stranger, disk):
        """The firmware of the first machine starts nothing of the fork's disk."""
        state = stranger.copy(self.scratch / "stranger")
        subprocess.run(["cp", "--sparse=always", disk, state.disk], check=True)
        with Machine(state, log=self.scratch / "stranger.console", arguments="") as machine:
            machine.expect(r"BdsDxe: failed to load .*Access Denied", refuse=scenario.KERNEL_RUNS)


class Person:
    """A browser that somebody is logged in with."""

    def __init__(self, life, name):
        self.life, self.name = life, name
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def get(self, path):
        with self.opener.open(self.life.url + path, timeout=60) as answer:
            return answer.read()

    def post(self, path, fields):
        page = self.get("/account").decode() if "/link/" not in path else ""
        csrf = re.search(r'name="csrf" value="([\w-]+)"', page)
        data = urllib.parse.urlencode({**fields, **({"csrf": csrf[1]} if csrf else {})}).encode()
        request = urllib.request.Request(self.life.url + path, data, {"Origin": self.life.url})
        return self.opener.open(request, timeout=60)


class Project:
    """NAMESPACE/particleos, whose recipe is in the bare REPOSITORY, as PERSON sees it. Devices follow CHANNEL."""

    def __init__(self, life, person, namespace, channel, repository):
        self.life, self.person, self.namespace, self.channel, self.repository = life, person, namespace, channel, repository

    def json(self, path):
        return json.loads(self.person.get(f"/api/v1/projects/{self.namespace}/particleos{path}"))

    def add_hook(self):
        self.person.post(f"/{self.namespace}/particleos/settings/hooks", {"kind": "github", "secret": SECRET})
        page = self.person.get(f"/{self.namespace}/particleos/settings").decode()
        self.hook = re.search(r"/hooks/([\w-]{10,})", page)[1]

    def start_before_publishing(self):
        """What an owner says with "kitchen project set NAMESPACE/NAME boot=yes"."""
        with contextlib.closing(sqlite3.connect(self.life.home / "kitchen.sqlite", timeout=30)) as database:
            database.execute("UPDATE project SET boot = 1 WHERE name = 'particleos'")
            database.commit()

    def build(self, number, seconds=1500):
        """The build of that number, when it is through."""
        def look():
            found = [x for x in self.json("/builds") if x["number"] == number]
            return found and found[0]["state"] in ("published", "failed", "skipped", "cancelled") and found[0]
        return self.life.until(f"build {number} of {self.namespace}", look, seconds)

    def seconds(self, build):
        """What the jobs of the build took on their worker."""
        jobs = self.json(f"/builds/{build['number']}")["jobs"]
        return max(moment(x["finished"]) - moment(x["started"]) for x in jobs)

    def push(self, author):
        """AUTHOR changes the recipe and pushes; the forge tells the service. The commit, and when."""
        work = self.life.scratch / f"work-{self.namespace}"
        git = ["git", "-C", work, "-c", f"user.name={author}", "-c", "user.email=author@example.com"]
        subprocess.run(["git", "clone", "-q", self.repository, work], check=True)
        extra = work / "mkosi.extra/usr/share/pushed"
        extra.parent.mkdir(parents=True, exist_ok=True)
        extra.write_text(f"by {author}\n")
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "Say who was here"], check=True)
        pushed = time.time()
        subprocess.run([*git, "push", "-q", "origin", "HEAD:main"], check=True)
        commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
        body = json.dumps({"ref": "refs/heads/main", "after": commit}).encode()
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        request = urllib.request.Request(f"{self.life.url}/hooks/{self.hook}", body, {
            "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "4b1f2e3d-0000-4000-8000-000000000001",
            "X-Hub-Signature-256": signature})
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.life.assertIn(answer.status, (200, 202))
        return commit, pushed

    def channel_url(self, host="127.0.0.1"):
        return f"http://{host}:{self.life.port}/pub/{self.namespace}/particleos/minimal/{self.channel}"

    def disk_image(self):
        """What an installer downloads: the disk of the newest release."""
        channel = self.channel_url()
        sums = urllib.request.urlopen(f"{channel}/SHA256SUMS", timeout=30).read().decode()
        digest, name = next(x.split(maxsplit=1) for x in sums.splitlines() if re.search(r"_\d{14}_x86-64\.raw$", x))
        path = self.life.scratch / f"{self.namespace}.raw"
        with urllib.request.urlopen(f"{channel}/{name.lstrip('*')}", timeout=300) as source, open(path, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        with open(path, "rb") as file:
            self.life.assertEqual(hashlib.file_digest(file, "sha256").hexdigest(), digest)
        return path

    def path(self, purpose):
        """The certificate for PURPOSE, out of the directory of the signer."""
        directory = self.life.home / f"signer/keys/{self.namespace}/particleos"
        # Some purposes share a key.
        names = {"verity": ("verity", "ipe"), "secure-boot": ("secure-boot", "enrolment")}.get(purpose, (purpose,))
        return next(x for name in names if (x := directory / f"{name}.crt").exists())

    def certificate(self, purpose):
        return subprocess.run(["openssl", "x509", "-in", self.path(purpose), "-outform", "der"], check=True, capture_output=True).stdout

    def fingerprint(self, purpose):
        return hashlib.sha256(self.certificate(purpose)).hexdigest()


if __name__ == "__main__":
    tap.run_cases(missing_tools())
