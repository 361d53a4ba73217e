# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for the repositories of a distribution with rpm: packages made by rpmbuild, metadata by createrepo_c, both signed
with a key of its own, and recipes that are built from them. Nothing is downloaded."""

import atexit
import contextlib
import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

from particleos import call, need
from tiny import CONF, Tiny

EPOCH = "1700000000"
RELEASE = "43"
KEYS = {"fedora": f"RPM-GPG-KEY-fedora-{RELEASE}-primary", "opensuse": "RPM-GPG-KEY-openSUSE-Tumbleweed"}
APPLETS = ("sh", "cat", "cp", "id", "ls", "touch", "rm", "mv", "chmod", "mkdir", "grep", "ln", "env", "sort", "true")
# A family file system: /bin and its like are links, as everywhere.
FILESYSTEM = {"usr/lib/os-release": "ID={id}\nVERSION_ID={release}\nNAME=Test\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
              "etc/group": "root:x:0:\n"}
DIRECTORIES = ("usr/bin", "usr/share", "usr/lib", "usr/lib64", "usr/sbin", "var/lib", "var/log", "var/cache", "root", "tmp", "run", "proc",
               "sys", "dev")
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64", "etc/os-release": "../usr/lib/os-release"}
# Tags of a spec file that may stand several times.
RELATIONS = ("requires", "provides", "conflicts", "obsoletes", "recommends", "suggests", "supplements", "enhances")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class RpmRepository:
    """Packages in DIRECTORY/repo, beside the key that signs them."""

    def __init__(self, directory, distribution="fedora", base=True):
        need("rpmbuild", "rpmsign", "createrepo_c", "gpg", "busybox")
        self.top = Path(directory)
        self.distribution = distribution
        self.path = self.top / "repo"
        self.path.mkdir(parents=True)
        self.groups = {}
        self.home = self.top / "gnupg"
        self.home.mkdir(mode=0o700)
        self.close()
        atexit.register(self.close)
        self.key = self.top / KEYS[distribution]
        self.gpg("--quick-generate-key", "Archive <archive@example.com>", "rsa2048", "sign", "never")
        self.key.write_text(self.gpg("--armor", "--export", "Archive").stdout)
        if base:
            self.make_base()

    def gpg(self, *arguments, **options):
        return call("gpg", "--homedir", self.home, "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback",
                    *arguments, **options)

    def make_base(self):
        release = "tumbleweed" if self.distribution == "opensuse" else RELEASE
        files = {path: text.format(id=self.distribution, release=release) for path, text in FILESYSTEM.items()}
        # A script in Lua: there is no shell yet.
        self.package("filesystem", files, links=LINKS, directories=DIRECTORIES, scripts={"pretrans -p <lua>": "x = 1"})
        self.package("shell", {"usr/bin/busybox": Path(shutil.which("busybox"))}, requires=["filesystem"], provides=["/bin/sh"],
                     links={f"usr/bin/{name}": "busybox" for name in APPLETS})
        self.package("basesystem", requires=["filesystem", "shell"], arch="noarch")
        self.package("openSUSE-release", requires=["filesystem"], arch="noarch")

    def package(self, name, files=None, links=None, directories=(), version="1", release="1", epoch=None, arch="x86_64",
                scripts=None, sign=True, docs=(), config=(), directory=None, extra="", summary=None, modes=None, **relations):
        """Makes NAME-VERSION-RELEASE.ARCH.rpm and returns its path. FILES: paths to text or to a file; LINKS: paths to
        texts; DOCS, CONFIG: those of FILES that are documentation or configuration; MODES: of FILES; SCRIPTS: sections of the spec file ("post",
        "pre", "transfiletriggerin -- /usr/lib/x") to text; RELATIONS: lists, by the names in RELATIONS; EXTRA: more lines of
        the preamble."""
        work = self.top / "work"
        shutil.rmtree(work, ignore_errors=True)
        tree = work / "tree"
        tree.mkdir(parents=True)
        listed = [f"%dir /{x}" for x in directories]
        for path in directories:
            (tree / path).mkdir(parents=True, exist_ok=True)
        for path, content in (files or {}).items():
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copy(content, target)
                target.chmod(0o755)
            else:
                target.write_text(content)
            if path in (modes or {}):
                target.chmod(modes[path])
            kind = "%doc " if path in docs else "%config(noreplace) " if path in config else ""
            listed.append(f"{kind}/{path}")
        for path, text in (links or {}).items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).symlink_to(text)
            listed.append(f"/{path}")
        return self.pack(tree, name, listed, version, release, epoch, arch, scripts, sign, directory, extra, summary, relations)

    def pack(self, tree, name, listed, version="1", release="1", epoch=None, arch="x86_64", scripts=None, sign=True, directory=None, extra="",
             summary=None, relations=None):
        """What is LISTED (lines of %files) of TREE becomes a package, by rpmbuild."""
        work = self.top / "work"
        relations = dict(relations or {})
        tags = {"Name": name, "Version": version, "Release": release, "Epoch": epoch, "Summary": summary or name, "License": "MIT",
                "BuildArch": "noarch" if arch == "noarch" else None, "AutoReqProv": "no"}
        lines = [f"{tag}: {value}" for tag, value in tags.items() if value is not None]
        for relation in RELATIONS:
            lines += [f"{relation.capitalize()}: {x}" for x in relations.pop(relation, ())]
        assert not relations, relations
        lines += [extra, "%description", name, "%install", f"cp -a {tree}/. %{{buildroot}}/"]
        for section, text in (scripts or {}).items():
            lines += [f"%{section}", text]
        lines += ["%files", "%defattr(-,root,root)", *listed]
        lines += ["%changelog", f"* Tue Nov 14 2023 Nobody <nobody@example.com> - {version}-{release}", f"- {name} was made"]
        spec = work / f"{name}.spec"
        spec.write_text("\n".join(lines) + "\n")
        defines = {"_topdir": work, "_rpmdir": work / "out", "_buildhost": "test", "debug_package": "%{nil}", "_build_id_links": "none",
                   "__os_install_post": "%{nil}", "use_source_date_epoch_as_buildtime": "1", "_dbpath": work / "db",
                   "clamp_mtime_to_source_date_epoch": "1", "_binary_payload": "w1.gzdio"}
        options = [x for key, value in defines.items() for x in ("--define", f"{key} {value}")]
        call("rpmbuild", "-bb", "--quiet", "--nodeps", "--target", "x86_64" if arch == "noarch" else arch, *options, spec,
             env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH})
        made, = (work / "out").rglob("*.rpm")
        if sign:
            self.sign(made)
        target = Path(directory or self.path) / made.name
        shutil.move(made, target)
        shutil.rmtree(work)
        return target

    def sign(self, package, home=None):
        call("rpmsign", "--addsign", "--define", "_gpg_name Archive", "--define", f"_gpg_path {home or self.home}", "--define",
             "__gpg /usr/bin/gpg", "--define", "_gpg_digest_algo sha256", "--define",
             "_gpg_sign_cmd_extra_args --pinentry-mode loopback --passphrase ''", package)

    def group(self, name, mandatory=(), default=(), optional=()):
        """A group of packages, @NAME."""
        self.groups[name] = {"mandatory": mandatory, "default": default, "optional": optional}

    def publish(self, revision="1", sign=True):
        """Writes the metadata, and its signature."""
        shutil.rmtree(self.path / "repodata", ignore_errors=True)
        options = []
        if self.groups:
            comps = self.top / "comps.xml"
            text = "".join(
                f"<group><id>{name}</id><name>{name}</name><description>{name}</description><default>false</default>"
                f"<uservisible>true</uservisible><packagelist>" +
                "".join(f'<packagereq type="{kind}">{x}</packagereq>' for kind, names in kinds.items() for x in names) +
                "</packagelist></group>" for name, kinds in self.groups.items())
            comps.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<comps>{text}</comps>\n')
            options = ["--groupfile", comps]
        call("createrepo_c", "--quiet", "--no-database", "--revision", revision, "--set-timestamp-to-revision", *options, self.path)
        if sign:
            self.gpg("--yes", "--armor", "--detach-sign", self.path / "repodata/repomd.xml")

    @contextlib.contextmanager
    def served(self):
        """The repository on the loopback interface: its address."""
        handler = functools.partial(Quiet, directory=str(self.path))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def close(self):
        """Ends the agent of gpg; one that an interrupted run left behind, too."""
        call("gpgconf", "--homedir", self.home, "--kill", "all", status=None)


def recipe(name, repository, url, *packages, content=""):
    """A recipe that installs PACKAGES from the repository at URL; CONTENT: more lines of [Content]."""
    made = Tiny(name)
    release = "tumbleweed" if repository.distribution == "opensuse" else RELEASE
    conf = CONF.replace("Distribution=custom\nRelease=trixie", f"Distribution={repository.distribution}\nRelease={release}\nLocalMirror={url}")
    made.write("mkosi.conf", conf.replace("Format=disk", "Format=directory") + "PackageCacheDirectory=packages\n"
               f"SandboxTrees=keys:/etc/pki/rpm-gpg\n[Content]\nPackages={' '.join(packages)}\n{content}")
    (made.path / "mkosi.skeleton/usr/lib/os-release").unlink()
    (made.path / "packages").mkdir()
    (made.path / "keys").mkdir()
    shutil.copy(repository.key, made.path / "keys")
    return made
