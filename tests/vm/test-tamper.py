#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Attacks a machine: every link of the chain of trust must hold, and every broken one must be refused, for the reason that
it should be.

Each case has a boot of its own, of a copy of a machine that has gone through its first boot, changed while it was switched
off. The boot ends when the console shows the evidence. What the platform does not refuse is here as well, as README.md of
the recipe documents it.

PARTICLEOS_TEST_FLAVOUR=enforced does the same to a machine of the strict flavour.
"""

import concurrent.futures
import itertools
import os
import re
import sys
import unittest
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "lib"))

import bench
import disk
import extensions
import firmware
import scenario
import spoil
import tap
from machine import missing_tools
from scenario import KERNEL_RUNS

OTHER = "0.2"
ENFORCED = os.environ.get("PARTICLEOS_TEST_FLAVOUR") == "enforced"
FLAVOUR = bench.ENFORCED if ENFORCED else None

# Whatever the initrd and the system log is evidence. The strict flavour says it by itself, because nothing may be added.
TALK = None if ENFORCED else bench.TALK
LOUD = None if ENFORCED else "loglevel=6"  # the kernel tells its command line

FIRMWARE_REFUSAL = r"(?i)(Error loading|Failed to start|failed to load) .*(access denied|security violation)"
LOADER_REFUSAL = r"BdsDxe: failed to load .*Access Denied"
VERITY_REFUSAL = r"device-mapper: verity: \S+: (data|metadata) block \d+ is corrupted"
SIGNATURE_REFUSAL = r"(?i)root hash verification failed|key was rejected|required key not available"
# systemd 262 looks at all partitions at once, and one that does not fit or is not allowed leaves it without any.
NO_SET = r"device doesn't carry ID_DISSECT_PART_ROOTHASH_SIG property"
NO_SIGNATURE = NO_SET if bench.TESTING else r"No partition holds a signature for usrhash=[0-9a-f]{64}"
PLAIN_ROOT = NO_SET if bench.TESTING else r"root partition \(/dev/\w+\) is not encrypted"
PLAIN_HOME = NO_SET if bench.TESTING else r"does not match image policy"
# systemd 257 does not even name an extension without signature.
NO_EXTENSION = (r"evil\.sysext\.raw: Image does not match image policy",) if bench.TESTING else ()
EXTENSION_USED = r"(?i)(using|merged) extensions" if bench.TESTING else "evil"
# The TPM opens nothing, so there is a question instead of an open disk.
TPM_REFUSAL = (r"TPM2 operation failed, falling back|No TPM2 metadata matching the current system state|"
               r"Failed to load PCR signature")
QUESTION = scenario.QUESTIONS
LOCKED = QUESTION + "|No passphrase or recovery key registered"
COMMAND_LINE = r"[Cc]ommand line: [^\n]*usrhash=[^\n]*\n"

# Only type 2 entries start the system, so what they could add needs no other answer.
NO_TYPE_1 = r'This system is not started: "evil\.conf" is an entry of type 1'
LOADER_RUNS = r"Boot in [0-9]+ ?s"
ROOT_MOUNTED = r"Mounted sysroot\.mount|Switching root|Welcome to ParticleOS"
SYSTEM_RUNS = r"\w login: |Reached target \S*multi-user.target|Switching root"


@dataclass
class Case:
    """What is done to the machine (a State), what the console must show, in this order, and what it must not show before
    that."""

    name: str
    spoil: Callable
    evidence: tuple
    refuse: str
    arguments: str | Callable = TALK  # on the kernel's command line, from SMBIOS
    absent: str = None  # what the whole console must not have shown
    send: tuple = ()  # (what to wait for, what to type) before the evidence
    long: bool = False  # only with PARTICLEOS_TEST_LONG; others show the same link of the chain


def setUpModule():
    global life, usual, other, stranger, spare
    usual, other = bench.version(bench.FIRST, FLAVOUR), bench.version(OTHER, FLAVOUR)
    life = scenario.Scenario("tamper", None)
    life.arguments = None if ENFORCED else ""
    bench.machine(life.scratch / "machine", FLAVOUR)
    life.state = scenario.State(life.scratch / "machine")
    stranger = disk.make_key(life.scratch)
    spare = copies()
    for name, file in (("KEY", "mkosi.key"), ("CERTIFICATE", "mkosi.crt")):  # extensions.py signs with them
        os.environ[f"PARTICLEOS_TEST_{name}"] = str(bench.keys() / file)


def tearDownModule():
    spare.close()
    for name, seconds in life.times:
        print(f"# {seconds:6.1f} s  {name}", file=sys.stderr)
    life.remove()


def certificate():
    return bench.keys() / "mkosi.crt"


def flip(state, kind, offset):
    disk.flip_byte(state.disk, disk.find_partition(state.disk, kind).offset + offset)


def forge_signature(state):
    """A true signature by the right key, but of another root hash."""
    now = disk.read_verity_signature(state.disk)
    disk.write_verity_signature(
        state.disk, now["rootHash"], now["certificateFingerprint"],
        disk.sign_root_hash(now["rootHash"][::-1], bench.keys() / "mkosi.key", certificate()))


def sign_usr_as_stranger(state):
    now = disk.read_verity_signature(state.disk)
    disk.write_verity_signature(state.disk, now["rootHash"], now["certificateFingerprint"],
                                disk.sign_root_hash(now["rootHash"], *stranger))


def put_old_usr_below_new_uki(state):
    spoil.rename_usr(state, other)
    spoil.replace_signature(state, other)
    spoil.replace_uki(state, other)


def add_second_set(state):
    """A newer version in the free slot, all in order but for the signature, which is a stranger's."""
    disk.fill_slots(state.disk, other, "0.9")
    now = next(p for p in disk.read_partitions(state.disk) if p.type == disk.USR_VERITY_SIG and p.label.endswith("0.9_verity_sig"))
    root_hash = next(other.glob("*.roothash")).read_text().strip()
    text = disk.json.dumps({"rootHash": root_hash, "certificateFingerprint": "0" * 64, "signature": disk.base64.b64encode(
        disk.sign_root_hash(root_hash, *stranger)).decode()}).encode()
    spoil.write_partition(state.disk, now, text.ljust(now.size, b"\0"))


