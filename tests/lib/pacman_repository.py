# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small Arch Linux: packages as makepkg writes them, repositories by repo-add, signed by a key of their own, and recipes
that are built from it."""

import contextlib
import functools
import gzip
import hashlib
import http.server
import os
import shutil
import threading
import time
from pathlib import Path

from particleos import call, need
from tiny import CONF, Tiny

TIME = 1600000000
APPLETS = ("sh", "cat", "chmod", "cp", "echo", "grep", "id", "ln", "ls", "mkdir", "mv", "rm", "sed", "sleep", "touch", "true")
FILESYSTEM = {"usr/lib/os-release": "ID=arch\nNAME=Test\nBUILD_ID=rolling\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
              "etc/group": "root:x:0:\n"}
DIRECTORIES = {"usr/bin": 0o755, "usr/lib": 0o755, "etc": 0o755, "var/lib": 0o755, "root": 0o700, "tmp": 0o1777, "proc": 0o555,
               "sys": 0o555, "dev": 0o755, "run": 0o755, "boot": 0o755, "var/tmp": 0o1777, "usr/share": 0o755, "usr/local": 0o755}
HOOK_DIRECTORY = "usr/share/libalpm/hooks"
MERGED = {"bin": "usr/bin", "sbin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib", "usr/sbin": "bin"}


class _Server(http.server.SimpleHTTPRequestHandler):
    """ANSWER (path → None, or bytes that are sent instead) may change what is served, ASKED collects the paths."""

    def __init__(self, *arguments, answer=None, asked=None, **options):
        self.answer = answer
        self.asked = asked
        super().__init__(*arguments, **options)

    def do_GET(self):
        if self.asked is not None:
            self.asked.append(self.path)
        changed = self.answer(self.path) if self.answer else None
        if changed is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(changed)))
        self.end_headers()
        self.wfile.write(changed)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(directory, answer=None, asked=None):
    """DIRECTORY on the loopback interface: its address."""
    handler = functools.partial(_Server, directory=str(directory), answer=answer, asked=asked)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class PacmanRepository:
    """Packages and databases in DIRECTORY/REPO/os/x86_64, as on a mirror of Arch; the keyring in DIRECTORY/keyrings."""

    def __init__(self, directory, base=True):
        need("pacman", "pacman-key", "repo-add", "bsdtar", "zstd", "gpg", "busybox")
        self.path = Path(directory)
        self.home = self.path / "gnupg"
        self.home.mkdir(mode=0o700, parents=True)
        self.keyrings = self.path / "keyrings"
        self.keyrings.mkdir()
        self.repositories = {}
        self.today = int(time.time())
        self.new_key("Archive")
        self.write_keyring("test", "Archive")
        if base:
            self.package("filesystem", FILESYSTEM, directories=DIRECTORIES, links=MERGED, backup=["etc/passwd", "etc/group"])
            self.package("busybox", {"usr/bin/busybox": Path(shutil.which("busybox"))}, provides=["sh"],
                         links={f"usr/bin/{x}": "busybox" for x in APPLETS})

    def gpg(self, *arguments, **options):
        return call("gpg", "--homedir", self.home, "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback",
                    *arguments, **options)

    def new_key(self, name):
        self.gpg("--quick-generate-key", name, "rsa2048", "sign", "never")

    def fingerprint(self, name):
        lines = self.gpg("--with-colons", "--list-keys", name).stdout.splitlines()
        return next(x.split(":")[9] for x in lines if x.startswith("fpr:"))

    def write_keyring(self, keyring, *names, directory=None):
        """KEYRING.gpg with the keys NAMES, which are trusted."""
        where = Path(directory or self.keyrings)
        where.mkdir(parents=True, exist_ok=True)
        (where / f"{keyring}.gpg").write_bytes(self.gpg("--export", *names, text=False, errors=None).stdout)
        (where / f"{keyring}-trusted").write_text("".join(f"{self.fingerprint(x)}:4:\n" for x in names))
        (where / f"{keyring}-revoked").write_text("")

    def directory(self, repository):
        made = self.path / repository / "os/x86_64"
        made.mkdir(parents=True, exist_ok=True)
        return made

    def package(self, name, files=None, version="1-1", repository="core", directory=None, sign="Archive", install=None,
                directories=None, links=None, base=None, hooks=None, architecture="x86_64", modes=None, **fields):
        """Makes NAME-VERSION-ARCHITECTURE.pkg.tar.zst and its signature. FILES and LINKS: path to content (or a file to copy)
        and text; INSTALL: the scriptlets; HOOKS: name to text; FIELDS of .PKGINFO: depends, optdepends, provides, conflicts,
        replaces, groups, backup: lists."""
        tree = self.path / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        tree.chmod(0o755)
        for path, mode in (directories or {}).items():
            (tree / path).mkdir(parents=True, exist_ok=True)
            (tree / path).chmod(mode)
        hooked = {f"{HOOK_DIRECTORY}/{x}.hook": y for x, y in (hooks or {}).items()}
        for path, content in {**(files or {}), **hooked}.items():
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copy(content, target)
            else:
                target.write_text(content)
            target.chmod((modes or {}).get(path, 0o755 if "/bin/" in path else 0o644))
        for path, text in (links or {}).items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).symlink_to(text)
        if install:
            (tree / ".INSTALL").write_text(install)
        return self.pack(tree, name, version, repository, directory, sign, architecture, base, fields)

    def pack(self, tree, name, version, repository, directory, sign, architecture, base, fields):
        """TREE becomes a package, as makepkg does it."""
        size = sum(x.lstat().st_size for x in tree.rglob("*") if x.is_file() and not x.is_symlink())
        info = {"pkgname": name, "pkgbase": base or name, "xdata": "pkgtype=pkg", "pkgver": version, "pkgdesc": name,
                "url": "https://example.com/", "builddate": fields.pop("builddate", self.today), "packager": "nobody <nobody@example.com>",
                "size": size, "arch": architecture, "license": "custom"}
        singular = {"depends": "depend", "optdepends": "optdepend", "conflicts": "conflict", "groups": "group",
                    "replaces": "replaces", "provides": "provides", "backup": "backup"}
        lines = [f"{key} = {value}" for key, value in info.items()]
        for key, values in fields.items():
            lines += [f"{singular[key]} = {value}" for value in values]
        (tree / ".PKGINFO").write_text("\n".join(lines) + "\n")
        for path in [tree, *tree.rglob("*")]:
            os.utime(path, (TIME, TIME), follow_symlinks=False)
        dotted = [x for x in (".PKGINFO", ".INSTALL") if (tree / x).exists()]
        plain = sorted(x.name for x in tree.iterdir() if not x.name.startswith("."))
        mtree = call("bsdtar", "-cf", "-", "--format=mtree", "--uid", "0", "--gid", "0", "--options",
                     "!all,use-set,type,uid,gid,mode,time,size,md5,sha256,link", *dotted, *plain, cwd=tree, text=False, errors=None).stdout
        (tree / ".MTREE").write_bytes(gzip.compress(mtree, mtime=0))
        os.utime(tree / ".MTREE", (TIME, TIME))
        where = Path(directory) if directory else self.directory(repository)
        made = where / f"{name}-{version}-{architecture}.pkg.tar.zst"
        made.unlink(missing_ok=True)
        archive = call("bsdtar", "--uid", "0", "--gid", "0", "--uname", "root", "--gname", "root", "-cf", "-", ".MTREE",
                       *dotted, *plain, cwd=tree, text=False, errors=None).stdout
        call("zstd", "-q", "-1", "-o", made, input=archive, text=False, errors=None)
        shutil.rmtree(tree)
        if sign:
            self.sign(made, sign)
        if not directory:
            self.repositories.setdefault(repository, {})[name] = made
        return made

    def sign(self, path, key="Archive"):
        signature = Path(f"{path}.sig")
        signature.unlink(missing_ok=True)
        self.gpg("--local-user", key, "--output", signature, "--detach-sign", path)

    def withdraw(self, name, repository="core"):
        self.repositories[repository].pop(name)

    def publish(self, sign=None, embed=False):
        """Writes the databases. SIGN: the key that signs them, too; EMBED: they hold the signatures of packages, as Arch's did
        until pacman 6.1."""
        for repository in {"core", "extra", *self.repositories}:
            packages = self.repositories.get(repository, {})
            where = self.directory(repository)
            for old in where.glob(f"{repository}.*"):
                old.unlink()
            signatures = [] if embed else [Path(f"{x}.sig") for x in packages.values() if Path(f"{x}.sig").exists()]
            for signature in signatures:
                signature.rename(f"{signature}.away")
            call("repo-add", "--quiet", f"{repository}.db.tar.gz", *[x.name for x in packages.values()], cwd=where)
            for signature in signatures:
                Path(f"{signature}.away").rename(signature)
            if sign:
                self.sign(where / f"{repository}.db", sign)

    def digest(self, name, repository="core"):
        return hashlib.sha256(self.repositories[repository][name].read_bytes()).hexdigest()

    def served(self, answer=None, asked=None):
        return served(self.path, answer, asked)

    def close(self):
        call("gpgconf", "--homedir", self.home, "--kill", "all", status=None)


def recipe(name, repository, url, *packages, more=""):
    """A recipe that installs PACKAGES from the mirror at URL."""
    made = Tiny(name)
    made.write("mkosi.conf", CONF.replace("Distribution=custom\nRelease=trixie", f"Distribution=arch\nMirror={url}")
               .replace("Format=disk", "Format=directory")
               + "PackageCacheDirectory=packages\nSandboxTrees=keyrings:/usr/share/pacman/keyrings\n"
               f"[Content]\nPackages={' '.join(packages)}\n{more}")
    (made.path / "mkosi.skeleton/usr/lib/os-release").unlink()
    shutil.rmtree(made.path / "mkosi.skeleton")
    (made.path / "packages").mkdir()
    shutil.copytree(repository.keyrings, made.path / "keyrings")
    return made
