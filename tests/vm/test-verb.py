#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verb vm, with a disk that has nothing to boot: the firmware then waits in its shell, which is enough to see how
consoles, signals and state behave."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import tap
from machine import PATIENCE, missing_tools
from particleos import PROGRAM

SHELL = b"UEFI Interactive Shell"


class Verb(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="particleos-verb-", dir="/var/tmp")
        self.addCleanup(scratch.cleanup)
        self.recipe = Path(scratch.name)
        self.workspaces = self.recipe / "workspaces"
        self.workspaces.mkdir()
        (self.recipe / "out").mkdir()
        (self.recipe / "mkosi.conf").write_text(
            "[Distribution]\nDistribution=custom\nRelease=trixie\n"
            "[Output]\nFormat=disk\nOutput=image\nOutputDirectory=out\n"
            "[Build]\nWorkspaceDirectory=workspaces\n[Runtime]\nRAM=512M\nCPUs=1\n")
        (self.recipe / "out/image.raw").touch()
        os.truncate(self.recipe / "out/image.raw", 64 << 20)
        (self.recipe / "out/image").symlink_to("image.raw")

    def command(self, *options):
        return [PROGRAM, "-C", str(self.recipe), *options, "vm"]

    def start(self, *options):
        """Starts the verb on a terminal of its own; returns process and the terminal's other end."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen(self.command(*options), stdin=theirs, stdout=theirs, stderr=theirs,
                                   start_new_session=True,
                                   preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)))
        self.addCleanup(process.kill)
        return process, ours, theirs

    def read_until(self, terminal, pattern):
        seen, end = b"", time.monotonic() + PATIENCE
        while not re.search(pattern, seen):
            self.assertLess(time.monotonic(), end, f"no {pattern} in {seen[-500:]}")
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 65536)
            self.assertNotIn(b"error: ", seen)
        return seen

    def finish(self, process, terminal):
        """Exit status of a program whose terminal is read on, so that it never blocks."""
        end = time.monotonic() + PATIENCE
        while process.poll() is None:
            self.assertLess(time.monotonic(), end, "the program does not end")
            if select.select([terminal], [], [], 0.2)[0]:
                os.read(terminal, 65536)
        return process.returncode

    def assert_clean(self):
        end = time.monotonic() + 20
        while list(self.workspaces.iterdir()) and time.monotonic() < end:
            time.sleep(0.2)
        self.assertEqual(list(self.workspaces.iterdir()), [])
        processes = subprocess.run(["pgrep", "-af", str(self.recipe)], capture_output=True, text=True).stdout
        self.assertEqual(processes, "")

    def check_keys(self, console, keys):
        process, terminal, slave = self.start(f"--console={console}")
        before = termios.tcgetattr(slave)
        self.read_until(terminal, SHELL)
        self.assertNotEqual(termios.tcgetattr(slave), before)  # raw
        os.write(terminal, keys)
        self.assertEqual(self.finish(process, terminal), 0)
        self.assertEqual(termios.tcgetattr(slave), before)
        os.close(slave)
        self.assert_clean()

    def test_interactive_bracket(self):
        self.check_keys("interactive", b"\x1d\x1d\x1d")

    def test_interactive_ctrl_a(self):
        self.check_keys("interactive", b"\x01x")

    def test_native(self):
        self.check_keys("native", b"\x01x")

    def check_signal(self, number, status):
        process, terminal, slave = self.start("--console=interactive")
        before = termios.tcgetattr(slave)
        self.read_until(terminal, SHELL)
        process.send_signal(number)
        self.assertEqual(self.finish(process, terminal), status)
        self.assert_clean()
        if status >= 0:
            self.assertEqual(termios.tcgetattr(slave), before)
        os.close(slave)

    def test_sigterm(self):
        self.check_signal(signal.SIGTERM, 1)

    def test_sigkill(self):
        self.check_signal(signal.SIGKILL, -signal.SIGKILL)

    def test_state_is_thrown_away(self):
        image = (self.recipe / "out/image.raw").read_bytes()
        process, terminal, slave = self.start("--console=interactive")
        self.read_until(terminal, SHELL)
        os.write(terminal, b"\x1d\x1d\x1d")
        self.finish(process, terminal)
        os.close(slave)
        self.assertEqual(sorted(path.name for path in (self.recipe / "out").iterdir()), ["image", "image.raw"])
        self.assertEqual((self.recipe / "out/image.raw").read_bytes(), image)

    def test_state_is_kept(self):
        process, terminal, slave = self.start("--console=interactive", "--ephemeral=no", "--runtime-size=100M")
        self.read_until(terminal, SHELL)
        os.write(terminal, b"\x1d\x1d\x1d")
        self.finish(process, terminal)
        os.close(slave)
        out = self.recipe / "out"
        self.assertEqual(sorted(path.name for path in out.iterdir()),
                         ["image", "image.efinvramstate", "image.raw", "image.tpmstate"])
        self.assertEqual((out / "image.raw").stat().st_size, 100 << 20)
        self.assertTrue(list((out / "image.tpmstate").glob("tpm2-*")))
        self.assert_clean()

    def run_to_end(self, *options, **environment):
        return subprocess.run(self.command(*options), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, env=os.environ | environment)

    def test_until_login_without_a_system(self):
        result = self.run_to_end("--until-login")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("found nothing that it may boot", result.stderr)
        self.assert_clean()

    def test_no_image(self):
        (self.recipe / "out/image.raw").unlink()
        result = self.run_to_end()
        self.assertEqual(result.returncode, 1)
        self.assertIn("build it first", result.stderr)
        self.assert_clean()

    def test_not_bootable(self):
        (self.recipe / "out/image.tar.zst").touch()
        (self.recipe / "out/image").unlink()
        (self.recipe / "out/image").symlink_to("image.tar.zst")
        result = self.run_to_end("--format=tar")
        self.assertEqual(result.returncode, 1)
        self.assertIn("Format=tar cannot be booted", result.stderr)


if __name__ == "__main__":
    tap.run_cases(missing_tools())
