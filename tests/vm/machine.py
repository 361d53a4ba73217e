# SPDX-License-Identifier: LGPL-2.1-or-later
"""A virtual machine for tests: one disk, its firmware variables and its TPM, booted as often as a test likes.

It does not use particleos' own vm verb, so that the images are judged by something else.
"""

import base64
import codecs
import contextlib
import fcntl
import os
import re
import select
import shutil
import socket
import subprocess
import time
from pathlib import Path

FIRMWARE = (
    ("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
)
PROGRAMS = ("qemu-system-x86_64", "swtpm", "swtpm_setup", "mcopy", "sbsign", "openssl")

# Emulation on a busy machine can be twenty times slower than a quiet one with KVM.
PATIENCE = float(os.environ.get("PARTICLEOS_TEST_PATIENCE", "600"))

CONTROL_SEQUENCES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-Z\\^-~]|[\x00-\x08\x0b-\x1f\x7f]"
)


# One that has begun at the end of what was read (or nothing).
PART_OF_SEQUENCE = re.compile(rb"(?:\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]{0,1000}\x1b?|[ -/]*))?\Z")


def find_firmware():
    """The pair of code and variables, or None."""
    for code, variables in FIRMWARE:
        if Path(code).exists() and Path(variables).exists():
            return code, variables
    return None


def missing_tools():
    """What these tests need and this host lacks, as text; empty when nothing."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if not find_firmware():
        missing.append("OVMF with Secure Boot")
    return ", ".join(missing)


def take_slot():
    """PARTICLEOS_TEST_MACHINES is a directory of files, one for each machine that may run at a time on this host. Waits for
    one that nobody has locked; it is free again when the returned file is closed. None when there is no limit."""
    directory = os.environ.get("PARTICLEOS_TEST_MACHINES")
    if not directory:
        return None
    while True:
        for path in sorted(Path(directory).iterdir()):
            slot = open(path, "w")
            try:
                fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return slot
            except BlockingIOError:
                slot.close()
        time.sleep(0.2)


# The kernel distrusts a counter that runs on while the emulation had to wait, and reads a slow clock instead.
CONSOLE = ("console=ttyS0 loglevel=5 systemd.firstboot=no systemd.default_device_timeout_sec=600 "
           "tsc=reliable")


class BootError(AssertionError):
    """The console did not show what was expected; the message has its end."""


class State:
    """What a machine keeps between boots: a directory with disk, variables and TPM."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.disk = self.directory / "disk.raw"
        self.variables = self.directory / "variables.fd"
        self.tpm = self.directory / "tpm"

    @classmethod
    def from_image(cls, directory, image, size):
        """A fresh machine in setup mode, with a copy of IMAGE grown to SIZE bytes."""
        state = cls.blank(directory, 0)
        copy_sparse(image, state.disk)
        if os.path.getsize(state.disk) < size:
            os.truncate(state.disk, size)
        return state

    @classmethod
    def blank(cls, directory, size):
        """A machine in setup mode whose disk of SIZE bytes is as it left the factory."""
        state = cls(directory)
        state.directory.mkdir(parents=True)
        state.make_tpm()
        state.disk.touch()
        os.truncate(state.disk, size)
        shutil.copyfile(find_firmware()[1], state.variables)
        return state

    def copy(self, directory):
        """The same machine once more, for a test that spoils it."""
        other = State(directory)
        other.directory.mkdir(parents=True)
        copy_sparse(self.disk, other.disk)
        shutil.copyfile(self.variables, other.variables)
        shutil.copytree(self.tpm, other.tpm)
        return other

    def make_tpm(self):
        """A new TPM. As most real ones it has one bank of PCRs: the firmware hashes all that it starts for every bank."""
        self.tpm.mkdir()
        subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", str(self.tpm), "--pcr-banks", "sha256"], check=True,
                       stdout=subprocess.DEVNULL)

    def reset_tpm(self):
        """Another TPM: nothing that was sealed can be unsealed."""
        shutil.rmtree(self.tpm)
        self.make_tpm()

    def remove(self):
        shutil.rmtree(self.directory)


def copy_sparse(source, target):
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", str(source), str(target)], check=True)


