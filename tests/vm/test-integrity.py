#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Only code of the signed /usr runs where the integrity policy is enforced, and root cannot change that.

Three boots of machines that have gone through their first one: with the policy enforced, with the policy recorded, and a
version whose policy is spoiled although enforcement is promised. The boot loader's settings choose the profile, because
nobody has to trust them: each profile is signed.
"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import disk
import probes
import scenario
import tap
from machine import missing_tools
from scenario import Scenario, login

IPE = "/sys/kernel/security/ipe"
MOUNTED = "/run/probes"
SPOILED = bench.Variant("spoiled", tree={"usr/lib/ipe/particleos.p7b": (0o644, "This is no signed policy.\n")})
CAP_MAC_ADMIN = 33


def setUpModule():
    global life, drive
    life = Scenario("integrity", None)
    drive = probes.make_disk(life.scratch / "probes")


def tearDownModule():
    for name, seconds in life.times:
        print(f"# boot {name}: {seconds:.0f} s", file=sys.stderr)
    life.remove()


class Booted(unittest.TestCase):
    """One boot of PROFILE for all tests of a class."""

    profile = None

    @classmethod
    def setUpClass(cls):
        if not cls.profile:
            raise unittest.SkipTest("only a base")
        state = bench.machine(life.scratch / cls.profile)
        disk.Esp(state.disk).choose(cls.profile, state.directory)
        boot = life.boot(cls.profile, state, drives=[drive])
        cls.machine = boot.__enter__()
        cls.addClassCleanup(boot.__exit__, None, None, None)
        login(cls.machine)
        cls.machine.output("dmesg --console-level emerg")  # what the kernel says belongs to no answer
        cls.machine.output(
            f"mkdir -p {MOUNTED}/disk {MOUNTED}/signed && mount -o ro LABEL={probes.LABEL} {MOUNTED}/disk && "
            f"systemd-dissect --mount --read-only --image-policy=root=signed:=absent {MOUNTED}/disk/signed.raw {MOUNTED}/signed")

    def probe(self, *words):
        """What the probe says; it is of a signed volume, so that it may run itself."""
        return self.machine.output(f"{MOUNTED}/signed/usr/bin/probe {' '.join(words)}")

    def assert_says(self, command, status, pattern):
        got, output = self.machine.run(command)
        self.assertEqual(got, status, f"{command}: {output}")
        if pattern:
            self.assertRegex(output, pattern, command)

    def assert_denied(self, command):
        """The shell's and the kernel's word for a program that may not be executed."""
        self.assert_says(command, 126, "Permission denied")

    def assert_not_permitted(self, command):
        self.assert_says(command, 1, "Operation not permitted")


