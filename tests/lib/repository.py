# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small archive of Debian packages, signed with a key of its own, and recipes that are built from it: packages that
misbehave, metadata that is old or changed, without a download."""

import contextlib
import functools
import http.server
import os
import shutil
import threading
import time
from pathlib import Path

from particleos import call, need
from tiny import CONF, Tiny

SUITE = "trixie"
BASE_FILES = {"usr/lib/os-release": "ID=debian\nVERSION_ID=13\nNAME=Test\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
              "etc/group": "root:x:0:\n", "var/lib/misc/.keep": "", "root/.keep": "", "tmp/.keep": ""}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """DELAY: seconds between the first bytes of a package and the others. SEEN: a list for who asked for what."""

    def __init__(self, *arguments, delay=0, seen=None, **options):
        self.delay, self.seen = delay, seen
        super().__init__(*arguments, **options)

    def copyfile(self, source, outputfile):
        if self.delay and self.path.endswith(".deb"):
            outputfile.write(source.read(100))
            time.sleep(self.delay)
        super().copyfile(source, outputfile)

    def log_request(self, *_):
        if self.seen is not None:
            self.seen.append((self.headers.get("User-Agent", ""), self.path))

    def log_message(self, *_):
        pass


class Repository:
    """Packages in DIRECTORY/pool, metadata in DIRECTORY/dists, and the key that signs it."""

    def __init__(self, directory):
        need("dpkg-deb", "apt-ftparchive", "gpg", "busybox")
        self.path = Path(directory)
        self.pool = self.path / "pool"
        self.pool.mkdir(parents=True)
        self.home = self.path / "gnupg"
        self.home.mkdir(mode=0o700)
        self.key = self.path / "key.asc"
        self.time, self.date = 0, None
        self.gpg("--quick-generate-key", "Archive", "rsa2048", "sign", "never")
        self.key.write_text(self.gpg("--armor", "--export", "Archive").stdout)
        self.package("base-files", BASE_FILES, essential=True)
        self.package("shell", {"usr/bin/busybox": Path(shutil.which("busybox"))}, essential=True,
                     links={name: "busybox" for name in ("sh", "cat", "cp", "id", "ls", "touch", "rm", "mv", "dd", "chmod")})

    def gpg(self, *arguments, **options):
        return call("gpg", "--homedir", self.home, "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback",
                    *arguments, **options)

    def package(self, name, files=None, essential=False, links=None, version="1", depends=None, scripts=None,
                conffiles=None, directory=None, architecture="amd64", fields=None):
        """Makes NAME_VERSION_amd64.deb; FILES and LINKS: paths (links: in usr/bin) to content, SCRIPTS: postinst and the
        like, FIELDS: more of its control file."""
        tree = self.path / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "DEBIAN").mkdir(parents=True)
        tree.chmod(0o755)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: nobody <nobody@example.com>\n"
        more = {"Essential": "yes" if essential else None, "Depends": depends, **(fields or {})}
        control += "".join(f"{field}: {value}\n" for field, value in more.items() if value)
        (tree / "DEBIAN/control").write_text(control + f"Description: {name}\n")
        for path, content in {**(files or {}), **{f"DEBIAN/{x}": y for x, y in (scripts or {}).items()}}.items():
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copy(content, target)
            else:
                target.write_text(content)
            target.chmod(0o755 if isinstance(content, Path) or path.startswith("DEBIAN/") else 0o644)
        for link, text in (links or {}).items():
            (tree / "usr/bin" / link).symlink_to(text)
        if conffiles:
            (tree / "DEBIAN/conffiles").write_text("".join(f"/{x}\n" for x in conffiles))
        made = Path(directory or self.pool) / f"{name}_{version}_{architecture}.deb"
        call("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, made, env={**os.environ, "SOURCE_DATE_EPOCH": "1"})
        shutil.rmtree(tree)
        return made

    def replace(self, name, version, **options):
        """The package NAME, with a file that says so, instead of all other versions of it."""
        for old in self.pool.glob(f"{name}_*"):
            old.unlink()
        self.package(name, {f"usr/share/{name}": f"{name} {version}\n", **options.pop("files", {})}, version=version, **options)

    def index(self, directory, architecture, pool, edit):
        """The list of the packages in POOL, changed by EDIT."""
        directory.mkdir(parents=True)
        text = call("apt-ftparchive", "--arch", architecture, "packages", pool, cwd=self.path).stdout
        (directory / "Packages").write_text(edit(text) if edit else text)

    def publish(self, date="Tue, 14 Nov 2023 22:13:20 UTC", valid_until=None, suites=(SUITE,), edit=None, more=(), fields=None):
        """Writes and signs the metadata. EDIT changes the list of packages; MORE: other lists (component, architecture,
        directory beside the pool); FIELDS: of the Release file."""
        for suite in suites:
            dists = self.path / "dists" / suite
            shutil.rmtree(dists, ignore_errors=True)
            self.index(dists / "main/binary-amd64", "amd64", "pool", edit)
            for component, architecture, pool in more:
                self.index(dists / component / f"binary-{architecture}", architecture, pool, None)
            listed = {"Origin": "Test", "Suite": suite, "Codename": suite,
                      "Architectures": " ".join(sorted({"amd64", *(x[1] for x in more)})),
                      "Components": " ".join(sorted({"main", *(x[0] for x in more)}, key=lambda x: x != "main")),
                      "Date": date, "Valid-Until": valid_until}
            options = [x for name, value in listed.items() if value for x in ("-o", f"APT::FTPArchive::Release::{name}={value}")]
            release = call("apt-ftparchive", *options, "release", dists).stdout
            # What apt-ftparchive adds itself is the time of now.
            lines = [x for x in release.splitlines() if not x.startswith("Date:") and not x.startswith("Valid-Until:")]
            lines[3:3] = ([f"Date: {date}"] + ([f"Valid-Until: {valid_until}"] if valid_until else [])
                          + [f"{name}: {value}" for name, value in (fields or {}).items()])
            (dists / "InRelease").write_text(self.gpg("--clearsign", input="\n".join(lines) + "\n").stdout)

    def publish_later(self, again=False, **options):
        """Publishes, ten seconds after the time before, as servers tell by the second whether a file is another one. AGAIN: with the
        date of before. It never goes back: apt keeps what is newer."""
        self.time += 10
        if not again:
            self.date = f"Tue, 14 Nov 2023 22:{self.time // 60:02}:{self.time % 60:02} UTC"
        self.publish(date=self.date, **options)
        for path in (self.path / "dists").rglob("*"):
            os.utime(path, (1700000000 + self.time, 1700000000 + self.time))

    @contextlib.contextmanager
    def served(self, delay=0, seen=None):
        """The archive on the loopback interface: its address. DELAY: seconds that each package takes; SEEN: a list for who asked
        for what."""
        handler = functools.partial(Quiet, directory=str(self.path), delay=delay, seen=seen)
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
        call("gpgconf", "--homedir", self.home, "--kill", "all", status=None)


def recipe(name, repository, url, *packages):
    """A recipe that installs PACKAGES from the archive at URL."""
    made = Tiny(name)
    made.write("mkosi.conf", CONF.replace("Distribution=custom", "Distribution=debian").replace("Format=disk", "Format=directory")
               + f"PackageCacheDirectory=packages\nSandboxTrees=apt:/etc/apt\n[Content]\nPackages={' '.join(packages)}\n")
    (made.path / "mkosi.skeleton/usr/lib/os-release").unlink()
    (made.path / "packages").mkdir()
    sources(made, repository, url)
    return made


def sources(made, repository, url, suites=(SUITE,)):
    """Says where the packages of the recipe come from."""
    key = "".join(f" {line or '.'}\n" for line in repository.key.read_text().splitlines())
    made.write("apt/sources.list.d/mkosi.sources", f"Types: deb\nURIs: {url}\nSuites: {' '.join(suites)}\nComponents: main\n"
               f"Signed-By:\n{key}")