def start_kernel_alone(state):
    """The kernel out of the UKI, with a command line of the attacker's. It has no signature that the firmware knows."""
    esp = disk.Esp(state.disk)
    uki = esp.read(esp.uki_paths()[0])
    options = spoil.section(uki, ".cmdline").decode().replace("root=gpt-auto", "root=/dev/mapper/root").replace(
        "root=dissect", "root=/dev/mapper/root")
    options += f" rd.luks.name={spoil.luks_uuid(state, disk.ROOT)}=root rd.luks.options=tpm2-device=auto console=ttyS0"
    esp.write("/kernel.efi", spoil.section(uki, ".linux"), state.directory)
    esp.write("/initrd", spoil.section(uki, ".initrd"), state.directory)
    spoil.add_entry(state, f"title evil\nlinux /kernel.efi\ninitrd /initrd\noptions {options}\n")


def start_uki_with_options(state):
    uki = disk.Esp(state.disk).uki_paths()[0]
    spoil.add_entry(state, f"title evil\nefi {uki}\noptions init=/evil console=ttyS0\n")


def start_uki_with_initrd(state):
    """An initrd with a unit for the system manager, which the boot loader has in memory when the UKI starts."""
    units = state.directory / "initrd/etc/systemd/system"
    (units / "sysinit.target.wants").mkdir(parents=True)
    (units / "sysinit.target.wants/evil.service").symlink_to("../evil.service")
    (units / "evil.service").write_text("[Unit]\nDescription=Evil unit\nDefaultDependencies=no\n"
                                        "[Service]\nType=oneshot\nExecStart=/bin/true\n")
    esp = disk.Esp(state.disk)
    esp.write("/initrd", spoil.make_initrd(state.directory / "initrd"), state.directory)
    spoil.add_entry(state, f"title evil\nlinux {esp.uki_paths()[0]}\ninitrd /initrd\noptions init=/evil console=ttyS0\n")


def addon(signer):
    data = spoil.make_addon("init=/evil")

    def put(state):
        spoil.put_beside_uki(state, "evil.addon.efi", disk.sign_pe(data, *signer, state.directory) if signer else data)
    return put


def put_extension(state):
    """An image without a signature that would put a file into the initrd."""
    image = state.directory / "evil.raw"
    tree = state.directory / "extension"
    (tree / "usr/lib/extension-release.d").mkdir(parents=True)
    (tree / "usr/lib/extension-release.d/extension-release.evil").write_text("ID=_any\nEXTENSION_RELOAD_MANAGER=1\n")
    (tree / "usr/evil").write_text("evil\n")
    spoil.make_squashfs(tree, image)
    spoil.put_beside_uki(state, "evil.sysext.raw", image.read_bytes())