class Enforced(Booted):
    profile = "ipe"

    def test_in_force(self):
        self.assertEqual(self.machine.output(f"grep -h . {IPE}/enforce {IPE}/policies/particleos/active").split(), ["1", "1"])
        self.machine.output("/usr/lib/particleos/boot-check.d/20-ipe")
        self.assertEqual(self.machine.output("systemctl is-system-running --wait || systemctl --failed"), "running")

    def test_programs_of_usr(self):
        self.machine.output("/usr/bin/true")
        self.assertEqual(self.probe("ran", "signed"), "signed: ran")
        # Modules that the kernel unpacks itself, from files of /usr.
        self.machine.output("modprobe af_key && grep -q ^af_key /proc/modules")

    def test_copies(self):
        for directory in ("/home", "/var/tmp", "/tmp", "/dev/shm", "/root", "/run", "/opt"):
            with self.subTest(directory):
                self.machine.output(f"mkdir -p {directory} && cp /usr/bin/true {directory}/copy")
                self.assert_denied(f"{directory}/copy")

    def test_unsigned_volumes(self):
        for name in ("ext4", "squashfs"):
            with self.subTest(name):
                where = f"{MOUNTED}/{name}"
                self.machine.output(f"mkdir -p {where} && mount -o loop,ro {MOUNTED}/disk/{name}.img {where}")
                self.assert_denied(f"{where}/probe ran {name}")

    def test_unsigned_verity(self):
        self.machine.output(
            f"cd /var/tmp && mkdir -p verity && root=$(veritysetup format {MOUNTED}/disk/squashfs.img hashes | "
            "sed -n 's/^Root hash:[[:space:]]*//p') && "
            f"veritysetup open {MOUNTED}/disk/squashfs.img unsigned hashes $root && mount /dev/mapper/unsigned verity")
        self.addCleanup(self.machine.output, "umount /var/tmp/verity && veritysetup close unsigned")
        self.assert_denied("/var/tmp/verity/probe ran verity")

    def test_overlay_and_bind(self):
        """Neither another name nor another layer makes a file one of /usr."""
        self.machine.output(
            "mkdir -p /run/layers/upper /run/layers/work /run/layers/merged && cp /usr/bin/true /run/layers/upper/copy && "
            "mount -t overlay -o lowerdir=/usr/bin,upperdir=/run/layers/upper,workdir=/run/layers/work none "
            "/run/layers/merged")
        self.machine.output("/run/layers/merged/true")
        self.assert_denied("/run/layers/merged/copy")
        self.machine.output("mount --bind /run/layers/upper/copy /usr/bin/false")
        self.addCleanup(self.machine.output, "umount /usr/bin/false")
        self.assert_denied("/usr/bin/false")

    def test_files_without_a_name(self):
        self.assertEqual(self.probe("memfd"), "memfd: Permission denied")
        self.assertEqual(self.probe("nameless", "/dev/shm"), "nameless: Permission denied")

    def test_memory(self):
        self.machine.output("cp /usr/bin/true /tmp/mapped")
        self.assertEqual(self.probe("map", "/usr/bin/true"), "map: done")
        self.assertEqual(self.probe("map", "/tmp/mapped"), "map: Permission denied")
        self.assertEqual(self.probe("protect", "/tmp/mapped"), "protect: Permission denied")
        self.assertEqual(self.probe("anonymous"), "anonymous: Permission denied")

    def test_libraries(self):
        self.machine.output("cp $(find /usr/lib -name 'libcrypto.so.3' | head -n 1) /tmp/library.so")
        self.assert_says("LD_PRELOAD=/tmp/library.so /usr/bin/true", 0,
                         r"/tmp/library\.so.*cannot be preloaded.*failed to map segment")
        self.machine.output("cp /usr/bin/true /tmp/program")
        self.assert_says("$(ls /usr/lib*/ld-linux-*.so.* | head -n 1) /tmp/program", 127, "failed to map segment")

    def test_scripts(self):
        """The limit that README.md tells: an interpreter of /usr reads what it is told to read."""
        self.machine.output("printf '#!/bin/sh\\necho ran\\n' >/home/script && chmod +x /home/script")
        self.assert_denied("/home/script")
        self.assertEqual(self.machine.output("sh /home/script"), "ran")

    def test_initrd(self):
        """Its file system is still there, and writable, although everything in it has been verified once."""
        said = self.probe("initrd")
        if bench.TESTING:  # there may be nothing to write to
            self.assertNotIn("ran", said)
        else:
            self.assertEqual(said, "initrd: Permission denied")

    def test_kernel_modules(self):
        self.machine.output("rmmod af_key 2>/dev/null; cp /usr/lib/modules/*/kernel/net/key/af_key.ko* /tmp/ && "
                            "! grep -q ^af_key /proc/modules")
        self.assert_says("insmod /tmp/af_key.ko*", 1, "Permission denied")

    def test_policies(self):
        self.assert_says(f"cat {MOUNTED}/disk/other.p7b >{IPE}/new_policy", 1, "Operation not permitted")
        self.assert_says(f"cat /usr/lib/ipe/particleos.p7b >{IPE}/policies/particleos/update", 1, "Operation not permitted")
        self.assertEqual(self.machine.output(f"ls {IPE}/policies"), "particleos")

    def test_root_cannot_switch_it_off(self):
        for name, value in (("enforce", 0), ("policies/particleos/active", 0), ("policies/particleos/delete", 1)):
            with self.subTest(name):
                self.assert_not_permitted(f"/usr/bin/printf {value} >{IPE}/{name}")
        # Not as the root of another user namespace, not as a service that asks for it, not through the kernel's helpers.
        self.assert_says(f"unshare --user --map-root-user sh -c 'echo 0 >{IPE}/enforce'", 1, None)
        self.assert_says("systemd-run --quiet --wait --pipe -p CapabilityBoundingSet=CAP_MAC_ADMIN "
                         f"-p AmbientCapabilities=CAP_MAC_ADMIN sh -c 'echo 0 >{IPE}/enforce'", 1, None)
        self.machine.run("echo '4294967295 511' >/proc/sys/kernel/usermodehelper/bset")
        for file in ("bset", "inheritable"):
            low, high = self.machine.output(f"cat /proc/sys/kernel/usermodehelper/{file}").split()
            self.assertFalse((int(high) << 32 | int(low)) >> CAP_MAC_ADMIN & 1, file)
        # Nor by telling the system manager: what is gone from the bounding set stays away.
        self.machine.output("mkdir -p /etc/systemd/system.conf.d && printf '[Manager]\\nCapabilityBoundingSet=\\n"
                            "CapabilityBoundingSet=~\\n' >/etc/systemd/system.conf.d/zz.conf && systemctl daemon-reexec")
        self.addCleanup(self.machine.output, "rm /etc/systemd/system.conf.d/zz.conf")
        sets = self.machine.output("for p in /proc/[0-9]*; do [ -e $p/exe ] && "
                                   "sed -n 's/^CapBnd:[[:space:]]*//p' $p/status; done 2>/dev/null | sort -u").split()
        self.assertTrue(sets)
        self.assertFalse([value for value in sets if int(value, 16) >> CAP_MAC_ADMIN & 1])
        self.assertEqual(self.machine.output(f"cat {IPE}/enforce"), "1")

    def test_running_programs(self):
        """Nobody writes into one, neither itself nor a debugger."""
        self.assertEqual(self.probe("self"), "self: Input/output error")
        self.assertEqual(self.probe("trace"), "trace: Operation not permitted")
        self.assert_says("echo 0 >/proc/sys/kernel/yama/ptrace_scope", 1, "Invalid argument")


