#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plug is pulled during an update: the machine comes up with the old version or the new one, complete and verified.

One machine is updated from 0.1 to 0.2 and restarted into it, while every write to its disk is recorded, those of the boot
loader too. From that the disk is made as it was at thirty moments: after each change of a partition table and of a
directory of the ESP (a seeded choice, if there are more), and at random ones between; at some of them a part of what was not
flushed is lost, as in the cache of a disk. Each of these disks is checked.

Where the plug was pulled while a UKI was renamed, and that is empty now, the version that comes up has to remove it, and to
take the update again.

Disks that agree in all that a boot reads before it mounts root (partition tables, ESP, volumes of every version on the ESP)
start alike, so of those one is started; and of the different ones four, unless PARTICLEOS_TEST_LONG is set.
PARTICLEOS_TEST_EVERY=1 starts all thirty.
"""

import hashlib
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import disk
import scenario
import tap
import write_log
from machine import missing_tools
from scenario import Scenario, login, update, version

MOMENTS = 30
STARTED = 4
EVERY = bool(os.environ.get("PARTICLEOS_TEST_EVERY"))
SEED = int(os.environ.get("PARTICLEOS_TEST_SEED", "20261123"))
OLD, NEW = "0.1", "0.2"
MOUNT = "mkdir -p /var/lib/particleos/updates; mount -o ro -L medium /var/lib/particleos/updates"
BROKEN = r"(?i)emergency mode|this version did not come up|please enter|kernel panic|access denied|security violation"


class Moment:
    """A state of the disk: after CUT writes, with what was not flushed lost in part if LOSSY."""

    def __init__(self, cut, why, lossy=False):
        self.cut, self.why, self.lossy = cut, why, lossy
        self.emptied = []  # versions whose UKI was renamed in that moment, and lost its content

    def __str__(self):
        return f"after write {self.cut} ({self.why}{', cache lost' if self.lossy else ''})"


def sample(chosen, candidates, count):
    """COUNT of CANDIDATES, spread over all of them."""
    step = max(1, len(candidates) / count) if count else 1
    return [candidates[min(len(candidates) - 1, int(i * step + chosen.random() * step))]
            for i in range(min(count, len(candidates)))]


class PowerCut(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.life = Scenario("power-cut", None)
        cls.addClassCleanup(cls.life.remove)
        cls.scratch = cls.life.scratch
        cls.life.state = bench.machine(cls.scratch / "machine")
        cls.before = cls.life.state.copy(cls.scratch / "before")
        cls.record()

    @classmethod
    def record(cls):
        """The update and the restart into it; which writes belong to them."""
        files = bench.artifacts(bench.version(NEW), cls.scratch / "medium")
        cls.medium = cls.scratch / "medium.ext4"
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "medium", "-d", str(files), str(cls.medium), "1G"],
                       check=True, capture_output=True)
        shutil.rmtree(files)
        cls.log = cls.scratch / "writes"
        with cls.life.boot("update", drives=[cls.medium], record=cls.log) as machine:
            login(machine)
            machine.output(f"sync; {MOUNT}")
            begin = os.path.getsize(cls.log)
            success, journal = update(machine)
            if not success:
                machine.fail(f"{journal}\n{machine.output('dmesg | tail -n 30')}")
            machine.reboot()
            login(machine)
            if version(machine) != NEW:
                machine.fail(f"this is not version {NEW}")
            machine.output("systemctl is-system-running --wait || systemctl --failed")
            machine.output("systemctl is-active boot-complete.target; sync")
            machine.power_off()
        cls.writes = write_log.read(cls.log)
        cls.begin = next(i for i, write in enumerate(cls.writes) if write.where > begin)
        cls.ukis = {number: next(bench.version(number).glob("ParticleOS_*.efi")).read_bytes() for number in (OLD, NEW)}
        cls.find_places()

    @classmethod
    def find_places(cls):
        """Ranges of the disk that a boot depends on."""
        size = os.path.getsize(cls.before.disk)
        cls.tables = [(0, 34 * disk.SECTOR), (size - 33 * disk.SECTOR, size)]
        esp = disk.find_partition(cls.before.disk, disk.ESP)
        cls.esp = (esp.offset, esp.offset + esp.size)
        with open(cls.before.disk, "rb") as image:  # FAT32, as in the specification of Microsoft
            image.seek(esp.offset)
            head = image.read(512)
        sector, cluster, reserved, fats = struct.unpack_from("<HBHB", head, 11)
        (length,) = struct.unpack_from("<I", head, 36)
        cls.data = esp.offset + (reserved + fats * length) * sector
        cls.slots = [(p.offset, p.offset + p.size) for p in disk.read_partitions(cls.before.disk)
                     if p.type in (disk.USR, disk.USR_VERITY, disk.USR_VERITY_SIG) and p.label == "_empty"]

    @classmethod
    def kinds(cls):
        """Numbers of the writes that change a partition table, a directory of the ESP, and other things of the update."""
        tables, directories, others = [], [], []
        for i, write in enumerate(cls.writes[cls.begin:], cls.begin):
            if any(write.touches(*place) for place in cls.tables):
                tables.append(i + 1)
            elif write.touches(*cls.esp):
                # A directory here is one cluster or two; files come in larger pieces.
                small = write.start >= cls.data and write.size <= 8192
                (directories if small else others).append(i + 1)
            elif any(write.touches(*place) for place in cls.slots):
                others.append(i + 1)
        return tables, directories, others

    def moments(self):
        """The thirty, the same for the same writes and seed."""
        chosen = random.Random(SEED)
        tables, directories, others = self.kinds()
        self.assertGreater(len(tables), 0)
        self.assertGreater(len(directories), 0)
        self.assertGreater(len(others), 10)
        found = [Moment(cut, "partition table") for cut in sample(chosen, tables, 12)]
        found += [Moment(cut, "directory of the ESP") for cut in sample(chosen, directories, 8)]
        found += [Moment(cut, "data") for cut in sample(chosen, others, MOMENTS - len(found))]
        for moment in sample(chosen, found, 10):
            moment.lossy = True
        return found

    def make(self, number, moment):
        """The machine as it is at MOMENT."""
        state = self.before.copy(self.scratch / f"moment-{number}")
        lost = random.Random(f"{SEED} {moment.cut}") if moment.lossy else None
        write_log.replay(self.log, write_log.survivors(self.writes, moment.cut, lost), state.disk)
        return state

    def on_esp(self, state):
        """{version: UKI file name} of what the boot loader can choose."""
        names = disk.Esp(state.disk).list("/EFI/Linux")
        return {m[1]: name for name in names if (m := re.fullmatch(r"ParticleOS_([^_]+)_x86-64\S*\.efi", name))}

    def check(self, state, moment):
        """What can be seen without starting: each version that the boot loader can choose is complete. Returns a digest of
        all that a boot reads."""
        said = subprocess.run(["fsck.vfat", "-n", self.carve(state, *self.esp)], capture_output=True, text=True).stdout
        # What systemd-sysupdate was writing, under a name that nobody starts, may be short of clusters; the rest may not.
        damaged = [line for line in said.splitlines() if re.match(r"/EFI/(?!Linux/\.(#|sysupdate\.partial\.))", line)]
        self.assertEqual(damaged, [], f"{moment}: {said}")
        digest = hashlib.sha256()
        for place in (*self.tables, self.esp):
            digest.update(self.digest(state, *place))
        versions = self.on_esp(state)
        self.assertTrue(set(versions) and set(versions) <= {OLD, NEW}, f"{moment}: {versions}")
        for number, name in list(versions.items()):
            content = disk.Esp(state.disk).read(f"/EFI/Linux/{name}")
            if not content:  # the boot loader cannot choose it
                moment.emptied.append(number)
                del versions[number]
                continue
            self.assertTrue(content == self.ukis[number], f"{moment}: {name} is not what the vendor made")
        self.assertTrue(versions, f"{moment}: nothing to start")
        try:
            partitions = disk.read_partitions(state.disk)
        except ValueError:  # the primary table is half written: firmware and kernel take the other
            partitions = None
        for number in versions if partitions else ():
            volume = [p for p in partitions if p.label == f"ParticleOS_{number}" and p.type == disk.USR]
            tree = [p for p in partitions if p.label == f"ParticleOS_{number}_verity"]
            self.assertTrue(volume and tree, f"{moment}: {number} is on the ESP, but has no volume")
            self.verify(state, volume[0], tree[0], moment)
            for partition in (volume[0], tree[0]):
                digest.update(self.digest(state, partition.offset, partition.offset + partition.size))
        return digest.hexdigest()

    def verify(self, state, volume, tree, moment):
        data, hashes = (self.carve(state, p.offset, p.offset + p.size) for p in (volume, tree))
        root_hash = volume.uuid.hex + tree.uuid.hex
        made = subprocess.run(["veritysetup", "verify", data, hashes, root_hash], capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, f"{moment}: {made.stderr}")

    def carve(self, state, start, end):
        target = state.directory / f"part-{start}"
        with open(state.disk, "rb", buffering=0) as source, open(target, "wb") as output:
            for here, there in extents(source, start, end):
                source.seek(here)
                output.seek(here - start)
                shutil.copyfileobj(Part(source, there - here), output, 1 << 20)
            output.truncate(end - start)
        return str(target)

    def digest(self, state, start, end):
        """Of the part of the disk that is no hole and no zeros."""
        digest = hashlib.sha256()
        with open(state.disk, "rb", buffering=0) as source:
            for here, there in extents(source, start, end):
                source.seek(here)
                while here < there:
                    block = source.read(min(1 << 20, there - here))
                    if block.count(0) != len(block):
                        digest.update(struct.pack("<Q", here) + block)
                    here += len(block)
        return digest.digest()

    def start(self, number, state, moment):
        """Which version comes up."""
        with self.life.boot(f"moment-{number}", state, drives=[self.medium]) as machine:
            found = machine.expect(r"ParticleOS on \S.* (\d\.\d) \S+ ttyS0", refuse=BROKEN)
            if moment.emptied:
                self.repaired(machine, moment)
            else:
                machine.expect(r"\w login: ", refuse=BROKEN)
            machine.kill()
        return found[1]

    def repaired(self, machine, moment):
        """What came up has removed the empty UKI, and can be updated."""
        login(machine)
        machine.output("systemctl is-system-running --wait || systemctl --failed")
        said = machine.output("journalctl -b -o cat --no-pager -u particleos-boot-report.service")
        self.assertIn("lost its content when the power failed", said)
        machine.output(MOUNT)
        success, journal = update(machine)
        self.assertTrue(success, journal)
        for number in moment.emptied:
            found, name = machine.output(f"cd $(bootctl -x)/EFI/Linux; sha256sum ParticleOS_{number}_*.efi").split()
            self.assertEqual(found, hashlib.sha256(self.ukis[number]).hexdigest(), name)

    def look(self, number, moment):
        """Checks the disk as it is at MOMENT; returns what a boot reads, as a digest."""
        state = self.make(number, moment)
        try:
            return self.check(state, moment)
        finally:
            state.remove()

    def start_one(self, number, moment):
        state = self.make(number, moment)
        try:
            return f"{moment}: version {self.start(number, state, moment)} came up"
        finally:
            state.remove()

    def each(self, function, moments):
        """What FUNCTION says to each of MOMENTS ((number, moment) pairs); None where it failed."""
        said = []
        for number, moment in moments:
            try:
                said.append(function(number, moment))
            except Exception as error:
                print(f"# FAILED {moment}: {error}", file=sys.stderr, flush=True)
                self.failures.append(f"{moment}: {error}")
                said.append(None)
        return said

    def test_power_cut(self):
        self.failures = []
        moments = list(enumerate(self.moments()))
        self.assertEqual(len(moments), MOMENTS)
        digests = self.each(self.look, moments)
        alike = {}
        for (number, moment), digest in zip(moments, digests):
            alike.setdefault(digest, []).append((number, moment))
        alike.pop(None, None)
        different = sorted((group[0] for group in alike.values()), key=lambda pair: pair[1].cut)
        print(f"# {len(moments)} moments, {len(different)} different disks", file=sys.stderr, flush=True)
        if EVERY:
            different = moments
        elif not bench.LONG:  # the first, the last, and some between
            different = [different[i * (len(different) - 1) // (STARTED - 1)] for i in range(STARTED)]
        for said in self.each(self.start_one, dict(different).items()):
            print(f"# {said}", file=sys.stderr, flush=True)
        self.assertEqual(self.failures, [])


class Part:
    """The next SIZE bytes of a file."""

    def __init__(self, file, size):
        self.file, self.left = file, size

    def read(self, size):
        data = self.file.read(min(size, self.left))
        self.left -= len(data)
        return data


def extents(file, start, end):
    """Pieces of a file between START and END that are no holes."""
    here = start
    while here < end:
        try:
            here = os.lseek(file.fileno(), here, os.SEEK_DATA)
        except OSError:
            return
        if here >= end:
            return
        hole = min(end, os.lseek(file.fileno(), here, os.SEEK_HOLE))
        yield here, hole
        here = hole


if __name__ == "__main__":
    wanted = [program for program in ("veritysetup", "fsck.vfat", "mke2fs") if not shutil.which(program)]
    tap.run_cases(missing_tools() or ", ".join(wanted), failfast=True)