def put_credential(state):
    """A unit for the system manager, in a credential that is sealed with the key that everybody knows. (Those that the TPM
    sealed are in test-persist.py.)"""
    text = "[Unit]\nDescription=Evil unit\nDefaultDependencies=no\n[Service]\nExecStart=echo evil-unit-runs\nStandardOutput=tty\n"
    spoil.put_beside_uki(state, "systemd.extra-unit.evil.service.cred",
                         spoil.make_null_credential("systemd.extra-unit.evil.service", text))


def open_home_and_swap(state):
    spoil.make_plain_file_system(state, disk.HOME)
    spoil.make_plain_swap(state)


def trust_stranger_too(state):
    firmware.add_to_db(state.variables, stranger[1])


def enrol_stranger(state):
    """The firmware belongs to somebody else, who signed everything that is signed: boot loader, UKI, /usr."""
    spoil.factory_variables(state)
    firmware.enrol(state.variables, stranger[1])
    spoil.change_boot_loader(state, lambda pe: spoil.sign_anew(pe, stranger, state))
    spoil.change_ukis(state, lambda pe: spoil.sign_anew(pe, stranger, state))
    sign_usr_as_stranger(state)


def switch_secure_boot_off(state):
    spoil.factory_variables(state)
    spoil.remove_keys(state)


