# SPDX-License-Identifier: LGPL-2.1-or-later
"""A build service whose releases are made here, and devices that update from it or from somebody in between: with
systemd-sysupdate of Debian testing and of Debian 13, and with particleos-update."""

import contextlib
import hashlib
import html
import http.server
import re
import shutil
import threading
import time
from pathlib import Path

from kitchen import Browser, Kitchen, now
from particleos import BUILD, RECIPE, SOURCE, WORK, call, environment, need_root
from signer import Signer
from tap import Skip, diagnose

# A suite, and the oldest version of systemd that it may have.
TESTING, STABLE = ("testing", 260), ("trixie", 257)
UUID = "00112233445566778899aabbccddeeff"
KINDS = (f".usr-x86-64.{UUID}.raw", ".usr-x86-64-verity-sig.raw", f".usr-x86-64-verity.{UUID[::-1]}.raw")
UPDATE = BUILD / "src/update/program/particleos-update"

# The tree stays as it is; what is installed lies in $work, which is also /mnt of the machine.
ENTER = """
set -e
tree=$1; work=$2; image=$3; shift 3
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/overlay /mnt/root
mount -t overlay -o lowerdir="$tree",upperdir=/mnt/upper,workdir=/mnt/overlay overlay /mnt/root
mount --rbind /dev /mnt/root/dev
mount -t proc proc /mnt/root/proc
mount -t tmpfs tmpfs /mnt/root/run
mount -t tmpfs tmpfs /mnt/root/tmp
rm -f /mnt/root/etc/os-release
printf 'ID=debian\\nIMAGE_ID=%s\\nIMAGE_VERSION=20200101000000\\n' "$image" >/mnt/root/etc/os-release
[ ! -e "$work/machine-id" ] || cp "$work/machine-id" /mnt/root/etc/machine-id
# 257 knows the second name alone.
mkdir -p /mnt/root/etc/systemd /mnt/root/mnt
cp "$work/ring" /mnt/root/etc/systemd/import-pubring.pgp
cp "$work/ring" /mnt/root/etc/systemd/import-pubring.gpg
mount --bind "$work" /mnt/root/mnt
exec chroot /mnt/root "$@"
"""

# What the image has, and what its service does at boot.
BOOT = """
set -e
mkdir -p /usr/lib/particleos /usr/lib/sysupdate.d /etc/particleos
cp /mnt/source.conf /usr/lib/particleos/update-source.conf
cp /mnt/transfers/* /usr/lib/sysupdate.d/
[ ! -e /mnt/channel ] || cp /mnt/channel /etc/particleos/channel
bash /mnt/update-source
rm -rf /mnt/sysupdate.d
cp -r /run/sysupdate.d /mnt/
"""


class Device:
    """What all kinds of devices have. ID: of the image."""

    def __init__(self, name, ring, image="Os"):
        self.work, self.image = WORK / name, image
        shutil.rmtree(self.work, ignore_errors=True)
        self.place.mkdir(parents=True)
        shutil.copy(ring, self.work / "ring")

    @property
    def place(self):
        return self.work / "installed"

    def installed(self):
        """What is there by its name; files on their way have hidden ones."""
        return {path.name: path.read_bytes() for path in self.place.iterdir() if not path.name.startswith(".")}

    def empty(self):
        shutil.rmtree(self.place)
        self.place.mkdir()

    def put(self, files):
        self.empty()
        for name, content in files.items():
            (self.place / name).write_bytes(content)


