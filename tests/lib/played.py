# SPDX-License-Identifier: LGPL-2.1-or-later
"""A build service whose builder and signer are played, so that a build takes a second; repository, git, workers and HTTP are real."""

import base64
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

from particleos import PROGRAM, call, environment, fresh, need
from tap import Skip

KITCHEN = Path(os.environ.get("PARTICLEOS_KITCHEN", PROGRAM.parent.parent / "kitchen/program/particleos-kitchen"))
BUILDER = """#!/usr/bin/env python3
# Plays the builder. The file "plan" of the recipe says what happens.
import json, os, shutil, signal, subprocess, sys, time
from pathlib import Path

def option(name):
    return next((x.split("=", 1)[1] for x in sys.argv if x.startswith(name + "=")), None)

recipe, output, version = Path(option("--directory")), Path(option("--output-directory")), option("--image-version")
plan = json.loads((recipe / "plan").read_text())
verb = next(x for x in ("inputs", "build", "attach", "inspect", "vm") if x in sys.argv)
name, uuid = f"Os_{version}", "00112233445566778899aabbccddeeff"
print(verb, file=sys.stderr)
if verb == "inputs":
    if plan.get("inputs") == "fail":
        sys.exit("mkosi.conf:3: there is no such setting")
    if plan.get("inputs") is None:
        sys.exit("error: there is no verb inputs")
    print(json.dumps(plan["inputs"]))
elif verb == "build":
    (Path(os.environ["HOME"]) / "builder-pid").write_text(str(os.getpid()))
    os.write(3, b'{"event": "step-begin", "text": "Installing"}\\n')
    if "sleep" in plan:
        if plan.get("stubborn"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            subprocess.Popen(["sleep", "1000"])
        time.sleep(plan["sleep"])
    if "fail" in plan:
        sys.exit(plan["fail"])
    if "sparse" in plan:
        with open(output / "sparse.raw", "wb") as file:
            file.truncate(plan["sparse"])
    if "fill" in plan:
        (output / "large.raw").write_bytes(os.urandom(plan["fill"]))
        time.sleep(600)
    (output / f"{name}.usr-x86-64.{uuid}.raw").write_bytes(b"data" * 1000)
    (output / f"{name}.usr-x86-64-verity.{uuid[::-1]}.raw").write_bytes(b"tree" * 100)
    (output / f"{name}.efi").write_bytes(b"MZ unsigned")
    (output / f"{name}.SHA256SUMS").write_bytes(b"sums")
    (output / "latest").symlink_to(f"{name}.efi")
    signing = output / f"{name}.signing"
    (signing / "things").mkdir(parents=True)
    (signing / "answers").mkdir()
    (signing / "things/1").write_bytes(b"MZ unsigned")
    (signing / "things/2").write_bytes(json.dumps({"rootHash": uuid + uuid[::-1]}).encode() + bytes(100))
    (signing / "signing.json").write_text(json.dumps({"things": [{"type": "pe", "title": "Os.efi"}, {"type": "verity", "title": "usr"}, {"type": "pcr", "title": "with Os.efi"}]}))
elif verb == "attach":
    directory = Path(sys.argv[-1])
    answers = {x.name: x.read_bytes() for x in (directory / "answers").iterdir()}
    assert answers == {"pe-1.sig": b"signature of pe", "verity-1.sig": b"signature of verity"}, answers
    (output / f"{name}.efi").write_bytes(b"MZ signed")
    shutil.rmtree(directory)
    print(f"{name} is finished: signatures in 2 places")
elif verb == "inspect":
    assert (output / f"{name}.efi").read_bytes() == b"MZ signed"
    assert open(option("--certificate")).read() == "PEM"
    if plan.get("inspect"):
        sys.exit(plan["inspect"])
elif verb == "vm":
    assert "--until-login" in sys.argv and "--ephemeral=yes" in sys.argv, sys.argv
    (recipe.parent / "started").touch()
    if plan.get("vm") == "changes":
        (output / f"{name}.efi").write_bytes(b"MZ changed")
    elif plan.get("vm"):
        print(plan["vm"], file=sys.stderr)
        sys.exit(1)
"""