CASES = [
    # /usr
    Case("a byte of usr", lambda s: flip(s, disk.USR, 100), (VERITY_REFUSAL,), SYSTEM_RUNS),
    # Block 0 has the verity superblock, block 1 the top of the tree.
    Case("a byte of the hash tree", lambda s: flip(s, disk.USR_VERITY, 4096 + 7), (VERITY_REFUSAL,), SYSTEM_RUNS, long=True),
    Case("a signature of another root hash", forge_signature, (SIGNATURE_REFUSAL,), SYSTEM_RUNS),
    Case("a signature of usr by somebody else", sign_usr_as_stranger, (SIGNATURE_REFUSAL,), SYSTEM_RUNS, long=True),
    Case("the signature partition of another version", lambda s: spoil.replace_signature(s, other), (NO_SIGNATURE,),
         SYSTEM_RUNS, long=True),
    Case("usr of 0.1 below the UKI of 0.2", put_old_usr_below_new_uki, (VERITY_REFUSAL,), SYSTEM_RUNS),
    Case("usr of 0.2 below the UKI of 0.1", lambda s: spoil.replace_usr(s, other, usual), (VERITY_REFUSAL,), SYSTEM_RUNS,
         long=True),
    # UKI
    Case("an edited command line in the UKI", lambda s: spoil.change_ukis(s, disk.edit_command_line), (FIRMWARE_REFUSAL,),
         KERNEL_RUNS),
    Case("another initrd in the UKI",
         lambda s: spoil.change_ukis(s, lambda pe: spoil.change_section(pe, ".initrd", lambda old: b"evil")),
         (FIRMWARE_REFUSAL,), KERNEL_RUNS),
    Case("another kernel in the UKI",
         lambda s: spoil.change_ukis(s, lambda pe: spoil.change_section(
             pe, ".linux", lambda old: old[:-1] + bytes([old[-1] ^ 1]))), (FIRMWARE_REFUSAL,), KERNEL_RUNS, long=True),
    Case("a UKI without signature", lambda s: spoil.change_ukis(s, disk.strip_signature), (FIRMWARE_REFUSAL,), KERNEL_RUNS),
    Case("a UKI signed by somebody else", lambda s: spoil.change_ukis(s, lambda pe: spoil.sign_anew(pe, stranger, s)),
         (FIRMWARE_REFUSAL,), KERNEL_RUNS),
    # boot loader
    Case("a boot loader without signature", lambda s: spoil.change_boot_loader(s, disk.strip_signature), (LOADER_REFUSAL,),
         KERNEL_RUNS, absent=LOADER_RUNS),
    Case("a boot loader signed by somebody else",
         lambda s: spoil.change_boot_loader(s, lambda pe: spoil.sign_anew(pe, stranger, s)), (LOADER_REFUSAL,), KERNEL_RUNS,
         absent=LOADER_RUNS),
    Case("an entry for the kernel alone", start_kernel_alone, (FIRMWARE_REFUSAL,), KERNEL_RUNS),
    Case("an entry that starts the UKI with options", start_uki_with_options, (COMMAND_LINE, NO_TYPE_1), ROOT_MOUNTED,
         arguments=LOUD, absent="init=/evil", long=True),
    # The stub of systemd 262 takes it.
    Case("an entry that starts the UKI with another initrd", start_uki_with_initrd,
         (NO_TYPE_1,) if bench.TESTING else ("Error registering initrd",),
         "Evil unit|" + ROOT_MOUNTED if bench.TESTING else KERNEL_RUNS),
    Case("an editor for command lines in the boot menu",
         lambda s: spoil.configure_boot_loader(s, "timeout 60\neditor yes\n"), (r"Entry not editable in SecureBoot mode",),
         KERNEL_RUNS, send=((LOADER_RUNS, "e"),)),
    # what is put beside the UKI
    Case("an addon without signature", addon(None), (r"Failed to read 'evil.addon.efi'.*(?i:access denied|security violation)",
                                                     COMMAND_LINE), SYSTEM_RUNS, arguments=LOUD, absent="init=/evil", long=True),
    Case("an addon signed by somebody else", lambda s: addon(stranger)(s),
         (r"Failed to read 'evil.addon.efi'.*(?i:access denied|security violation)", COMMAND_LINE), SYSTEM_RUNS,
         arguments=LOUD, absent="init=/evil"),
    Case("an extension without signature", put_extension,
         ("Extensions of the ESP are not taken",) if ENFORCED else (*NO_EXTENSION, ROOT_MOUNTED), EXTENSION_USED, long=True),
    Case("a credential without a secret key", put_credential,
         ("Credentials of the ESP are not taken", LOCKED) if ENFORCED else
         (r"The credential systemd\.extra-unit\.evil\.service\.cred is not taken", ROOT_MOUNTED),
         "evil-unit-runs|Evil unit" + ("|" + ROOT_MOUNTED if ENFORCED else ""), long=True),
    # firmware and TPM
    Case("Secure Boot switched off", switch_secure_boot_off, (SIGNATURE_REFUSAL,), ROOT_MOUNTED),
    Case("Secure Boot off and nobody asks for the signature of usr", switch_secure_boot_off, (TPM_REFUSAL, LOCKED),
         ROOT_MOUNTED, arguments=bench.TALK + " systemd.verity_usr_options=", long=True),
    Case("one more key in the firmware", trust_stranger_too, (TPM_REFUSAL, LOCKED), ROOT_MOUNTED),
    Case("a firmware with the keys of somebody else who signed everything", enrol_stranger, (TPM_REFUSAL, LOCKED),
         ROOT_MOUNTED, long=True),
    Case("a cleared TPM", spoil.clear_tpm, (TPM_REFUSAL, LOCKED), ROOT_MOUNTED),
    Case("the disk in another machine", lambda s: s.reset_tpm(), (TPM_REFUSAL, LOCKED), ROOT_MOUNTED, long=True),
    Case("a live system that tries to unlock root", lambda s: spoil.configure_boot_loader(s, "timeout 1\ndefault *@live*\n"),
         (TPM_REFUSAL, LOCKED), r"Finished systemd-cryptsetup@stolen|Switching root",
         arguments=lambda s: f"{bench.TALK} rd.luks.options=tpm2-device=auto "
         f"rd.luks.name={spoil.luks_uuid(s, disk.ROOT)}=stolen"),
    # partitions
    Case("a second set of partitions by somebody else", add_second_set,
         (ROOT_MOUNTED,) if bench.TESTING else (r"Found the signature of /usr on", ROOT_MOUNTED), "emergency", long=True),
    Case("a root without encryption", lambda s: spoil.make_plain_file_system(s, disk.ROOT),
         (PLAIN_ROOT,), ROOT_MOUNTED),
    Case("a root with a passphrase of somebody else", lambda s: spoil.make_foreign_luks(s, disk.ROOT, "evil"), (QUESTION,),
         ROOT_MOUNTED, long=True),
    Case("home and swap without encryption", open_home_and_swap, (PLAIN_HOME,),
         r"Mounted home\.mount|Activated swap|\w login: ", long=True),
    # SMBIOS
    Case("an addition to the command line from SMBIOS", lambda s: None,
         (r"[Cc]ommand line: [^\n]*usrhash=[^\n]* particleos\.evil", *((TPM_REFUSAL, LOCKED) if ENFORCED else ())),
         ROOT_MOUNTED if ENFORCED else SYSTEM_RUNS, arguments="loglevel=6 particleos.evil"),
]


