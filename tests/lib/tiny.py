# SPDX-License-Identifier: LGPL-2.1-or-later
"""A recipe that builds in a moment: no packages, one volume."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from particleos import EPOCH, PROGRAM, call, environment, fresh

CONF = """[Distribution]
Distribution=custom
Release=trixie

[Output]
Format=disk
Output=tiny
OutputDirectory=mkosi.output
Seed=5d1ecf0c-3d0c-4a66-9d4c-2f4c4b4f5053

[Content]
Bootable=no

[Build]
WorkspaceDirectory=workspace
CacheDirectory=cache
"""

USR = """[Partition]
Type=usr
Format=erofs
CopyFiles=/usr:/
Minimize=best
"""


class Tiny:
    """A directory with such a recipe. What a build must not leave behind is known by the name of the directory."""

    def __init__(self, name):
        self.path = fresh(name)
        self.output = self.path / "mkosi.output"
        self.write("mkosi.conf", CONF)
        self.write("mkosi.repart/10-usr.conf", USR)
        self.write("mkosi.skeleton/usr/lib/os-release", "ID=test\nVERSION_ID=1\nNAME=Test\n")
        self.write("mkosi.skeleton/etc/.keep", "")

    def write(self, name, text, mode=0o644):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def debian(self):
        """Options for Debian without its packages: over a base tree, the base is not installed."""
        (self.path / "nothing").mkdir(exist_ok=True)
        return "--distribution=debian", f"--base-tree={self.path / 'nothing'}"

    def command(self, *arguments):
        return [str(x) for x in (PROGRAM, "-C", self.path, "--force", *arguments, "build")]

    def build(self, *arguments, status=0, **options):
        options.setdefault("env", environment(SOURCE_DATE_EPOCH=EPOCH))
        return call(*self.command(*arguments), status=status, **options)

    def artifacts(self):
        if not self.output.exists():
            return {}
        return {path.name: os.readlink(path) if path.is_symlink() else path.read_bytes()
                for path in self.output.iterdir() if not path.name.startswith("particleos-")}

    def start(self, *arguments):
        """Starts a build in a session of its own; its messages are in the file log."""
        with open(self.path / "log", "w") as log:
            return subprocess.Popen(self.command(*arguments), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                    env=environment(SOURCE_DATE_EPOCH=EPOCH), start_new_session=True)

    def log(self):
        return (self.path / "log").read_text(errors="replace")

    def wait_for(self, word, process, seconds=120):
        """Until the log says WORD."""
        end = time.monotonic() + seconds
        while word not in self.log():
            assert process.poll() is None, f"ended with {process.returncode} before it said {word}:\n{self.log()[-3000:]}"
            assert time.monotonic() < end, f"did not say {word} in {seconds} s:\n{self.log()[-3000:]}"
            time.sleep(0.02)

    def leftovers(self):
        """What there still is of a build: mounts, loop devices, processes, temporary trees."""
        found = []
        me = str(self.path)
        for process in Path("/proc").glob("[0-9]*"):
            if int(process.name) == os.getpid():
                continue
            try:
                texts = [(process / x).read_text(errors="replace") for x in ("cmdline", "mountinfo")]
                texts += [os.readlink(process / x) for x in ("cwd", "root", "exe")]
            except OSError:
                continue
            if any(me in text for text in texts):
                found.append(f"process {process.name}: {texts[0].replace(chr(0), ' ')[:200]}")
        found += [f"mount: {x}" for x in Path("/proc/self/mountinfo").read_text().splitlines() if me + "/" in x]
        if os.geteuid() == 0:
            found += [f"loop device: {x}" for x in call("losetup", "--all").stdout.splitlines() if me in x]
        for directory, names, _ in os.walk(self.path):
            found += [f"workspace: {directory}/{name}" for name in names if name.startswith("particleos-")]
        found += [f"hidden: {x}" for x in self.path.glob("mkosi.output/.*")]
        return found

    def assert_clean(self, seconds=20):
        """Nothing is left, after a short moment at the latest."""
        end = time.monotonic() + seconds
        while True:
            found = self.leftovers()
            if not found:
                return
            assert time.monotonic() < end, "left behind:\n" + "\n".join(found)
            time.sleep(0.2)

    def remove(self):
        shutil.rmtree(self.path)