class Machine:
    """One boot (with resets) of a State. A context manager: leaving it ends QEMU and swtpm."""

    def __init__(self, state, credentials=None, arguments="", log=None, memory=2048, network=False, drives=(),
                 disks=(), medium=None, record=None):
        self.state = state
        self.credentials = dict(credentials or {})
        self.arguments = arguments  # None: nothing is added to the command line, not even the console
        self.log = open(log, "wb") if log else None
        self.memory = memory
        self.network = network  # this host's loopback is 10.0.2.2 there
        self.drives = list(drives)  # more disk images, read-only
        self.disks = list(disks)  # more disk images, writable
        self.medium = medium  # a disk image, read-only, started when the first disk has nothing to start
        self.record = record  # every write to the disk goes into this file as well, see write_log.py
        self.text = ""  # all of the console so far, without control sequences
        self.seen = 0  # position in text behind the last match
        self.pending = b""  # the beginning of a control sequence
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.qemu = self.tpm = self.console = self.monitor = self.events = None

    def __enter__(self):
        self.slot = take_slot()
        self._turn_on()
        return self

    def _turn_on(self):
        ours, theirs = socket.socketpair()
        self.monitor, monitor_theirs = socket.socketpair()
        self.events, events_theirs = socket.socketpair()
        tpm_ours, tpm_theirs = socket.socketpair()
        self.tpm = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.state.tpm}",
             "--ctrl", f"type=unixio,clientfd={tpm_theirs.fileno()}", "--terminate"],
            pass_fds=[tpm_theirs.fileno()])
        ends = (theirs, monitor_theirs, events_theirs, tpm_ours)
        self.qemu = subprocess.Popen(self._command(*(end.fileno() for end in ends)),
                                     pass_fds=[end.fileno() for end in ends], stdin=subprocess.DEVNULL)
        for end in (*ends, tpm_theirs):
            end.close()
        self.console = ours
        self.events.sendall(b'{"execute": "qmp_capabilities"}\n')

    def _turn_off(self):
        self.qemu.kill()
        self.qemu.wait()
        try:
            self.tpm.wait(5)
        except subprocess.TimeoutExpired:
            self.tpm.kill()
            self.tpm.wait()
        for end in (self.console, self.monitor, self.events):
            end.close()

    def _was_reset(self):
        """Whether QEMU ended because the guest asked for a reset."""
        self.qemu.wait()
        said = b""
        with contextlib.suppress(ConnectionError):
            while data := self.events.recv(65536):
                said += data
        return b'"guest-reset"' in said

    def __exit__(self, *exception):
        self._turn_off()
        if self.slot:
            self.slot.close()
        if self.log:
            self.log.close()

    def _disk(self):
        if not self.record:
            return ["-drive", f"if=none,id=disk,format=raw,file={self.state.disk},discard=unmap,cache=unsafe"]
        Path(self.record).touch()
        return ["-blockdev", f"driver=file,node-name=written,filename={self.state.disk},discard=unmap,cache.no-flush=on",
                "-blockdev", f"driver=file,node-name=record,filename={self.record},cache.no-flush=on",
                "-blockdev", "driver=blklogwrites,node-name=disk,file=written,log=record,discard=unmap"]

    def _command(self, console, monitor, events, tpm):
        code, _ = find_firmware()
        # cmpxchg16b stops all CPUs when it is emulated, and a second CPU sees code that the kernel patches too late.
        command = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-machine", "q35,smm=on,hpet=off", "-accel", os.environ.get("PARTICLEOS_TEST_ACCEL", "tcg,thread=multi"),
            "-cpu", "max,cx16=off", "-smp", "1", "-m", f"{self.memory}M",
            "-object", "rng-random,filename=/dev/urandom,id=rng", "-device", "virtio-rng-pci,rng=rng",
            "-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1",
            "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}",
            "-drive", f"if=pflash,unit=1,format=raw,file={self.state.variables}",
            *self._disk(),
            # blklogwrites adds parts of its own to a request, and a merged one may have as many as there can be.
            "-device", "virtio-blk-pci,drive=disk,bootindex=1" + (",request-merging=off" if self.record else ""),
            *(["-nic", "user,id=network,model=virtio-net-pci,ipv6=off"] if self.network else ["-nic", "none"]),
            *(word for number, path in enumerate(self.drives)
              for word in ("-drive", f"if=none,id=more{number},format=raw,file={path},readonly=on",
                           "-device", f"virtio-blk-pci,drive=more{number}")),
            *(word for number, path in enumerate(self.disks)
              for word in ("-drive", f"if=none,id=disk{number},format=raw,file={path},cache=unsafe",
                           "-device", f"virtio-blk-pci,drive=disk{number},serial=more-{number}")),
            *(["-drive", f"if=none,id=medium,format=raw,file={self.medium},readonly=on",
               "-device", "virtio-blk-pci,drive=medium,serial=medium,bootindex=2"] if self.medium else []),
            "-chardev", f"socket,id=tpm,fd={tpm}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
            "-device", "tpm-crb,tpmdev=tpm0",
            "-chardev", f"socket,id=console,fd={console}", "-serial", "chardev:console",
            "-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor",
            # After a reset another QEMU goes on. This one would remember which memory held code of the old system; when the
            # stack of the firmware comes to lie there, each write takes so long that the firmware does nothing but answer
            # its timer.
            "-chardev", f"socket,id=events,fd={events}", "-mon", "chardev=events,mode=control",
            *([] if self.record else ["-no-reboot"]),
        ]
        strings = []
        if self.arguments is not None:
            strings.append(f"io.systemd.stub.kernel-cmdline-extra={CONSOLE} {self.arguments}".strip())
        for name, value in self.credentials.items():
            encoded = base64.b64encode(value.encode()).decode()
            strings.append(f"io.systemd.credential.binary:{name}={encoded}")
        for string in strings:
            command += ["-smbios", "type=11,value=" + string.replace(",", ",,")]
        return command

    def _add(self, data):
        data = self.pending + data
        cut = PART_OF_SEQUENCE.search(data).start()
        self.pending = data[cut:]
        self.text += self.decoder.decode(CONTROL_SEQUENCES.sub(b"", data[:cut]))

    def _read(self, timeout):
        """FALSE when the machine has ended."""
        readable, _, _ = select.select([self.console], [], [], timeout)
        if not readable:
            return True
        data = b""
        with contextlib.suppress(ConnectionError):
            data = self.console.recv(65536)
        if not data:
            return self._go_on()
        if self.log:
            self.log.write(data)
            self.log.flush()
        self._add(data)
        return True

    def _go_on(self):
        if not self._was_reset():
            return False
        self._turn_off()
        self._turn_on()
        return True

    def expect(self, pattern, timeout=PATIENCE, refuse=None):
        """Waits until the console shows PATTERN behind the last match; returns the match. It is an error when REFUSE
        shows up first, the machine ends, or the time is over."""
        end = time.monotonic() + timeout
        alive = True
        while True:
            text = self.text[self.seen:]
            match = re.search(pattern, text)
            refused = re.search(refuse, text) if refuse else None
            if refused and (not match or refused.start() < match.start()):
                self.fail(f"saw {refused.group()!r} while waiting for {pattern!r}")
            if match:
                self.seen += match.end()
                return match
            if not alive:
                self.fail(f"the machine ended before {pattern!r}")
            if time.monotonic() > end:
                self.fail(f"no {pattern!r} within {timeout:.0f} seconds")
            alive = self._read(1)

    def fail(self, why):
        tail = "\n".join("  | " + line for line in self.text.splitlines()[-40:])
        raise BootError(f"{why}; the console ends with:\n{tail}")

    def send(self, text):
        self.console.sendall(text.encode())

    def press(self, key):
        """A key of the keyboard, by QEMU's name for it: F12 reaches the firmware from there only."""
        self.monitor.sendall(f"sendkey {key}\n".encode())

    def login(self, password, timeout=PATIENCE):
        """Logs in as root on the console."""
        self.expect(r"\w login: ", timeout)
        self.send("root\n")
        self.expect("Password: ")
        self.send(password + "\n")
        self.expect(r"[#$] $")
        # No echo, no line editor, no history and no colours: what comes is what a command prints.
        self.send("stty -echo; set +H; PS0=; PS1=; PS2=; unset PROMPT_COMMAND; export TERM=dumb PAGER=cat; echo rea''dy\n")
        self.expect("ready\n")

    def run(self, command, timeout=PATIENCE):
        """Runs a shell command; returns (exit status, output)."""
        mark = f"mark{len(self.text)}"
        start = self.seen
        self.send(f"{{ {command}\n}} 2>&1; echo {mark}''x=$?\n")
        match = self.expect(mark + r"x=(\d+)\n", timeout)
        return int(match.group(1)), self.text[start:self.seen - len(match.group())].strip()

    def output(self, command, timeout=PATIENCE):
        """Output of a command that must succeed."""
        status, output = self.run(command, timeout)
        if status != 0:
            self.fail(f"'{command}' exited with {status}: {output}")
        return output

    def reboot(self):
        """Restarts from inside; the next login waits for the system that comes up then."""
        self.send("systemctl reboot\n")
        self.expect(r"reboot: Restarting system|Rebooting")

    def kill(self):
        """Pulls the plug."""
        self.qemu.kill()
        self.qemu.wait()

    def forward(self, port):
        """A TCP port of this host's loopback that leads to PORT of the machine."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            ours = server.getsockname()[1]
        mark = f"nothing-{ours}"  # no command: what the monitor says of it is the end of what it says of the one before
        self.monitor.sendall(f"hostfwd_add network tcp:127.0.0.1:{ours}-:{port}\n{mark}\n".encode())
        said = ""
        while mark not in said:
            said += self.monitor.recv(4096).decode(errors="replace")
        if any(word in said for word in ("ould not", "nvalid", "rror")):
            raise OSError(said)
        return ours

    def power_off(self, timeout=PATIENCE):
        self.send("systemctl poweroff\n")
        end = time.monotonic() + timeout
        while self._read(1):
            if time.monotonic() > end:
                self.fail("the machine does not power off")
        self.qemu.wait(30)
