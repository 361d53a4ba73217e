# SPDX-License-Identifier: LGPL-2.1-or-later
"""Words for the life of a machine: it is born from an image, boots, is updated from here over HTTP, and is looked at.

    scenario = Scenario("update", image, credentials)
    with scenario.boot("first") as machine: ...
    with scenario.serve(directory) as url: ...

One scenario has one machine; its State (disk, firmware variables, TPM) lives on from boot to boot. Between two boots the
disk can be spoiled with disk.py, the TPM replaced with state.reset_tpm(), the whole machine set aside with state.copy().
"""

import contextlib
import http.server
import os
import shutil
import tempfile
import threading
import time
import unittest
from pathlib import Path

import disk
from machine import Machine, State

DISK_SIZE = 16 << 30
HOST = "10.0.2.2"  # this host, seen from the machine
PASSWORD = "only-for-this-test"
CREDENTIALS = {
    "passwd.plaintext-password.root": PASSWORD,
    "passwd.shell.root": "/bin/bash",
    "firstboot.locale": "C.UTF-8",
    "firstboot.keymap": "us",
    "firstboot.timezone": "UTC",
    "firstboot.hostname": "particle",
}
QUESTIONS = r"(?i)please enter|passphrase for|recovery key"
KERNEL_RUNS = r"Linux version|EFI stub: |Welcome to|Booting initrd"


class Requests(http.server.SimpleHTTPRequestHandler):
    """Serves files and remembers who asked for what."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.server.requested.append(self.path)
        super().do_GET()

    def copyfile(self, source, outputfile):
        if self.server.cut and self.server.cut in self.path:  # after the whole length was promised
            outputfile.write(source.read(os.fstat(source.fileno()).st_size // 2))
        else:
            super().copyfile(source, outputfile)


class Scenario:
    """IMAGE may be None: then STATE has to be set before the first boot, to that of bench.machine() for example."""

    def __init__(self, name, image, credentials=None):
        top = os.environ.get("PARTICLEOS_TEST_SCRATCH", "/var/tmp")
        self.scratch = Path(tempfile.mkdtemp(prefix=f"particleos-{name}-", dir=top))
        self.credentials = CREDENTIALS if credentials is None else credentials
        self.state = State.from_image(self.scratch / "machine", image, DISK_SIZE) if image else None
        self.arguments = ""  # on the command line of each boot, see Machine
        self.requested = []
        self.times = []  # (name of the boot, seconds)

    def remove(self):
        if not os.environ.get("PARTICLEOS_TEST_KEEP"):
            shutil.rmtree(self.scratch)

    @contextlib.contextmanager
    def boot(self, name, state=None, **options):
        """The machine from power on to power off (or to a pulled plug)."""
        start = time.monotonic()
        options.setdefault("arguments", self.arguments)
        try:
            with Machine(state or self.state, self.credentials, log=self.scratch / f"{name}.console",
                         **options) as machine:
                yield machine
        finally:
            self.times.append((name, time.monotonic() - start))

    @contextlib.contextmanager
    def serve(self, directory, cut=None):
        """An HTTP server on loopback; the URL is the one for the machine. What it asks for ends up in REQUESTED. Of files
        with CUT in their name it sends half and hangs up."""
        def handler(*arguments):
            return Requests(*arguments, directory=str(directory))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            server.requested = self.requested
            server.cut = cut
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://{HOST}:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()


class Life(unittest.TestCase):
    """The life of one machine, told in tests: each needs those before it, so the first failure has to be the last."""

    name = None

    @classmethod
    def setUpClass(cls):
        cls.life = Scenario(cls.name, None)
        cls.addClassCleanup(cls.life.remove)
        cls.running = contextlib.ExitStack()
        cls.addClassCleanup(lambda: cls.running.close())

    def turn_on(self, boot, **options):
        """Boots self.machine, having pulled its plug if it runs."""
        self.running.close()
        type(self).machine = self.running.enter_context(self.life.boot(boot, **options))
        return self.machine


def login(machine):
    machine.login(PASSWORD)


def version(machine):
    """The version that runs, by its own account and by that of the kernel."""
    running = machine.output(". /usr/lib/os-release; echo $IMAGE_VERSION")
    table = machine.output("dmsetup table --target verity")
    if "root_hash_sig_key_desc" not in table:
        machine.fail(f"/usr has no root hash signature: {table}")
    return running


def update_from_url(machine, url, verify=True):
    """Points the transfers at URL for this boot, as an administrator would, and updates, see update()."""
    machine.output(
        "rm -rf /run/sysupdate.d; cp -r /usr/lib/sysupdate.d /run/sysupdate.d && "
        f"sed -i -e '/^\\[Source\\]/,/^\\[Target\\]/{{s,^Type=.*,Type=url-file,;s,^Path=.*,Path={url},}}' "
        + ("" if verify else "-e 's,^\\[Transfer\\],&\\nVerify=no,' ") + "/run/sysupdate.d/*.transfer")
    return update(machine)


def update(machine):
    """Runs the update service; (whether it succeeded, what the journal says of it)."""
    service = machine.output("systemctl list-unit-files --no-legend 'systemd-sysupdate-update.service' "
                             "'systemd-sysupdate.service' | sed -n '1s/ .*//p'")
    cursor = machine.output("journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p'")
    machine.run(f"systemctl start --wait {service}")
    result = machine.output(f"systemctl show -P Result {service}")
    journal = machine.output(f"journalctl -o cat --no-pager --after-cursor='{cursor}' -u {service}")
    return result == "success", journal


def slots(machine_or_path):
    """Labels of the partitions for /usr and its companions."""
    path = getattr(machine_or_path, "disk", machine_or_path)
    return sorted(p.label for p in disk.read_partitions(path)
                  if p.type in (disk.USR, disk.USR_VERITY, disk.USR_VERITY_SIG))
