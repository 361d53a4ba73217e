# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Fedora and an openSUSE Tumbleweed that boot: standin.py in repositories as dnf and zypper want them, with what these families
have and Debian has not: split systemd packages, kernels in /usr/lib/modules, generators of initrds that kernels recommend, profiles of
authselect and pam-config, file triggers, scripts in Lua, epochs, groups, patterns."""

from rpms import DIRECTORIES, LINKS, RpmRepository
from standin import StandIn

ACCOUNTS = {"etc/passwd": "root:x:0:0:root:/root:/bin/bash\n", "etc/group": "root:x:0:\n", "etc/shadow": "root:*:19675:0:99999:7:::\n",
            "etc/gshadow": "root:::\n", "etc/shells": "/bin/sh\n/bin/bash\n", "etc/fstab": "# Nothing.\n", "etc/profile": "umask 022\n"}
HIDDEN = {"etc/shadow": 0o600, "etc/gshadow": 0o600}
NSSWITCH = "passwd: files{0}\ngroup: files [SUCCESS=merge]{0}\nshadow: files{0}\ngshadow: files{0}\nhosts: files myhostname dns\n"
# Makes what the profile of the real program makes, and refuses what that refuses.
AUTHSELECT = f"""#!/bin/bash
set -euo pipefail
[[ "$1 $2" == "select local" && " $* " == *" --force"* ]] || {{ echo "Unknown profile or changed files" >&2; exit 3; }}
[[ " $* " == *" with-systemd-homed "* ]] || exit 4
mkdir -p /etc/authselect
cat >/etc/authselect/nsswitch.conf <<'END'
{NSSWITCH.format(' systemd')}END
ln -sf /etc/authselect/nsswitch.conf /etc/nsswitch.conf
"""
PAM_CONFIG = "#!/bin/bash\n[[ \"$*\" == '--add --systemd_home' ]] || exit 1\necho 'systemd_home' >/etc/security/pam-config.added\n"
# What a kernel's script calls when nothing keeps it from that.
DRACUT = "#!/bin/sh\necho 'dracut ran' >/usr/lib/dracut-ran\nexit 1\n"
KERNEL_INSTALL = "kernel-install add {0} /usr/lib/modules/{0}/vmlinuz || exit $?"
SYSUSERS = {"transfiletriggerin -P 1000700 -- /usr/lib/sysusers.d/": "systemd-sysusers || :"}

COMMON = {
    "cryptsetup": "cryptsetup-bin",
    "dbus-broker": "dbus-broker",  # before the pattern for what else begins like this
    "e2fsprogs": "e2fsprogs|logsave|libext2fs.*|libss2|libcom-err2",
    "glibc": "libc6|libc-bin|libc-l10n",
    "kmod": "kmod|libkmod2",
}
FEDORA = {
    **COMMON,
    "busybox": "busybox-static",
    "cryptsetup-libs": "libcryptsetup.*",
    "dbus-common": "dbus|dbus-.*|libdbus-1-3",
    "device-mapper": "dmsetup|libdevmapper.*",
    "gnupg2": "gpg|gpgv|gpgconf|gpg-agent",
    "kernel-core": "linux-(image|binary|modules|base)-[0-9].*",
    "libfdisk": "libfdisk1",
    "libfido2": "libfido2-1",
    "libseccomp": "libseccomp2",
    "pam": "libpam0g|libpam-modules.*|libpam-runtime",
    "procps-ng": "procps|libproc2-.*",
    "shadow-utils": "passwd|login.defs",
    "systemd": "systemd|systemd-sysv|libsystemd-shared",
    "systemd-boot-unsigned": "systemd-boot|systemd-boot-efi.*",
    "systemd-container": "systemd-container",
    "systemd-libs": "libsystemd0|libudev1|libnss-.*",
    "systemd-pam": "libpam-systemd",
    "systemd-udev": "udev|systemd-(?!sysv|boot$|boot-efi|container).*",
    "tpm2-tss": "libtss2-.*|tpm-udev",
    "util-linux": "util-linux-.*|bsdutils|fdisk|eject|login",
    "util-linux-core": "util-linux|mount",
}
OPENSUSE = {
    **COMMON,
    "btrfsprogs": "btrfs-progs",
    "busybox-static": "busybox-static",
    "dbus-1-common": "dbus|dbus-.*|libdbus-1-3",
    "device-mapper": "dmsetup|libdevmapper.*",
    "gpg2": "gpg|gpgv|gpgconf|gpg-agent",
    "kernel-default": "linux-(image|binary|modules|base)-[0-9].*",
    "libtss2-esys0": "libtss2-esys.*|tpm-udev",
    "libtss2-mu0": "libtss2-mu.*",
    "libtss2-rc0": "libtss2-rc0.*",
    "libtss2-tcti-device0": "libtss2-tcti-device0.*",
    "libtss2-sys1": "libtss2-.*",
    "pam": "libpam0g|libpam-modules.*|libpam-runtime",
    "shadow": "passwd|login.defs",
    "systemd": "systemd|systemd-sysv|libsystemd-shared|libpam-systemd|libnss-.*",
    "systemd-boot": "systemd-boot|systemd-boot-efi.*",
    "systemd-container": "systemd-container",
    "systemd-homed": "systemd-homed",
    "systemd-experimental": "systemd-tpm|systemd-sysupdate",
    "udev": "udev|systemd-(?!sysv|boot$|boot-efi|container|homed|tpm|sysupdate).*",
    "util-linux": "util-linux.*|mount|bsdutils|fdisk|eject|login",
    "xz": "xz-utils",
}


class RpmStandIn(StandIn, RpmRepository):
    """The repository of such a distribution; DISTRIBUTION names its key."""

    DISTRIBUTION = KERNEL = None
    PROVIDES = {}
    EPOCHS = {}
    RECOMMENDS = {}

    def __init__(self, directory):
        super().__init__(directory, self.DISTRIBUTION, base=False)
        self.read_debian()
        self.add_own()
        self.add_groups()
        self.publish()

    def add(self, there, members):
        tree = self.top / "work/tree"
        self.unpack(there, members, tree)
        epoch, _, rest = self.version(members).rpartition(":")
        version, _, release = rest.rpartition("-")
        # With a script in the way of the family's own; in Lua, because what a shell needs has scripts, too.
        scripts = {"post -p <lua>": "x = 1", **self.scripts(there, tree)}
        self.pack(tree, there, self.listed(tree), (version or release).replace("-", "."), release if version else "1",
                  self.EPOCHS.get(there, epoch or None), scripts=scripts,
                  relations={"requires": self.relations(there, members), "provides": self.PROVIDES.get(there, []),
                             "recommends": self.RECOMMENDS.get(there, [])})

    @staticmethod
    def listed(tree):
        lines = []
        for path in sorted(tree.rglob("*")):
            name = f"/{path.relative_to(tree)}"
            if path.is_dir() and not path.is_symlink():
                if name[1:] not in DIRECTORIES:
                    lines.append(f"%dir \"{name}\"")
            else:
                lines.append(("%config(noreplace) " if name.startswith("/etc/") and not path.is_symlink() else "") + f"\"{name}\"")
        return lines

    def scripts(self, there, tree):
        if there == "systemd":
            return SYSUSERS
        if there == self.KERNEL:
            version = next((tree / "usr/lib/modules").iterdir()).name
            return {"posttrans": KERNEL_INSTALL.format(version)}
        return {}


class Fedora(RpmStandIn):
    DISTRIBUTION = "fedora"
    NAMES = FEDORA
    KERNEL = "kernel-core"
    # As there; and one with an older epoch and a higher version, which must not win.
    EPOCHS = {"shadow-utils": "2"}
    RECOMMENDS = {"kernel-core": ["dracut"]}
    PROVIDES = {"bash": ["/bin/sh"], "systemd-udev": ["udev"], "systemd-boot-unsigned": ["systemd-boot"], "util-linux-core": ["/usr/bin/mount"],
                "glibc": ["glibc-langpack"]}
    DEPENDS = {"systemd": ["bash", "dbus-broker", "kmod", "libseccomp", "pam", "systemd-pam", "util-linux-core", "coreutils"],
               "systemd-udev": ["systemd", "cryptsetup-libs", "libfdisk", "systemd-libs"], "pam": ["authselect"],
               "util-linux": ["coreutils", "util-linux-core", "shadow-utils"], "dbus-broker": ["dbus-common"]}

    def arrange(self, tree):
        """Since Fedora 42."""
        self.move(tree / "usr/sbin", tree / "usr/bin")

    def add_own(self):
        base = [x for x in DIRECTORIES if x != "usr/sbin"] + ["home", "srv", "mnt", "boot", "opt", "var/tmp", "usr/lib/modules"]
        self.package("filesystem", directories=base, links={**LINKS, "sbin": "usr/bin", "usr/sbin": "bin"},
                     scripts={"pretrans -p <lua>": "posix = posix or {}\nx = 1"})
        self.package("setup", ACCOUNTS, config=list(ACCOUNTS), requires=["filesystem", "system-release"], arch="noarch", modes=HIDDEN)
        self.package("basesystem", requires=["filesystem", "setup"], arch="noarch")
        self.package("fedora-release-common", {"usr/lib/os-release": "NAME=\"Fedora Linux\"\nPRETTY_NAME=\"Fedora Linux 43\"\nID=fedora\n"
                                               "VERSION_ID=43\n"}, arch="noarch", version="43", requires=["filesystem"],
                     links={"etc/os-release": "../usr/lib/os-release"})
        self.package("fedora-release", requires=["fedora-release-common"], provides=["system-release"], arch="noarch", version="43")
        self.package("authselect", {"usr/bin/authselect": AUTHSELECT, **self.pam_files()}, requires=["bash", "coreutils", "filesystem"],
                     modes={"usr/bin/authselect": 0o755}, version="1.5.0~rc1")
        self.package("glibc-minimal-langpack", requires=["glibc"], provides=["glibc-langpack"], arch="noarch")
        self.package("shadow-utils", version="99", epoch=0)
        self.package("dracut", {"usr/lib/kernel/install.d/50-dracut.install": DRACUT}, requires=["filesystem"],
                     modes={"usr/lib/kernel/install.d/50-dracut.install": 0o755})
        self.group("core", ["bash", "systemd"], ["less"], ["xfsprogs"])


class OpenSuse(RpmStandIn):
    DISTRIBUTION = "opensuse"
    NAMES = OPENSUSE
    KERNEL = "kernel-default"
    RECOMMENDS = {"kernel-default": ["dracut"]}
    PROVIDES = {"bash": ["/bin/sh"], "shadow": ["useradd_or_adduser_dep"]}
    DEPENDS = {"systemd": ["bash", "dbus-broker", "kmod", "libseccomp2", "pam", "pam-config", "util-linux", "coreutils", "sysuser-shadow"],
               "udev": ["systemd", "libfdisk1"], "util-linux": ["coreutils"], "dbus-broker": ["dbus-1-common"],
               "systemd-homed": ["systemd"], "systemd-experimental": ["systemd", "systemd-container"],
               "kernel-default": ["suse-module-tools"]}

    def add_own(self):
        base = [*DIRECTORIES, "home", "srv", "mnt", "boot", "opt", "var/tmp", "usr/etc", "usr/lib/modules"]
        # Vendors' files are in /usr/etc there.
        self.package("filesystem", ACCOUNTS, config=list(ACCOUNTS), directories=base, links=LINKS, modes=HIDDEN)
        self.package("openSUSE-release", {"usr/lib/os-release": "NAME=\"openSUSE Tumbleweed\"\nPRETTY_NAME=\"openSUSE Tumbleweed\"\n"
                                          "ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\nVERSION_ID=\"20261130\"\n"},
                     links={"etc/os-release": "../usr/lib/os-release"}, version="20261130", requires=["filesystem"], provides=["distribution-release"])
        self.package("netcfg", {"usr/etc/nsswitch.conf": NSSWITCH.format("")}, requires=["filesystem"], arch="noarch")
        self.package("pam-config", {"usr/sbin/pam-config": PAM_CONFIG, **self.pam_files()}, requires=["bash", "filesystem", "netcfg", "pam"],
                     modes={"usr/sbin/pam-config": 0o755})
        self.package("suse-module-tools", {"usr/lib/modprobe.d/60-blacklist_fs-erofs.conf": "blacklist erofs\n"}, requires=["filesystem"],
                     arch="noarch")
        self.package("patterns-base-minimal_base", requires=["bash", "filesystem", "openSUSE-release"], provides=["pattern() = minimal_base"],
                     arch="noarch")
        self.package("sysuser-shadow", requires=["shadow"], arch="noarch")
        self.package("dracut", {"usr/lib/kernel/install.d/50-dracut.install": DRACUT}, requires=["filesystem"],
                     modes={"usr/lib/kernel/install.d/50-dracut.install": 0o755})
