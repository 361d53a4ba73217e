# SPDX-License-Identifier: LGPL-2.1-or-later
"""An Arch Linux that boots: standin.py in repositories as pacman wants them."""

import shutil

from pacman_repository import DIRECTORIES, HOOK_DIRECTORY, MERGED, PacmanRepository
from standin import DROPPED, LEFT_OUT, StandIn

# Arch's names for what Debian has in one package or in several.
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
PROVIDES = {"bash": ["sh"], "gawk": ["awk"], "systemd": ["udev", "nss-myhostname", "systemd-tools"], "systemd-libs": ["libsystemd", "libudev"],
            "util-linux-libs": ["libutil-linux"]}
# What Arch's package has; names of ours are Debian's own where nothing depends on them.
SYSUSERS = ("[Trigger]\nType = Path\nOperation = Install\nOperation = Upgrade\nTarget = usr/lib/sysusers.d/*.conf\n[Action]\n"
            "Description = Creating system user accounts...\nWhen = PostTransaction\nExec = /usr/bin/systemd-sysusers\n")
FILESYSTEM = {
    "usr/lib/os-release": "NAME=\"Arch Linux\"\nPRETTY_NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n",
    "etc/passwd": "root:x:0:0::/root:/usr/bin/bash\n", "etc/group": "root:x:0:root\n", "etc/shadow": "root:*:14871::::::\n",
    "etc/gshadow": "root:::root\n", "etc/shells": "/bin/sh\n/bin/bash\n", "etc/fstab": "# Nothing.\n", "etc/profile": "umask 022\n",
    "etc/nsswitch.conf": "passwd: files systemd\ngroup: files [SUCCESS=merge] systemd\nshadow: files systemd\ngshadow: files systemd\n"
                         "hosts: files myhostname dns\n",
    "usr/lib/tmpfiles.d/arch.conf": "# Nothing.\n"}


class Arch(StandIn, PacmanRepository):
    """core and extra of such an Arch."""

    NAMES = NAMES
    DEPENDS = {"systemd": ["bash", "cryptsetup", "dbus", "kmod", "libseccomp", "pam", "util-linux"], "shadow": ["pambase"], "pam": ["pambase"],
               "util-linux": ["coreutils", "shadow"]}
    WITHOUT = LEFT_OUT + "|diffutils|hostname|tar"
    dropped = (*DROPPED, "usr/lib64")

    def __init__(self, directory):
        super().__init__(directory, base=False)
        self.read_debian()
        self.package("filesystem", FILESYSTEM, directories={**DIRECTORIES, "home": 0o755, "srv": 0o755, "mnt": 0o755, "usr/lib": 0o755},
                     links={**MERGED, "etc/os-release": "../usr/lib/os-release"}, backup=["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"],
                     modes={"etc/shadow": 0o600, "etc/gshadow": 0o600})
        self.package("pambase", self.pam_files(), modes=dict.fromkeys(self.pam_files(), 0o644))
        self.add_groups()
        self.publish()

    def add(self, there, members):
        tree = self.path / "tree"
        self.unpack(there, members, tree)
        if there == "systemd":
            hook = tree / HOOK_DIRECTORY / "20-systemd-sysusers.hook"
            hook.parent.mkdir(parents=True)
            hook.write_text(SYSUSERS)
        # With a scriptlet in the way of Arch's own.
        (tree / ".INSTALL").write_text(f"post_install() {{\n  true {there} \"$1\"\n}}\n")
        version = self.version(members).replace("~", ".").replace("-", "_") + "-1"
        backup = [str(x.relative_to(tree)) for x in sorted((tree / "etc").rglob("*")) if x.is_file() and not x.is_symlink()]
        self.pack(tree, there, version, "core" if there in NAMES else "extra", None, "Archive", "x86_64", None,
                  {"depends": self.relations(there, members), "backup": backup, "provides": PROVIDES.get(there, [])})

    def arrange(self, tree):
        self.move(tree / "usr/sbin", tree / "usr/bin")
        for loader in (tree / "usr/lib64").glob("*"):
            shutil.move(loader, tree / "usr/lib" / loader.name)
