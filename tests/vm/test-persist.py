#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody who is root once wants to stay: he leaves code for the next boots where the system reads it before it is up.

What lies on the ESP of the machine: credentials that the TPM of the machine itself sealed, so that systemd believes them (a
drop-in for a unit, a unit, a udev rule, tmpfiles, sysctl), all of which say by a file in /run that they were used. What lies on
the encrypted root: a mount over /usr in fstab, for the initrd to follow, and extensions without a signature.

By default nothing of it may reach the initrd, and data must: a credential of the machine's own services. Root of the running
system can still do much (README.md of the recipe says what). In the enforced flavour nothing of the ESP is taken, and no
extension without signature.
"""

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import disk
import scenario
import tap
from machine import missing_tools
from scenario import login

ESP = "/run/esp"
TRACES = "/run/evil-*"

# Names of credentials and what each would do in the initrd.
CREDENTIALS = {
    "systemd.unit-dropin.initrd-switch-root.service": "[Service]\nExecStartPre=-touch /run/evil-dropin\n",
    "systemd.extra-unit.evil.service": "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\n"
                                       "ExecStart=touch /run/evil-unit\n",
    "systemd.unit-dropin.initrd.target": "[Unit]\nWants=evil.service\n",
    "systemd.unit-dropin.sysinit.target": "[Unit]\nWants=evil.service\n",
    "udev.rules.99-evil": 'SUBSYSTEM=="block", RUN+="/usr/bin/touch /run/evil-udev"\n',
    "tmpfiles.extra": "f /run/evil-tmpfiles\n",
    "sysctl.extra": "kernel.domainname = evil\n",
    "fstab.extra": "tmpfs /run/evil-mount tmpfs x-initrd.mount,nofail 0 0\n",
}
SEAL = "systemd-creds encrypt --with-key=tpm2 --tpm2-pcrs="


class Persist(scenario.Life):
    """By default."""

    name = "persist"
    variant = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.life.arguments = None if cls.variant is bench.ENFORCED else ""
        cls.life.state = bench.machine(cls.life.scratch / "machine", cls.variant)

    def seal(self, name, text, directory, options=SEAL):
        """Puts the credential there as systemd reads it: encrypted, and not in base64."""
        quoted = text.replace("'", "'\\''")
        self.machine.output(f"printf %s '{quoted}' | {options} --name={name} - - | base64 -d >'{directory}/{name}.cred' && "
                            f"test -s '{directory}/{name}.cred'")

    def mount_esp(self):
        self.machine.output(f"mkdir -p {ESP} && mount $(blkid -t PARTLABEL=esp -o device || blkid -t TYPE=vfat -o device | head -n 1) {ESP}")

    def plant(self):
        """What root leaves."""
        self.mount_esp()
        places = [f"{ESP}/loader/credentials"]
        uki = self.machine.output(f"ls {ESP}/EFI/Linux/*.efi | head -n 1")
        places.append(f"{uki}.extra.d")
        self.machine.output(f"mkdir -p {' '.join(places)}")
        for number, (name, text) in enumerate(CREDENTIALS.items()):
            self.seal(name, text, places[number % 2])
        self.seal("local.sealed", "data", places[0])
        self.seal("local.null", "data", places[0], "systemd-creds encrypt --with-key=null")
        self.machine.output(f"echo text >{places[0]}/local.plain.cred; umount {ESP}")
        # Read from the root that the initrd mounts, before anything of it runs.
        self.machine.output("mkdir -p /var/evil && cp -a /usr/bin/true /var/evil/true && cp /usr/bin/true /var/evil/evil-program && "
                            "printf '/var/evil /usr/games none bind,nofail,x-initrd.mount 0 0\\n"
                            "tmpfs /run/evil-fstab tmpfs nofail,x-initrd.mount 0 0\\n' >>/etc/fstab")
        self.machine.output("mkdir -p /var/lib/extensions/evil/usr/lib/extension-release.d && "
                            "echo ID=_any >/var/lib/extensions/evil/usr/lib/extension-release.d/extension-release.evil && "
                            "echo evil >/var/lib/extensions/evil/usr/evil-extension && systemctl enable systemd-sysext.service")
        self.machine.output("sync")

    def traces(self):
        """Of the initrd and of the system, what the attacker's things did."""
        return self.machine.run(f"ls -d {TRACES}; grep -x evil /proc/sys/kernel/domainname")[1]

    def decrypt(self, name):
        return self.machine.run(f"base64 </run/credentials/@encrypted/{name} | systemd-creds decrypt --name={name} - -")

    def test_1_root_leaves_code(self):
        machine = self.turn_on("plant")
        login(machine)
        self.plant()
        machine.reboot()

    def test_2_nothing_of_the_esp_runs(self):
        machine = self.machine
        login(machine)
        self.assertEqual(re.findall(r"(?m)^/run/evil-(?!mount|fstab).*|^evil$", self.traces()), [])
        self.assertEqual(machine.run("findmnt -rno TARGET /run/evil-mount")[1], "")
        said = machine.output("dmesg")
        self.check_credentials(said)
        # fstab did not reach the initrd: what it wants was mounted by the system, behind /usr.
        self.assertNotEqual(machine.run("journalctl -b -o cat _PID=1 | sed '/Switching root/,$d' | grep -i 'evil'")[0], 0)

    def check_credentials(self, said):
        for name in CREDENTIALS:
            self.assertIn(f"The credential {name}.cred is not taken", said)
        self.assertEqual(self.decrypt("local.sealed"), (0, "data"))
        for name in ("local.null", "local.plain"):
            status, output = self.decrypt(name)
            self.assertNotEqual(status, 0, output)
            self.assertNotIn("data", output)

    def test_3_extensions(self):
        """Not stopped by default: what README.md says."""
        self.assertEqual(self.machine.output("cat /usr/evil-extension"), "evil")

    def test_4_a_mount_over_usr(self):
        """Not stopped by default either, in the system."""
        self.machine.output("/usr/games/evil-program")

    @bench.long
    def test_5_the_same_in_the_entry_with_integrity_policy(self):
        entry = self.machine.output("bootctl list --json=short | tr ',' '\\n' | "
                                    "sed -n 's/.*\"id\":\"\\(.*@ipe\\)\".*/\\1/p'")
        self.machine.output(f"bootctl set-oneshot '{entry}'")
        self.machine.reboot()
        login(self.machine)
        self.assertEqual(re.findall(r"(?m)^/run/evil-(?!mount|fstab).*|^evil$", self.traces()), [])
        self.assertIn("Credentials of the ESP are not taken", self.machine.output("dmesg"))
        self.assertNotEqual(self.machine.run("ls /run/credentials/@encrypted")[0], 0)
        self.assertEqual(self.machine.output("cat /sys/kernel/security/ipe/enforce"), "1")
        self.assertEqual(self.machine.run("/usr/games/evil-program")[0], 126)