class FakeLog:
    """A log with one leaf for ever, as C2SP tlog-checkpoint has it; openssl signs."""

    NAME = "played.example/log"

    def __init__(self, directory):
        key, note, signature = (Path(directory) / x for x in ("log.key", "log.note", "log.signature"))
        leaf = b"a leaf"
        call("openssl", "genpkey", "-algorithm", "ed25519", "-out", key)
        public = call("openssl", "pkey", "-in", key, "-pubout").stdout
        raw = b"\x01" + base64.b64decode("".join(public.splitlines()[1:-1]))[-32:]
        number = hashlib.sha256(self.NAME.encode() + b"\n" + raw).digest()[:4]
        text = f"{self.NAME}\n1\n{base64.b64encode(hashlib.sha256(bytes(1) + leaf).digest()).decode()}\n"
        note.write_text(text)
        call("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", note, "-out", signature)
        signed = base64.b64encode(number + signature.read_bytes()).decode()
        self.checkpoint = f"{text}\n\u2014 {self.NAME} {signed}\n"
        self.key, self.provenance = f"{self.NAME}+{number.hex()}+{base64.b64encode(raw).decode()}", public
        self.leaf = base64.b64encode(leaf).decode()

    def answer(self, first):
        return {"version": 1, "answers": {}, "log": {"size": 1, "head": "00"}, "checkpoint": self.checkpoint, "logKey": self.key,
                "provenance": self.provenance, "entries": [] if first else [self.leaf]}


class FakeSigner(threading.Thread):
    def __init__(self, path):
        super().__init__(daemon=True)
        self.log = FakeLog(Path(path).resolve().parent)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(str(path))
        self.socket.listen(16)
        self.requests, self.refuse = [], None
        self.start()

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            while True:
                data, fds, _, _ = socket.recv_fds(connection, 1 << 20, 8)
                if not data:
                    return
                request = json.loads(data)
                request["bytes"] = [os.pread(fd, 1 << 20, 0) for fd in fds]
                for fd in fds:
                    os.close(fd)
                self.requests.append(request)
                connection.send(json.dumps(self.answer(request)).encode())

    def answer(self, request):
        kind = request["type"]
        if self.refuse and kind == self.refuse[0]:
            return {"version": 1, "error": self.refuse[1], "detail": self.refuse[2]}
        if kind == "log":
            return self.log.answer(request["first"])
        answer = {"version": 1, "answers": {}, "log": {"size": len(self.requests), "head": "00"}}
        if kind == "certificates":
            answer["certificates"] = {"secure-boot": "PEM"}
            answer["keyRing"] = base64.b64encode(b"ring").decode()
        elif kind == "manifest":
            answer["manifest"] = "".join(f"{x['sha256']} *{x['name']}\n" for x in request["entries"])
            answer["answers"]["manifest"] = base64.b64encode(b"OpenPGP").decode()
            # Whether it is one, who verifies a release says.
            answer["proof"] = "proof\n"
        else:
            answer["answers"][f"{kind}-1"] = base64.b64encode(f"signature of {kind}".encode()).decode()
        return answer


