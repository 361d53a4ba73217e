# SPDX-License-Identifier: LGPL-2.1-or-later
"""particleos-signer, asked over its socket, and things for it to sign."""

import atexit
import base64
import calendar
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from particleos import PROGRAM, call, environment, fresh
from tap import Skip

SIGNER = Path(os.environ.get("PARTICLEOS_SIGNER", PROGRAM.parent.parent / "signer/particleos-signer"))
MAKER = PROGRAM.parent.parent.parent / "tests/unit/signer/make-things"
DAY = 24 * 60 * 60
NOW = int(time.time())
PURPOSES = ("secure-boot", "enrolment", "verity", "pcr", "ipe", "manifest")


def version(ahead=0):
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(NOW + ahead))


def make(*arguments):
    if not MAKER.exists():
        raise Skip(f"{MAKER} is not built (meson's option tests)")
    return call(MAKER, *arguments).stdout.strip()


class Asker:
    """A connection."""

    def __init__(self, path, timeout=60):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, request, descriptors=()):
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        if descriptors:
            socket.send_fds(self.socket, [data], list(descriptors))
        else:
            self.socket.send(data)

    def receive(self):
        data = self.socket.recv(1 << 20)
        return json.loads(data) if data else None

    def ask(self, request, descriptors=()):
        self.send(request, descriptors)
        return self.receive()


class Signer:
    """A running signer with a state of its own; STATE None: an empty one."""

    def __init__(self, name, *options, state=None, wrapper=(), **env):
        self.path = fresh(name)
        self.state = Path(state) if state else self.path / "state"
        self.socket = self.path / "socket"
        self.env = environment(**env)
        self.wrapper = wrapper
        self.options = options
        self.process = None
        self.asked = 0
        self.granted = []
        atexit.register(self.kill)
        self.start()

    def start(self, ready=True):
        if not SIGNER.exists():
            raise Skip(f"{SIGNER} is not built")
        self.said = self.path / "said"
        self.process = subprocess.Popen([*self.wrapper, SIGNER, "--state", self.state, "--socket", self.socket, *self.options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.said, "w"),
                                        env=self.env)
        for _ in range(1000):
            if self.process.poll() is not None or "ready" in self.said.read_text():
                break
            time.sleep(0.01)
        assert not ready or self.process.poll() is None, self.said.read_text()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0, self.said.read_text()

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def restart(self):
        self.stop()
        self.start()

    @property
    def log(self):
        return self.state / "log"

    def leaves(self):
        return [json.loads(x) for x in self.log.read_text().splitlines()]

    def ask(self, request, files=()):
        """FILES: paths or open descriptors."""
        opened = [x if isinstance(x, int) else os.open(x, os.O_RDONLY) for x in files]
        self.asked += 1
        try:
            with Asker(self.socket) as asker:
                return asker.ask(request, opened)
        finally:
            for given, fd in zip(files, opened):
                if not isinstance(given, int):
                    os.close(fd)

    def grant(self, request, files=()):
        answer = self.ask(request, files)
        assert "error" not in answer, answer
        self.granted.append((request, files))
        return answer

    def refuse(self, word, words, request, files=()):
        """The request is refused with WORD and with WORDS in its detail, and leaves no trace in the log."""
        before = self.log.read_bytes()
        answer = self.ask(request, files)
        assert answer and answer.get("error") == word, (word, answer)
        assert words in answer["detail"], (words, answer)
        assert set(answer) == {"version", "error", "detail"}, answer
        assert self.log.read_bytes() == before
        return answer

    def create(self, owner, targets, **more):
        namespace, project = owner.split("/")
        answer = self.grant({"version": 1, "id": f"create-{namespace}-{project}", "type": "create", "namespace": namespace,
                             "project": project, "targets": targets, **more})
        return Project(self, owner, answer)

    def policy(self, owner):
        return self.state / f"signer.d/{owner}.conf"

    def edit(self, owner, old, new):
        text = self.policy(owner).read_text()
        assert old in text, text
        self.policy(owner).write_text(text.replace(old, new))


class Project:
    """What the signer gave out for a project, as files."""

    def __init__(self, signer, owner, answer):
        self.signer, self.owner, self.answer = signer, owner, answer
        self.namespace, self.name = owner.split("/")
        self.path = signer.path / owner.replace("/", "-")
        self.path.mkdir(exist_ok=True)
        for purpose, pem in answer["certificates"].items():
            (self.path / f"{purpose}.crt").write_text(pem)
        (self.path / "ring.pgp").write_bytes(base64.b64decode(answer["keyRing"]))

    def certificate(self, purpose):
        return self.path / f"{purpose}.crt"


def best_before(days):
    return time.strftime("%Y-%m-%d", time.gmtime(NOW + days * DAY))


def seconds(text):
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%S"))


def copy(source, target):
    shutil.copy(source, target)
    return Path(target)