@bench.long
class Enforced(Persist):
    """The enforced flavour refuses all of it, and its disks do not even open while there is a credential on the ESP."""

    name = "persist-enforced"
    variant = bench.ENFORCED

    def test_1_root_leaves_code(self):
        machine = self.turn_on("plant")
        login(machine)
        self.assertEqual(machine.output("cat /sys/kernel/security/ipe/enforce"), "1")
        for device in machine.output("blkid -t TYPE=crypto_LUKS -o device").split():
            dump = machine.output(f"cryptsetup luksDump {device}")
            self.assertRegex(dump, r"tpm2-hash-pcrs: +7\n")
            self.assertRegex(dump, r"tpm2-pubkey-pcrs: +11 12\n|tpm2-pubkey-pcrs: +11\+12\n")
        self.plant()
        self.life.state.before = None
        machine.reboot()

    def test_2_nothing_of_the_esp_runs(self):
        """The firmware's record of the boot is another one, so there is no key."""
        machine = self.machine
        machine.expect(r"Credentials of the ESP are not taken")
        machine.expect(scenario.QUESTIONS + "|No passphrase or recovery key registered|TPM2 operation failed, falling back",
                       refuse=r"\w login: ")
        self.running.close()
        esp = disk.Esp(self.life.state.disk)
        for path in [f"/loader/credentials/{name}" for name in esp.list("/loader/credentials")]:
            esp.remove(path)
        for uki in esp.uki_paths():
            for name in esp.list(f"{uki}.extra.d"):
                esp.remove(f"{uki}.extra.d/{name}")
        login(self.turn_on("clean"))
        self.assertEqual(re.findall(r"(?m)^/run/evil-(?!fstab).*|^evil$", self.traces()), [])

    def test_3_extensions(self):
        self.assertNotEqual(self.machine.run("cat /usr/evil-extension")[0], 0)
        self.assertIn("is a directory, which has no signature",
                      self.machine.output("journalctl -b -o cat -u systemd-sysext.service"))
        self.machine.output("rm -r /var/lib/extensions/evil && mkdir -p /tmp/tree/usr/lib/extension-release.d && "
                            "echo ID=_any >/tmp/tree/usr/lib/extension-release.d/extension-release.image && "
                            "echo evil >/tmp/tree/usr/evil-extension && truncate -s 8M /var/lib/extensions/image.raw && "
                            "mke2fs -q -t ext4 -d /tmp/tree /var/lib/extensions/image.raw")
        self.assertNotEqual(self.machine.run("systemctl restart systemd-sysext.service")[0], 0)
        self.assertNotEqual(self.machine.run("cat /usr/evil-extension")[0], 0)

    def test_4_a_mount_over_usr(self):
        """Whatever lies there does not run."""
        status, output = self.machine.run("/usr/games/evil-program")
        self.assertEqual(status, 126, output)
        self.assertIn("Permission denied", output)

    def test_5_the_same_in_the_entry_with_integrity_policy(self):
        """Every entry is."""
        entries = self.machine.output("bootctl list --json=short")
        self.assertNotIn("@ipe", entries)


if __name__ == "__main__":
    tap.run_cases(missing_tools())
