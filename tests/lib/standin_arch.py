# SPDX-License-Identifier: LGPL-2.1-or-later
"""An Arch Linux that boots, where Arch itself cannot be had: the contents of Debian testing's packages, under the names and in
the places that Arch has for them, in repositories as pacman wants them. It proves the driver, not the names of Arch."""

import re
import shutil
import subprocess
from pathlib import Path

from pacman_repository import DIRECTORIES, HOOK_DIRECTORY, MERGED, PacmanRepository
from particleos import EPOCH, call, environment, fresh, package_options, particleos

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
        base-files bash btrfs-progs busybox-static cryptsetup-bin dbus dosfstools e2fsprogs gawk gpg kmod less
        libfido2-1 libpam-systemd libseccomp2 linux-image-cloud-amd64 login mount passwd procps systemd systemd-boot
        systemd-boot-efi systemd-boot-tools systemd-container systemd-cryptsetup systemd-homed systemd-repart systemd-sysv
        systemd-tpm tiny-initramfs udev util-linux xfsprogs
        curl
        ^libtss2-esys-[0-9.]+-0(t64)?$
        ^libtss2-mu-[0-9.]+-0(t64)?$
        ^libtss2-rc0(t64)?$
        ^libtss2-tcti-device0(t64)?$
"""

# Arch's names for what Debian has in one package or in several; others keep their own.
NAMES = {
    "busybox": "busybox-static",
    "cryptsetup": "cryptsetup-bin|libcryptsetup.*",
    "dbus": "dbus|dbus-.*|libdbus-1-3",
    "e2fsprogs": "e2fsprogs|logsave|libext2fs.*|libss2|libcom-err2",
    "glibc": "libc6|libc-bin|libc-l10n",
    "gnupg": "gpg|gpgv|gpgconf|gpg-agent",
    "kmod": "kmod|libkmod2",
    "libfido2": "libfido2-1",
    "libseccomp": "libseccomp2",
    "linux": "linux-(image|binary|modules|base)-[0-9].*",
    "pam": "libpam0g|libpam-modules.*|libpam-runtime",
    "procps-ng": "procps|libproc2-.*",
    "shadow": "passwd|login|login.defs",
    "systemd": "systemd|systemd-(?!sysv).*|udev|libsystemd-shared|libpam-systemd",
    "systemd-libs": "libsystemd0|libudev1",
    "systemd-sysvcompat": "systemd-sysv",
    "tpm2-tss": "libtss2-.*|tpm-udev",
    "util-linux": "util-linux.*|mount|bsdutils|fdisk|eject",
    "util-linux-libs": "libblkid1|libmount1|libuuid1|libsmartcols1|libfdisk1",
}
# What Arch's packages depend on and Debian's only recommend or load at run time.
DEPENDS = {"systemd": ["bash", "cryptsetup", "dbus", "kmod", "libseccomp", "pam", "util-linux"], "shadow": ["pambase"], "pam": ["pambase"],
           "util-linux": ["coreutils", "shadow"]}
PROVIDES = {"bash": ["sh"], "gawk": ["awk"], "systemd": ["udev", "nss-myhostname", "systemd-tools"], "systemd-libs": ["libsystemd", "libudev"],
            "util-linux-libs": ["libutil-linux"]}
# Of Debian alone.
LEFT_OUT = "base-files|base-passwd|apt.*|libapt.*|dash|debconf.*|debian-.*|debianutils|dpkg|diffutils|init-system-helpers|initscripts|" \
           "linux-(image|base)-(cloud-)?amd64|linux-base|mawk|perl.*|libperl.*|sysvinit-utils|tiny-initramfs.*|ucf|adduser|hostname|" \
           "ncurses-base|sensible-utils|tar|netbase|init|linux-sysctl-defaults"
DROPPED = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "usr/share/bug", "boot",
           "usr/lib64", "usr/share/initramfs-tools", "etc/init.d", "etc/default", "etc/kernel", "etc/cron.d", "etc/cron.daily")
# What Arch's package has; names of ours are Debian's own where nothing depends on them.
SYSUSERS = ("[Trigger]\nType = Path\nOperation = Install\nOperation = Upgrade\nTarget = usr/lib/sysusers.d/*.conf\n[Action]\n"
            "Description = Creating system user accounts...\nWhen = PostTransaction\nExec = /usr/bin/systemd-sysusers\n")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
FILES = {
    "filesystem": {
        "usr/lib/os-release": "NAME=\"Arch Linux\"\nPRETTY_NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n",
        "etc/passwd": "root:x:0:0::/root:/usr/bin/bash\n", "etc/group": "root:x:0:root\n", "etc/shadow": "root:*:14871::::::\n",
        "etc/gshadow": "root:::root\n", "etc/shells": "/bin/sh\n/bin/bash\n", "etc/fstab": "# Nothing.\n", "etc/profile": "umask 022\n",
        "etc/nsswitch.conf": "passwd: files systemd\ngroup: files [SUCCESS=merge] systemd\nshadow: files systemd\ngshadow: files systemd\n"
                             "hosts: files myhostname dns\n",
        "usr/lib/tmpfiles.d/arch.conf": "# Nothing.\n"},
    "pambase": {},
}


def fetch():
    """The directory of Debian's packages, names and versions of those that belong together, and the tree that they make."""
    place = fresh("standin-debian")
    (place / "mkosi.conf").write_text(DEBIAN)
    particleos("-C", place, "--force", *package_options(), "build", env=environment(SOURCE_DATE_EPOCH=EPOCH), timeout=1800)
    archives = Path(package_options()[1]) / "debian~testing~x86-64/archives"
    return archives, place / "out/debian"


