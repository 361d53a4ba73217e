# SPDX-License-Identifier: LGPL-2.1-or-later
"""Distributions that boot, where they themselves cannot be had: the contents of Debian testing's packages, under the names and in
the places that others have for them. They prove the drivers, not the names. StandIn knows Debian's side; standin_arch.py and
standin_rpm.py write packages and repositories in the forms of their families."""

import contextlib
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

from particleos import EPOCH, WORK, call, environment, fresh, locked, package_options, particleos

# What is repacked: what the recipe names, and the default initrd. The last ones are loaded at run time.
DEBIAN = """[Distribution]
Distribution=debian
Release=testing
[Output]
Format=directory
Output=debian
OutputDirectory=out
ManifestFormat=json
[Content]
Bootable=no
WithDocs=no
CleanPackageMetadata=no
Packages=
        base-files bash btrfs-progs busybox-static cryptsetup-bin dbus dbus-broker dosfstools e2fsprogs gawk gpg kmod less
        libfido2-1 libpam-systemd libseccomp2 linux-image-cloud-amd64 login mount passwd procps systemd systemd-boot
        systemd-boot-efi systemd-boot-tools systemd-container systemd-cryptsetup systemd-homed systemd-repart systemd-sysv
        systemd-tpm tiny-initramfs udev util-linux xfsprogs
        curl
        ^libtss2-esys-[0-9.]+-0(t64)?$
        ^libtss2-mu-[0-9.]+-0(t64)?$
        ^libtss2-rc0(t64)?$
        ^libtss2-tcti-device0(t64)?$
"""
# Of Debian alone.
LEFT_OUT = "base-files|base-passwd|apt.*|libapt.*|dash|debconf.*|debian-.*|debianutils|dpkg|init-system-helpers|initscripts|" \
           "linux-(image|base)-(cloud-)?amd64|linux-base|mawk|perl.*|libperl.*|sysvinit-utils|tiny-initramfs.*|ucf|adduser|" \
           "ncurses-base|sensible-utils|netbase|init|linux-sysctl-defaults"
DROPPED = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "usr/share/bug", "boot",
           "usr/share/initramfs-tools", "etc/init.d", "etc/default", "etc/kernel", "etc/cron.d", "etc/cron.daily")


@contextlib.contextmanager
def _kept(name, *makers):
    """The directory NAME below the work directory, and whether it has to be made (again): it is kept as long as MAKERS (bytes) stay
    the same."""
    digest = hashlib.sha256(b"\0".join(makers)).hexdigest()
    with locked(name):
        stamp = WORK / f"{name}.stamp"
        if stamp.exists() and stamp.read_text() == digest:
            yield WORK / name, False
            return
        stamp.unlink(missing_ok=True)
        yield fresh(name), True
        stamp.write_text(digest)


def making(name):
    """Whether the stand-in at the directory NAME has to be made: (directory, whether)."""
    here = Path(__file__).parent
    files = *sorted(here.glob("standin*.py")), here / "rpms.py", here / "pacman_repository.py"
    return _kept(name, *[x.read_bytes() for x in files])


def fetch():
    """The directory of Debian's packages, names and versions of those that belong together, and the tree that they make."""
    with _kept("standin-debian", DEBIAN.encode()) as (place, needed):
        if needed:
            (place / "mkosi.conf").write_text(DEBIAN)
            particleos("-C", place, "--force", *package_options(), "build", env=environment(SOURCE_DATE_EPOCH=EPOCH), timeout=1800)
    archives = Path(package_options()[1]) / "debian~testing~x86-64/archives"
    return archives, place / "out/debian"


def _control(deb):
    text = call("dpkg-deb", "--field", deb, "Package", "Version", "Depends", "Pre-Depends", "Provides").stdout
    return dict(re.findall(r"^([\w-]+): (.*(?:\n .*)*)", text, re.M))


def _words(field):
    return [[re.sub(r"[ (:].*", "", x.strip()) for x in group.split("|")] for group in (field or "").split(",") if group.strip()]


class StandIn:
    """Debian's packages in groups that have a name of another distribution."""

    NAMES = {}  # a name there → a pattern of Debian's names; others keep their own
    DEPENDS = {}  # what packages there depend on, and Debian's only recommend or load at run time
    WITHOUT = LEFT_OUT
    dropped = DROPPED

    def read_debian(self):
        archives, self.debian = fetch()
        status = (self.debian / "var/lib/dpkg/status").read_text()
        installed = dict(re.findall(r"^Package: (\S+)\n(?:.*\n)*?Version: (\S+)$", status, re.M))
        self.controls = {}
        for deb in sorted(archives.glob("*.deb")):
            control = _control(deb)
            name = control["Package"]
            if installed.get(name) == control["Version"] and not re.fullmatch(self.WITHOUT, name):
                self.controls[name] = (deb, control)
        self.providers = {name: name for name in self.controls}
        for name, (_, control) in self.controls.items():
            for word in _words(control.get("Provides")):
                self.providers.setdefault(word[0], name)

    def name_there(self, name):
        return next((there for there, pattern in self.NAMES.items() if re.fullmatch(pattern, name)), name)

    def add_groups(self):
        groups = {}
        for name in self.controls:
            groups.setdefault(self.name_there(name), []).append(name)
        for there, members in sorted(groups.items()):
            self.add(there, members)

    def version(self, members):
        return self.controls[members[0]][1]["Version"]

    def relations(self, there, members):
        """What the package THERE needs."""
        found = {"filesystem", *self.DEPENDS.get(there, [])}
        for member in members:
            control = self.controls[member][1]
            for alternatives in _words(control.get("Depends")) + _words(control.get("Pre-Depends")):
                provider = next((self.providers[x] for x in alternatives if x in self.providers), None)
                if provider and self.name_there(provider) != there:
                    found.add(self.name_there(provider))
        return sorted(found - {there})

    def unpack(self, there, members, tree):
        """TREE gets the files of MEMBERS, in the places that they have there."""
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        tree.chmod(0o755)
        for member in members:
            call("dpkg-deb", "--extract", self.controls[member][0], tree)
        for name in "bin", "sbin", "lib", "lib64":
            self.move(tree / name, tree / "usr" / name)
        self.arrange(tree)
        for kernel in (tree / "boot").glob("vmlinuz-*"):
            shutil.move(kernel, tree / "usr/lib/modules" / kernel.name.removeprefix("vmlinuz-") / "vmlinuz")
        for name in self.dropped:
            shutil.rmtree(tree / name, ignore_errors=True)
        if there == "bash":
            (tree / "usr/bin/sh").symlink_to("bash")
        if there == "gawk":
            (tree / "usr/bin/awk").symlink_to("gawk")

    def arrange(self, tree):
        """What has another place there; /usr is merged already."""

    @staticmethod
    def move(source, target):
        if not source.exists() or source.is_symlink():
            return
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "--archive", "--no-clobber", f"{source}/.", target], check=True)
        shutil.rmtree(source)

    def pam_files(self):
        return {f"etc/pam.d/{x.name}": x for x in (self.debian / "etc/pam.d").glob("common-*")}