class Machine(Device):
    """A device with the systemd of SUITE."""

    def __init__(self, name, suite, oldest, ring, image="Os"):
        need_root()
        made = call(SOURCE / "tests/lib/tools-tree", "sysupdate", suite, status=None)
        if made.returncode:
            raise Skip(f"no tree of Debian {suite}: {(made.stderr.strip().splitlines() or ['tools-tree failed'])[-1]}")
        super().__init__(f"{name}-{suite}", ring, image)
        self.tree = Path(made.stdout.strip().splitlines()[-1])
        said = call("chroot", self.tree, "/usr/lib/systemd/systemd-sysupdate", "--version").stdout
        self.version = int(re.match(r"systemd (\d+)", said)[1])
        assert self.version >= oldest, said
        self.name = f"systemd {self.version}"
        diagnose(f"Debian {suite}: {said.splitlines()[0]}")

    def enter(self, *command):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "SYSTEMD_LOG_LEVEL": "info",
               "SYSTEMD_LOG_TARGET": "console"}
        done = call("unshare", "--mount", "--pid", "--fork", "bash", "-c", ENTER, "bash", self.tree, self.work, self.image, *command,
                    status=None, env=env, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def boot(self, url, target, channel, rollout="no", machine_id=None, follows=None):
        """What the service of the image makes of its configuration: the transfers of the recipe, with files as targets."""
        (self.work / "source.conf").write_text(f"URL={url}\nTARGET={target}\nCHANNEL={channel}\nROLLOUT={rollout}\n")
        for name, text in (("machine-id", machine_id), ("channel", follows)):
            (self.work / name).unlink(missing_ok=True)
            if text:
                (self.work / name).write_text(text + "\n")
        shutil.copy(RECIPE / "mkosi.extra/usr/lib/particleos/update-source", self.work / "update-source")
        transfers = self.work / "transfers"
        shutil.rmtree(transfers, ignore_errors=True)
        transfers.mkdir()
        for path in sorted((RECIPE / "mkosi.extra/usr/lib/sysupdate.d").iterdir()):
            if "uki" in path.name:
                continue
            source = re.search(r"\[Source\]\n.*?(?=\n\[Target\])", path.read_text(), re.S)[0].replace("Type=regular-file", "Type=url-file")
            kept = re.search(r"^MatchPattern=.* (\S+)$", source, re.M)[1]
            (transfers / path.name).write_text(f"{source}\n[Target]\nType=regular-file\nPath=/mnt/installed\nMatchPattern={kept}\nInstancesMax=2\n")
        return self.enter("bash", "-c", BOOT)

    def sysupdate(self, *arguments):
        return self.enter("/usr/lib/systemd/systemd-sysupdate", "--definitions=/mnt/sysupdate.d", "--verify=yes", *arguments)

    def update(self):
        return self.sysupdate("update")

    def follow(self, sources):
        """By the source of the page of a channel."""
        definitions = self.work / "sysupdate.d"
        shutil.rmtree(definitions, ignore_errors=True)
        definitions.mkdir()
        for number, source in enumerate(sources):
            pattern = re.search(r"MatchPattern=\S+?\.(%M\S+)", source)[1]
            (definitions / f"{number}0-part.transfer").write_text(
                f"{source}\n[Target]\nType=regular-file\nPath=/mnt/installed\nMatchPattern={pattern}\nInstancesMax=2\n")

    @contextlib.contextmanager
    def trusting(self, ring):
        """A device with another key."""
        before = (self.work / "ring").read_bytes()
        shutil.copy(ring, self.work / "ring")
        try:
            yield
        finally:
            (self.work / "ring").write_bytes(before)

    def takes(self):
        self.empty()
        code, said = self.update()
        assert code == 0 and len(self.installed()) == len(KINDS), f"{self.name} does not take it: {said}"

    def refuses(self, words=""):
        """It installs nothing, and says why."""
        self.empty()
        code, said = self.update()
        assert code != 0 and not self.installed(), f"{self.name} takes it: {said} {sorted(self.installed())}"
        assert re.search(words, said, re.I), said


class OurMachine(Device):
    """A device with particleos-update, which has the transfers that LIKE made at its boot."""

    def __init__(self, name, like, ring):
        super().__init__(name, ring, like.image)
        self.name, self.like = "particleos-update", like
        root = self.work / "root"
        for path in ("etc/systemd", "usr/lib"):
            (root / path).mkdir(parents=True)
        (root / "etc/os-release").write_text(f"ID=debian\nIMAGE_ID={self.image}\nIMAGE_VERSION=20200101000000\n")
        shutil.copy(ring, root / "etc/systemd/import-pubring.gpg")

    @property
    def place(self):
        return self.work / "root/mnt/installed"

    def installed(self):
        """It writes UUIDs with dashes."""
        return {re.sub(r"\.([0-9a-f]{8}-[0-9a-f-]{27})\.", lambda found: f".{found[1].replace('-', '')}.", name): data
                for name, data in super().installed().items()}

    def put(self, files):
        super().put({re.sub(r"\.([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})\.", r".\1-\2-\3-\4-\5.", name): data
                     for name, data in files.items()})

    def update(self):
        text = {path.name: path.read_text() for path in (self.like.work / "sysupdate.d").iterdir()}
        definitions = self.work / "root/run/sysupdate.d"
        shutil.rmtree(definitions, ignore_errors=True)
        definitions.mkdir(parents=True)
        for name, content in text.items():
            (definitions / name).write_text(content)
        done = call(UPDATE, f"--root={self.work}/root", "--verify=yes", "update", status=None,
                    env=environment(http_proxy=None, https_proxy=None, no_proxy="*"), timeout=120)
        return done.returncode, done.stdout + done.stderr


class Service:
    """The build service with a project of several targets (NAME: IMAGE_ID) whose releases come from here."""

    def __init__(self, name, targets=None):
        need_root()
        self.targets = targets or {"main": "Os"}
        self.signer = Signer(f"{name}-signer", "--development")
        self.project = self.signer.create("cook/os", self.targets, development=True)
        self.kitchen = Kitchen(name)
        self.admin = self.kitchen.administrator()
        assert self.admin.post("/new", {"namespace": "cook", "name": "os", "url": "https://git.example/os", "branch": "main"}).status == 303
        self.id = self.kitchen.project_id("cook", "os")
        self.ids = {}
        # Nobody looks at the repository, which is not there.
        self.kitchen.sql("DELETE FROM build_request")
        self.kitchen.sql("UPDATE project SET poll = 0")
        self.kitchen.sql("DELETE FROM target")
        for target, image in self.targets.items():
            self.ids[target] = self.kitchen.insert("target", {"project_id": self.id, "name": target, "image_id": image})
        self.kitchen.stop()
        port = self.kitchen.port
        self.kitchen.config.write_text(f"[Web]\nListen=127.0.0.1:{port}\n[Store]\nDirectory={self.kitchen.store}\n[Executor]\nBuilder=/bin/false\n"
                                       f"[Publish]\nBaseURL=http://127.0.0.1:{port}/pub\nSigner={self.signer.socket}\n")
        self.releases = {}

    @property
    def ring(self):
        return self.project.path / "ring.pgp"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.kitchen.port}/pub/cook/os"

    def add_artifact(self, job, name, content):
        kitchen, digest = self.kitchen, hashlib.sha256(content).hexdigest()
        path = kitchen.store / "objects" / digest[:2] / digest[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        kitchen.insert("object", {"digest": digest, "size": len(content), "created": now()})
        kitchen.insert("job_object", {"job_id": job, "digest": digest})
        kitchen.insert("artifact", {"job_id": job, "name": name, "kind": "partition", "digest": digest, "size": len(content)})

    def build(self, when):
        """A build of the version WHEN that was killed while it was published: the service goes on there when it starts. Its
        number."""
        # It must not find half of the build.
        if self.kitchen.process.poll() is None:
            self.kitchen.stop()
        build = self.kitchen.build(self.id, version=when, state="publishing", finished=None)
        for target, image in self.targets.items():
            job = self.kitchen.job(build, self.ids[target])
            files = {f"{image}_{when}_x86-64{rest}": f"{target}{when}{rest}".encode() * 5000 for rest in KINDS}
            self.releases[target, when] = files
            for name, content in files.items():
                self.add_artifact(job, name, content)
        self.kitchen.start()
        self.wait("SELECT 1 FROM release WHERE build_id = ? AND state = 'published'", build)
        return self.kitchen.sql("SELECT number FROM build WHERE id = ?", build)[0][0]

    def wait(self, sql, *values, seconds=60):
        """Until SQL finds something."""
        end = time.monotonic() + seconds
        while not (rows := self.kitchen.sql(sql, *values)):
            self.kitchen.alive()
            assert time.monotonic() < end, f"{sql}\n{self.kitchen.said()[-3000:]}\n{self.signer.said.read_text()[-2000:]}"
            time.sleep(0.1)
        return rows

    def settle(self):
        """Until all that was wished is done."""
        self.wait("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM release WHERE state = 'publishing') AND NOT EXISTS "
                  "(SELECT 1 FROM channel WHERE wanted <> switched) AND NOT EXISTS (SELECT 1 FROM withdrawal WHERE told IS NULL)")

    def place(self, target, channel):
        return self.kitchen.store / "pub/cook/os" / target / channel

    def sources(self, channel="testing"):
        """What the page of the channel gives to devices, but for the UKI, which has no part in this."""
        page = Browser(self.kitchen).get(f"/cook/os/channels/{channel}").text
        text = html.unescape(re.search(r"<pre[^>]*>(.*?)</pre>", page, re.S)[1])
        return [f"[Source]{part}" for part in text.split("[Source]")[1:] if ".efi" not in part]

    def stop(self):
        self.kitchen.stop()
        self.signer.stop()


class Mirror:
    """Somebody between the service and devices, who offers what he likes: files by their path."""

    def __init__(self):
        self.files = {}
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                data = mirror.files.get(self.path)
                self.send_response(200 if data is not None else 404)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(data or b"")
            do_HEAD = do_GET

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Clients hang up when they have seen enough.
        self.server.handle_error = lambda *_: None
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def offer(self, path, files):
        """FILES (NAME: bytes) at PATH, and nothing anywhere else."""
        self.files = {f"{path}/{name}": data for name, data in files.items()}


def read_set(place):
    """A set as it was published (NAME: bytes)."""
    return {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}