def _control(deb):
    text = call("dpkg-deb", "--field", deb, "Package", "Version", "Depends", "Pre-Depends", "Provides").stdout
    return dict(re.findall(r"^([\w-]+): (.*(?:\n .*)*)", text, re.M))


def _arch_name(name):
    return next((arch for arch, pattern in NAMES.items() if re.fullmatch(pattern, name)), name)


def _words(field):
    return [[re.sub(r"[ (:].*", "", x.strip()) for x in group.split("|")] for group in (field or "").split(",") if group.strip()]


class StandIn(PacmanRepository):
    """core and extra of such an Arch."""

    def __init__(self, directory):
        super().__init__(directory, base=False)
        archives, tree = fetch()
        installed = dict(re.findall(r"^Package: (\S+)\n(?:.*\n)*?Version: (\S+)$", (tree / "var/lib/dpkg/status").read_text(), re.M))
        self.controls = {}
        for deb in sorted(archives.glob("*.deb")):
            control = _control(deb)
            name = control["Package"]
            if installed.get(name) == control["Version"] and not re.fullmatch(LEFT_OUT, name):
                self.controls[name] = (deb, control)
        self.providers = {name: name for name in self.controls}
        for name, (_, control) in self.controls.items():
            for word in _words(control.get("Provides")):
                self.providers.setdefault(word[0], name)
        self.add_base(tree)
        groups = {}
        for name in self.controls:
            groups.setdefault(_arch_name(name), []).append(name)
        for arch, members in sorted(groups.items()):
            self.add(arch, members)
        self.publish()

    def add_base(self, tree):
        self.package("filesystem", FILES["filesystem"], directories={**DIRECTORIES, "home": 0o755, "srv": 0o755, "mnt": 0o755, "usr/lib": 0o755},
                     links={**MERGED, "etc/os-release": "../usr/lib/os-release"}, backup=["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"],
                     modes={"etc/shadow": 0o600, "etc/gshadow": 0o600})
        common = {f"etc/pam.d/{x.name}": x for x in (tree / "etc/pam.d").glob("common-*")}
        self.package("pambase", common, modes=dict.fromkeys(common, 0o644))

    def add(self, arch, members):
        """The package ARCH out of Debian's MEMBERS."""
        tree = self.path / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        tree.chmod(0o755)
        for member in members:
            call("dpkg-deb", "--extract", self.controls[member][0], tree)
        self.rearrange(tree)
        if arch == "bash":
            (tree / "usr/bin/sh").symlink_to("bash")
        if arch == "gawk":
            (tree / "usr/bin/awk").symlink_to("gawk")
        if arch == "systemd":
            hook = tree / HOOK_DIRECTORY / "20-systemd-sysusers.hook"
            hook.parent.mkdir(parents=True)
            hook.write_text(SYSUSERS)
        # With a scriptlet in the way of Arch's own.
        (tree / ".INSTALL").write_text(f"post_install() {{\n  true {arch} \"$1\"\n}}\n")
        version = self.controls[members[0]][1]["Version"].replace("~", ".").replace("-", "_") + "-1"
        backup = [str(x.relative_to(tree)) for x in sorted((tree / "etc").rglob("*")) if x.is_file() and not x.is_symlink()]
        self.pack(tree, arch, version, "core" if arch in NAMES else "extra", None, "Archive", "x86_64", None,
                  {"depends": sorted(self.depends(arch, members)), "backup": backup, "provides": PROVIDES.get(arch, [])})

    def depends(self, arch, members):
        found = {"filesystem", *DEPENDS.get(arch, [])}
        for member in members:
            control = self.controls[member][1]
            for alternatives in _words(control.get("Depends")) + _words(control.get("Pre-Depends")):
                provider = next((self.providers[x] for x in alternatives if x in self.providers), None)
                if provider and _arch_name(provider) != arch:
                    found.add(_arch_name(provider))
        return found

    @staticmethod
    def rearrange(tree):
        """Debian's places become Arch's."""
        def move(source, target):
            if not source.exists() or source.is_symlink():
                return
            target.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "--archive", "--no-clobber", f"{source}/.", target], check=True)
            shutil.rmtree(source)
        for name in "bin", "sbin", "lib", "lib64":
            move(tree / name, tree / "usr" / name)
        move(tree / "usr/sbin", tree / "usr/bin")
        for loader in (tree / "usr/lib64").glob("*"):
            shutil.move(loader, tree / "usr/lib" / loader.name)
        for kernel in (tree / "boot").glob("vmlinuz-*"):
            shutil.move(kernel, tree / "usr/lib/modules" / kernel.name.removeprefix("vmlinuz-") / "vmlinuz")
        for name in DROPPED:
            shutil.rmtree(tree / name, ignore_errors=True)