@bench.long
class Recorded(Booted):
    profile = "ipe-audit"

    def recorded(self, path):
        return self.machine.run(f"journalctl -b -k -o cat | grep 'ipe_op=.* enforcing=0 .*path=\"{path}\"'")

    def test_records_and_allows(self):
        self.machine.output("cp /usr/bin/true /home/recorded && /home/recorded")
        status, record = self.recorded("/home/recorded")
        self.assertEqual(status, 0, record)
        self.assertIn("ipe_op=EXECUTE", record)
        self.assertIn("action=DENY", record)
        self.assertEqual(self.probe("memfd"), "memfd: ran")
        self.machine.output("/usr/bin/true")
        self.assertEqual(self.recorded("/usr/bin/.*")[0], 1, "programs of /usr are not recorded")

    def test_health_check(self):
        """A promise that is not kept: the policy is there, and not enforced."""
        self.machine.output(
            "sed 's/ipe.enforce=0/ipe.enforce=1/g' /proc/cmdline >/run/promise && mount --bind /run/promise /proc/cmdline")
        self.addCleanup(self.machine.output, "umount /proc/cmdline")
        self.assert_says("/usr/lib/particleos/boot-check.d/20-ipe", 1,
                         "promises an enforced integrity policy, but it is not enforced")

    def test_lockdown(self):
        self.assertIn("[integrity]", self.machine.output("cat /sys/kernel/security/lockdown"))
        self.assertIn("Secure boot enabled", self.machine.output("dmesg"))
        self.assertRegex(self.probe("kexec"), "kexec: (Operation not permitted|Permission denied)")
        self.assertRegex(self.probe("module", f"{MOUNTED}/disk/unsigned.ko"),
                         "module: (Key was rejected by service|Operation not permitted|Required key not available)")
        self.machine.output("dmesg | grep -E 'probe: kexec of unsigned images is restricted|impossible to appraise a kernel image'")

    def test_policies(self):
        self.assert_says(f"cat {MOUNTED}/disk/other.p7b >{IPE}/new_policy", 1,
                         "Required key not available|Key was rejected by service")
        self.assert_says(f"cat {MOUNTED}/disk/ext4.img >{IPE}/new_policy", 1, "cat: write error")


@bench.long
class Spoiled(unittest.TestCase):
    def test_does_not_start(self):
        """Version 0.2 promises enforcement, and its signed /usr has a policy that the kernel does not take."""
        new = bench.version("0.2", SPOILED)
        state = bench.machine(life.scratch / "spoiled")
        disk.fill_slots(state.disk, new, "0.2")
        esp, name = disk.Esp(state.disk), "ParticleOS_0.2_x86-64.efi"
        esp.write(f"/EFI/Linux/{name}", (new / name).read_bytes(), state.directory)
        esp.choose("ipe", state.directory)  # of the newest version
        with life.boot("spoiled", state) as machine:
            machine.expect(r"The integrity policy that the kernel command line promises is not in force: "
                           r"the kernel does not accept /usr/lib/ipe/particleos\.p7b", refuse=r"\w login: ")
            machine.expect(r"(?i)emergency", refuse=r"\w login: ")


if __name__ == "__main__":
    tap.run_cases(missing_tools())