def copies():
    """Copies of the machine; the next one is made while the one before is attacked."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for number in itertools.count():
            following = pool.submit(life.state.copy, life.scratch / f"machine-{number}")
            if number > 0:
                yield current.result()
            current = following


class Untouched(unittest.TestCase):
    """The machine as it is: its second boot asks nothing, and every link of the chain is there."""

    def test_second_boot(self):
        drive = extensions.make_disk(life.scratch / "extensions")
        state = next(spare)
        with life.boot("second boot", state, drives=[drive]) as machine:
            scenario.login(machine)
            self.assertNotRegex(machine.text, "Enrolling secure boot keys")
            self.assertNotRegex(machine.text, QUESTION)
            self.check_chain(machine)
            extensions.check(machine)
            if not ENFORCED:
                self.seal_to_command_line(machine)
            machine.power_off()
        type(self).sealed = None if ENFORCED else state

    def check_chain(self, machine):
        self.assertIn("Secure boot enabled", machine.output("dmesg"))
        self.assertEqual(scenario.version(machine), bench.FIRST)
        self.assertEqual(machine.output("findmnt -no SOURCE /usr"), "/dev/mapper/usr")
        self.assertIn(disk.read_verity_signature(machine.state.disk)["rootHash"],
                      machine.output("dmsetup table --target verity"))
        self.assertRegex(machine.output("findmnt -no SOURCE /"), "^/dev/mapper/root")
        encrypted = machine.output("blkid -t TYPE=crypto_LUKS -o device").split()
        self.assertEqual(len(encrypted), 3)  # swap, root, home
        for device in encrypted:
            dump = machine.output(f"cryptsetup luksDump {device}")
            self.assertIn("systemd-tpm2", dump)
            self.assertRegex(dump, r"tpm2-hash-pcrs: +7\n")
            self.assertRegex(dump, r"tpm2-pubkey-pcrs: +11\+12\n" if ENFORCED else r"tpm2-pubkey-pcrs: +11\n")

    def seal_to_command_line(self, machine):
        """What README.md of the recipe recommends to those who do not trust what SMBIOS adds."""
        root = "/dev/disk/by-partlabel/ParticleOS-root"
        machine.output("systemd-cryptenroll --unlock-tpm2-device=auto --wipe-slot=tpm2 --tpm2-device=auto --tpm2-pcrs=7+12 "
                       f"--tpm2-public-key=/run/systemd/tpm2-pcr-public-key.pem --tpm2-public-key-pcrs=11 {root}")
        machine.output(f"cryptsetup open --test-passphrase --token-only {root}")

    def test_third_smbios_addition_with_root_sealed_to_the_command_line(self):
        state = getattr(type(self), "sealed", None) or self.skipTest("no disk is sealed to PCR 12 by hand")
        with life.boot("smbios sealed", state, arguments=bench.TALK + " init=/evil") as machine:
            machine.expect(TPM_REFUSAL, refuse=ROOT_MOUNTED)
            machine.expect(LOCKED, refuse=ROOT_MOUNTED)


class Tamper(unittest.TestCase):
    def run_case(self, case):
        place = re.sub(r"\W+", "-", case.name)
        state = next(spare)
        self.addCleanup(state.remove)
        case.spoil(state)
        arguments = case.arguments(state) if callable(case.arguments) else case.arguments
        with life.boot(place, state, arguments=arguments) as machine:
            for prompt, keys in case.send:
                machine.expect(prompt, refuse=case.refuse)
                machine.send(keys)
            for evidence in case.evidence:
                machine.expect(evidence, refuse=case.refuse)
            if case.absent:
                self.assertNotRegex(machine.text, case.absent)


def add_cases():
    for number, case in enumerate(CASES):
        if case.long and not bench.LONG:
            continue

        def test(self, case=case):
            self.run_case(case)
        test.__doc__ = case.name
        setattr(Tamper, f"test_{number:02}_{re.sub(r'[^a-z0-9]+', '_', case.name.lower())}", test)


add_cases()


if __name__ == "__main__":
    tap.run_cases(missing_tools())