class Kitchen:
    def __init__(self, name, **env):
        self.env = env
        need("git", "tar", "openssl")
        if not KITCHEN.exists():
            raise Skip(f"{KITCHEN} is not built")
        self.path = fresh(name)
        self.builder = self.path / "builder"
        self.builder.write_text(BUILDER)
        self.builder.chmod(0o755)
        self.repository = self.path / "repositories/recipe.git"
        self.tree = self.path / "tree"
        self.process = None
        self.port = 0
        self.git("init", "--quiet", "--bare", "--initial-branch=main", self.repository)
        self.git("init", "--quiet", "--initial-branch=main", self.tree)
        (self.path / "kitchen").mkdir()
        # Sockets have short names.
        os.chdir(self.path)
        self.signer = FakeSigner("signer.sock")
        self.start()
        with self.database() as database:
            database.executescript(f"""
                INSERT INTO namespace (name, created) VALUES ('ada', 1);
                INSERT INTO project (namespace_id, name, url, branch, directory, poll, timeout, created)
                    VALUES ((SELECT id FROM namespace WHERE name = 'ada'), 'desktop', '{self.repository}', 'main', 'recipes/os', 0, 600, 1);
                INSERT INTO target (project_id, name, profiles, image_id) VALUES (1, 'x86-64', 'minimal', 'Os');
                INSERT INTO channel (project_id, name) VALUES (1, 'testing');""")

    def git(self, *arguments):
        return call("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *arguments).stdout.strip()

    def start(self):
        config = self.path / "kitchen.conf"
        config.write_text(f"[Web]\nListen=127.0.0.1:{self.port}\nDevelopment=yes\n[Store]\nDirectory={self.path}/kitchen\n"
                          f"[Executor]\nBuilder={self.builder}\n[Publish]\nBaseURL=http://kitchen.example/pub\nSigner={self.path}/signer.sock\n"
                          f"[Git]\nLocalRoots={self.path}/repositories\n")
        self.said = self.path / "server-says"
        self.process = subprocess.Popen([KITCHEN, f"--config={config}", "serve"], stdin=subprocess.DEVNULL,
                                        stderr=open(self.said, "w"), env=environment(**self.env), cwd=self.path)
        for _ in range(1000):
            if found := re.search(r"Listening at http://127\.0\.0\.1:(\d+)", self.said.read_text()):
                break
            assert self.process.poll() is None, self.said.read_text()
            time.sleep(0.01)
        self.port = int(found[1])

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    @contextlib.contextmanager
    def database(self):
        connection = sqlite3.connect(self.path / "kitchen/kitchen.sqlite", timeout=20)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
            connection.commit()
        finally:
            connection.close()

    def ask(self, sql, *values):
        """The rows. Whoever closes a database last removes its log; SQLite does not open one whose log goes at that moment."""
        for left in range(20, -1, -1):
            try:
                with self.database() as database:
                    return [dict(x) for x in database.execute(sql, values)]
            except sqlite3.OperationalError as problem:
                if left == 0 or "unable to open" not in str(problem):
                    raise
                time.sleep(0.1)

    def push(self, cause="push", force=0, **plan):
        """A commit with PLAN, and the wish of a hook."""
        recipe = self.tree / "recipes/os"
        recipe.mkdir(parents=True, exist_ok=True)
        (recipe / "plan").write_text(json.dumps(plan))
        (recipe / "time").write_text(str(time.time_ns()))
        self.git("-C", self.tree, "add", "-A")
        self.git("-C", self.tree, "commit", "--quiet", "-m", "A <b>change</b>")
        self.git("-C", self.tree, "push", "--quiet", self.repository, "HEAD:main")
        return self.wish(cause, force)

    def wish(self, cause, force=0):
        before = self.newest()
        self.ask("INSERT INTO build_request (project_id, cause, force, created) VALUES (1, ?, ?, 1)", cause, force)
        return self.wait(lambda: self.newest() if self.newest() != before and (not before or self.newest()["id"] != before["id"]) else None)

    def newest(self):
        return next(iter(self.ask("SELECT * FROM build ORDER BY id DESC LIMIT 1")), None)

    def wait(self, what, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := what():
                return found
            time.sleep(0.05)
        raise AssertionError(f"nothing after {seconds} s; {self.ask('SELECT * FROM build')} {self.ask('SELECT * FROM job')} "
                             f"{(self.path / 'server-says').read_text()[-3000:]} {self.logs()[-3000:]}")

    def ends(self, build, seconds=30):
        return self.wait(lambda: next((x for x in self.ask("SELECT * FROM build WHERE id = ?", build["id"]) if x["finished"]), None),
                         seconds)

    def logs(self):
        return "\n".join(x.read_text(errors="replace") for x in sorted((self.path / "kitchen/logs").glob("*.log")))

    def channel(self):
        return self.path / "kitchen/pub/ada/desktop/x86-64/testing"

    def builder_pid(self):
        """Of the builder at work."""
        # It may be in a PID namespace, so it cannot say it itself.
        for path in (self.path / "kitchen").rglob("builder-pid"):
            with contextlib.suppress(ValueError):
                return next((x for x in processes(str(self.builder), "build") if namespace_pid(x) == int(path.read_text())), None)
        return None


def words_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def processes(*words):
    """Processes with all of WORDS as arguments, but those that stand beside a builder."""
    found = [int(x.name) for x in Path("/proc").glob("[0-9]*") if set(words) <= set(words_of(x.name))]
    return [x for x in found if "apart" not in words_of(x)[:2]]


def namespace_pid(pid):
    """What a process calls itself."""
    return int(re.search(r"NSpid:.*?(\d+)\n", Path(f"/proc/{pid}/status").read_text())[1])


def worker_of(pid):
    """The worker of a builder: its parent, or that of the process that stands between them."""
    while "apart" in words_of(pid := int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])):
        pass
    return pid


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def kitchen(name, **env):
    made = Kitchen(f"kitchen-played-{name}", **env)
    try:
        yield made
    finally:
        made.stop()
        pid = made.builder_pid()
        if pid and alive(pid):
            os.kill(pid, signal.SIGKILL)
