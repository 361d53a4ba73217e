# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every driver with rpm does, judged by rpm and the package manager itself: register() makes tests of it."""

import hashlib
import json
import os
import re
import shutil
import time
from pathlib import Path

from particleos import EPOCH, PROGRAM, call, environment, fresh, need_root
from rpms import RpmRepository, recipe
from tap import test
from users import need_user, open_to_user, particleos_as

DATABASE = "/usr/lib/sysimage/rpm"
STEALS = """
ls -d /proc/[0-9]*/root/run/packages/archives/* > /usr/share/steals-saw
for root in /proc/[0-9]*/root /proc/self/cwd; do
    for file in $root/run/packages/archives/* $root/run/packages/*/repodata/* $root/run/packages/*.solv; do
        [ -e "$file" ] && { echo evil >>"$file"; rm -f "$file"; echo x >"$file"; }
    done
done 2>/run/said
true
"""


def fill(archive):
    """Packages in the forms that families with rpm use."""
    archive.package("hello", {"usr/share/hello": "hi\n", "usr/share/doc/hello/README": "read me\n", "etc/hello.conf": "a=1\n"},
                    docs=["usr/share/doc/hello/README"], config=["etc/hello.conf"], requires=["libx >= 1"], recommends=["weak"],
                    scripts={"post": "cat /usr/lib64/libx > /usr/share/hello-posted"}, provides=["greeting(world) = 3"])
    archive.package("libx", {"usr/lib64/libx": "release candidate\n"}, version="1~rc1")
    archive.package("libx", {"usr/lib64/libx": "one\n"}, version="1")
    archive.package("weak", {"usr/share/weak": "x\n"}, arch="noarch")
    archive.package("old-epoch", {"usr/share/epoch": "high version\n"}, version="9")
    archive.package("old-epoch", {"usr/share/epoch": "high epoch\n"}, version="1", epoch=2)
    archive.package("cat-a", {"usr/share/a": "a\n"}, conflicts=["cat-b"], arch="noarch")
    archive.package("cat-b", {"usr/share/b": "b\n"}, arch="noarch")
    archive.package("renamed", {"usr/share/renamed": "new\n"}, obsoletes=["former < 2"], provides=["former = 2"], arch="noarch")
    archive.package("former", {"usr/share/former": "old\n"}, arch="noarch")
    archive.package("needs-nothing-that-is", requires=["no-such-thing"], arch="noarch")
    archive.package("bad-pre", {"usr/share/bad": "x\n"}, scripts={"pre": "echo because the moon is full; exit 3"})
    archive.package("bad-post", {"usr/share/bad-post": "x\n"}, scripts={"post": "echo because it rains; exit 4"})
    archive.package("watcher", arch="noarch", requires=["shell"], scripts={
        "transfiletriggerin -- /usr/share/watched": "cat > /usr/share/watcher-saw"})
    archive.package("watched", {"usr/share/watched/file": "x\n"}, arch="noarch")
    archive.package("scripts", {"usr/share/scripts": "x\n"}, requires=["shell"], arch="noarch", scripts={
        "pre": "[ ! -e /usr/share/scripts ] && echo pre > /usr/share/scripts-order",
        "post": "[ -e /usr/share/scripts ] && echo post >> /usr/share/scripts-order",
        "posttrans": "echo posttrans >> /usr/share/scripts-order"})
    archive.package("asks", arch="noarch", scripts={"post": "env > /usr/share/asked; ls -d /proc/self/fd /dev/null >> /usr/share/asked"})
    archive.package("steals", arch="noarch", scripts={"post": STEALS})
    archive.package("same", {"usr/share/same": "from the repository\n"}, arch="noarch")
    archive.package("random", {"usr/share/random/x": "x\n"}, arch="noarch", scripts={
        "post": "mkdir -p /usr/share/made && echo made > /usr/share/made/file"})
    archive.package("group-must", arch="noarch")
    archive.package("group-default", arch="noarch")
    archive.package("group-maybe", arch="noarch")
    archive.group("tools", ["group-must"], ["group-default"], ["group-maybe"])
    archive.publish()


class Cases:
    """ARCHIVE, and how builds from it are judged."""

    def __init__(self, archive, prefix):
        self.archive = archive
        self.prefix = prefix

    # Signed metadata vouches for the digests of packages, whose own signatures are not looked at.
    trusts_metadata = False
    # While scripts run, a process is there whose root directory has the cache.
    reaches_cache = False

    def recipe(self, name, url, *packages, **more):
        return recipe(f"{self.prefix}-{name}", more.pop("archive", self.archive), url, *packages, **more)

    def build(self, name, *packages, options=(), content="", status=0, prepare=None, archive=None):
        """The recipe after a build, and what the build said."""
        archive = archive or self.archive
        with archive.served() as url:
            made = self.recipe(name, url, *packages, content=content, archive=archive)
            if prepare:
                prepare(made)
            said = self.again(made, *options, status=status)
        return made, said

    def again(self, made, *options, status=0):
        return made.build("--package-cache-dir", made.path / "packages", *options, status=status).stderr

    def fails(self, name, *packages, **more):
        made, said = self.build(name, *packages, status=1, **more)
        made.remove()
        assert "error: " in said, said
        return said[said.index("error: "):]

    def rpm(self, made, *arguments, status=0):
        return call("rpm", "--root", root(made), "--dbpath", DATABASE, *arguments, status=status,
                    env=environment(RPM_FORCE_DEBIAN="1")).stdout

    def names(self, made):
        return {x for x in self.rpm(made, "-qa", "--qf", "%{NAME}\n").split() if x != "gpg-pubkey"}

    def verify(self, made):
        """rpm finds all files as packages brought them, and no relation that is not met."""
        wrong = [x for x in self.rpm(made, "-Va", "--nomtime", status=None).splitlines() if not x.endswith("/etc/passwd")]
        assert not wrong, wrong


def root(made):
    return made.output / "tiny"


def says(message, *patterns):
    for pattern in patterns:
        assert re.search(pattern, message, re.S), f"no {pattern!r} in:\n{message}"


def digest_of_tree(top):
    """Over names, modes, owners, times and contents."""
    digest = hashlib.sha256()
    for path in sorted(Path(top).rglob("*")):
        info = path.lstat()
        digest.update(f"{path.relative_to(top)} {info.st_mode} {info.st_uid} {info.st_gid} {int(info.st_mtime)}\n".encode())
        if path.is_symlink():
            digest.update(os.readlink(path).encode())
        elif path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def package_file(made, name):
    return next((made.path / "packages").rglob(f"archives/{name}-*.rpm"))


def cached(made, pattern):
    return [x for x in (made.path / "packages").rglob(pattern) if x.is_file() and not x.is_symlink()]


def spoil(path, keep_times=False):
    """Other content of the same size."""
    info = path.stat()
    data = bytearray(path.read_bytes())
    data[-20:] = bytes(20)
    path.write_bytes(data)
    if keep_times:
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def register_installing(cases):
    @test("an image without packages has the base, and rpm finds nothing wrong with it")
    def _():
        made, _ = cases.build("base")
        assert {"filesystem"} <= cases.names(made) <= {"filesystem", "shell", "basesystem", "openSUSE-release"}, cases.names(made)
        cases.verify(made)
        made.remove()

    @test("packages come with what they need, in an order in which scripts find it")
    def _():
        made, _ = cases.build("install", "hello")
        assert {"hello", "libx"} <= cases.names(made)
        assert (root(made) / "usr/share/hello-posted").read_text() == "one\n"
        cases.verify(made)
        made.remove()

    @test("the package manager finds the finished image whole")
    def _():
        made, _ = cases.build("check", "hello", "watcher", "scripts")
        cases.check(made)
        made.remove()

    @test("scripts run before, after, and at the end, and triggers for files of others")
    def _():
        made, _ = cases.build("scripts", "scripts", "watcher", "watched")
        assert (root(made) / "usr/share/scripts-order").read_text() == "pre\npost\nposttrans\n"
        assert "/usr/share/watched/file" in (root(made) / "usr/share/watcher-saw").read_text()
        made.remove()

    @test("scripts see API file systems, Environment= and no generator of initramfs")
    def _():
        made, _ = cases.build("environment", "asks", options=("--environment=COLOUR=green",))
        seen = (root(made) / "usr/share/asked").read_text().split("\n")
        for line in ("COLOUR=green", "KERNEL_INSTALL_BYPASS=1", f"SOURCE_DATE_EPOCH={EPOCH}", "/proc/self/fd", "/dev/null"):
            assert line in seen, (line, seen)
        made.remove()

    @test("weak dependencies are left out, unless WithRecommends= wants them")
    def _():
        without, _ = cases.build("weak-no", "hello")
        with_them, _ = cases.build("weak-yes", "hello", options=("--with-recommends=yes",))
        assert "weak" not in cases.names(without) and "weak" in cases.names(with_them)
        without.remove()
        with_them.remove()

    @test("documentation is left out with WithDocs=no")
    def _():
        with_them, _ = cases.build("docs-yes", "hello", options=("--with-docs=yes",))
        without, _ = cases.build("docs-no", "hello", options=("--with-docs=no",))
        path = "usr/share/doc/hello/README"
        assert (root(with_them) / path).exists() and not (root(without) / path).exists()
        assert (root(without) / "etc/hello.conf").exists()
        with_them.remove()
        without.remove()

    @test("the newest version is chosen: 1 is newer than 1~rc1, and an epoch beats all versions")
    def _():
        made, _ = cases.build("versions", "libx", "old-epoch")
        assert (root(made) / "usr/lib64/libx").read_text() == "one\n"
        assert (root(made) / "usr/share/epoch").read_text() == "high epoch\n"
        made.remove()

    @test("an older version can be asked for")
    def _():
        made, _ = cases.build("older", cases.exact("libx", "1~rc1-1"))
        assert (root(made) / "usr/lib64/libx").read_text() == "release candidate\n"
        made.remove()

    @test("a package is found by what it provides")
    def _():
        made, _ = cases.build("provides", "greeting(world)")
        assert "hello" in cases.names(made)
        made.remove()

    @test("an image of packages is made twice with the same bytes, the database of packages included")
    def _():
        first, _ = cases.build("twice-1", "hello", "random", "watcher", "watched")
        time.sleep(1.1)
        second, _ = cases.build("twice-2", "hello", "random", "watcher", "watched")
        assert (root(first) / DATABASE[1:]).exists()
        for path in sorted(root(first).rglob("*")):
            other = root(second) / path.relative_to(root(first))
            assert not path.is_file() or path.is_symlink() or path.read_bytes() == other.read_bytes(), path
        assert digest_of_tree(root(first)) == digest_of_tree(root(second))
        when = cases.rpm(first, "-q", "hello", "--qf", "%{INSTALLTIME} %{INSTALLTID}")
        assert when == f"{EPOCH} {EPOCH}", when
        first.remove()
        second.remove()

    @test("the database can be read where nobody can write")
    def _():
        made, _ = cases.build("read-only", "hello")
        need_root()
        script = f"mount --bind {root(made)} {root(made)} && mount -o remount,bind,ro {root(made)} && rpm --root {root(made)} " \
                 f"--dbpath {DATABASE} -q hello"
        said = call("unshare", "-m", "sh", "-c", script, env=environment(RPM_FORCE_DEBIAN="1")).stdout
        assert said.startswith("hello-1-1"), said
        made.remove()

    @test("an ordinary user makes the same tree as root")
    def _():
        need_root()
        user = need_user()
        as_root, _ = cases.build("by-root", "hello")
        with cases.archive.served() as url:
            made = cases.recipe("by-user", url, "hello")
            open_to_user(made.path, user)
            particleos_as(user, "-C", made.path, "--package-cache-dir", made.path / "packages", "--force", "build",
                          cwd=made.path, env={"SOURCE_DATE_EPOCH": EPOCH})
        assert cases.names(made) == cases.names(as_root)
        ours, theirs = ({str(x.relative_to(root(m))) for x in root(m).rglob("*")} for m in (made, as_root))
        assert ours == theirs, ours ^ theirs
        made.remove()
        as_root.remove()


def register_failing(cases):
    @test("a package that no repository has is named, with advice")
    def _():
        says(cases.fails("missing", "hello", "nosuchpackage"), "nosuchpackage", "Check the names in Packages=")

    @test("a dependency that nobody provides is named")
    def _():
        says(cases.fails("unmet", "needs-nothing-that-is"), "needs-nothing-that-is", "no-such-thing")

    @test("packages that exclude each other are both named")
    def _():
        says(cases.fails("conflict", "cat-a", "cat-b"), "cat-a", "cat-b")

    @test("a script that ends an installation is named with what it said")
    def _():
        says(cases.fails("bad-pre", "bad-pre"), r"Cannot install packages", r"because the moon is full", r"%pre(in)?\(bad-pre-1-1",
             "exit status 3")

    @test("a script that fails after the installation is a warning with what it said")
    def _():
        made, said = cases.build("bad-post", "bad-post")
        says(said, "warning: ", "because it rains", r"%post\(bad-post-1-1.x86_64\) scriptlet failed, exit status 4")
        assert "bad-post" in cases.names(made)
        made.remove()

    @test("a mirror that cannot be reached is named, with advice")
    def _():
        made = cases.recipe("unreachable", "http://127.0.0.1:9", "hello")
        said = cases.again(made, status=1)
        made.remove()
        says(said, "Cannot fetch repository metadata", "127.0.0.1", "Check the network")

    @test("a mirror without such a repository is named, with advice")
    def _():
        with cases.archive.served() as url:
            made = cases.recipe("nowhere", f"{url}/nowhere", "hello")
            said = cases.again(made, status=1)
        made.remove()
        says(said, "Cannot fetch repository metadata", "nowhere", "404|not found", "Mirror=")

    @test("settings that the family does not know are errors that say what to do")
    def _():
        with cases.archive.served() as url:
            made = cases.recipe("snapshot-wrong", url, "hello")
            said = cases.again(made, *cases.wrong_snapshot, status=1)
            made.remove()
        says(said, "error: .*[Ss]napshot", cases.wrong_snapshot_said)


def register_trust(cases):
    def other(name, **options):
        archive = RpmRepository(fresh(f"{cases.prefix}-{name}-archive"), cases.archive.distribution)
        archive.package("plain", {"usr/share/plain": "x\n"}, arch="noarch", **options)
        return archive

    @test("what nobody signed is refused; RepositoryKeyCheck=no takes it")
    def _():
        archive = other("unsigned", sign=False)
        archive.publish(sign=not cases.trusts_metadata)
        says(cases.fails("unsigned", "plain", archive=archive), "not signed|signature|Signature|unsigned")
        made, _ = cases.build("unsigned-taken", "plain", archive=archive, options=("--repository-key-check=no",))
        assert "plain" in cases.names(made)
        made.remove()
        archive.close()

    @test("what a stranger signed is refused")
    def _():
        archive = other("stranger", sign=False)
        stranger = RpmRepository(fresh(f"{cases.prefix}-stranger"), cases.archive.distribution, base=False)
        stranger.sign(next(archive.path.glob("plain*.rpm")))
        archive.publish(sign=False)
        if cases.trusts_metadata:
            stranger.gpg("--yes", "--armor", "--detach-sign", archive.path / "repodata/repomd.xml")
        says(cases.fails("stranger", "plain", archive=archive), "key|ignature")
        archive.close()
        stranger.close()

    @test("a package that is not what the list of the repository says is refused")
    def _():
        archive = other("changed")
        archive.publish()
        spoil(next(archive.path.glob("plain*.rpm")))
        says(cases.fails("changed", "plain", archive=archive), "plain", "hecksum|digest|integrity|try again|corrupt")
        archive.close()

    @test("a key that is nowhere is an error that says where it is looked for")
    def _():
        def prepare(made):
            shutil.rmtree(made.path / "keys")
            (made.path / "keys").mkdir()
        says(cases.fails("keyless", "hello", prepare=prepare), "no key RPM-GPG-KEY", "SandboxTrees=", "RepositoryKeyFetch=")

    @test("the key of the repository is in the database of the image, and no other")
    def _():
        made, _ = cases.build("key", "hello")
        keys = cases.rpm(made, "-q", "gpg-pubkey", "--qf", "%{PACKAGER}\n", status=None).split("\n")
        assert keys in (["Archive <archive@example.com>", ""], ["package gpg-pubkey is not installed", ""]), keys
        made.remove()


def register_cache(cases):
    def prepared(name, *packages):
        """A recipe that was built, the server that it was built from still there: for 'with'."""
        return cases.archive.served(), name, packages

    def in_cache(name, act, *packages, options=()):
        """Builds, lets ACT change the cache, builds again: the recipe and what the second build said."""
        served, name, packages = prepared(name, *packages)
        with served as url:
            made = cases.recipe(name, url, *packages)
            cases.again(made)
            act(made)
            said = cases.again(made, *options)
        return made, said

    @test("a package in the cache that was changed is named, removed and downloaded again")
    def _():
        made, said = in_cache("poison", lambda made: spoil(package_file(made, "hello")), "hello")
        says(said, "hello-1-1.x86_64.rpm is not the package that the index")
        assert (root(made) / "usr/share/hello").read_text() == "hi\n"
        made.remove()

    @test("a package of the same size and times is found out, too")
    def _():
        made, said = in_cache("poison-times", lambda made: spoil(package_file(made, "hello"), keep_times=True), "hello")
        says(said, "hello-1-1.x86_64.rpm is not the package that the index")
        made.remove()

    @test("metadata in the cache that was changed is fetched again")
    def _():
        made, said = in_cache("poison-list", lambda made: spoil(cached(made, "*primary.xml*")[0], keep_times=True), "hello",
                              options=("--cache-only=auto", "--incremental=yes"))
        says(said, "primary.xml.* is not what was verified")
        assert "hello" in cases.names(made)
        made.remove()

    @test("what the solver made of metadata is not believed when it was changed")
    def _():
        made, said = in_cache("poison-solv", lambda made: [spoil(x, True) for x in cached(made, "*solv*")], "hello",
                              options=("--incremental=yes",))
        says(said, r"solv\S* is not what was verified")
        made.remove()

    @test("changed metadata is an error where nothing may be fetched")
    def _():
        with cases.archive.served() as url:
            made = cases.recipe("poison-offline", url, "hello")
            cases.again(made)
            spoil(cached(made, "repomd.xml")[0], keep_times=True)
            said = cases.again(made, "--cache-only=always", status=1)
        says(said, "repomd.xml is not what was verified", "CacheOnly=")
        made.remove()

    @test("scripts of packages cannot change the cache")
    def _():
        with cases.archive.served() as url:
            made = cases.recipe("steals", url, "steals", "hello")
            cases.again(made)
            saw = (root(made) / "usr/share/steals-saw").read_text()
            assert not cases.reaches_cache or "hello-1-1" in saw, "the script does not reach the cache"
            before = {x: x.read_bytes() for x in cached(made, "*") if "/archives/" in str(x) or "/metadata/" in str(x)}
            said = cases.again(made, "--cache-only=always")
        assert {x: x.read_bytes() for x in before} == before and "is not what" not in said, said
        made.remove()

    @test("everything comes from the cache with CacheOnly=always")
    def _():
        with cases.archive.served() as url:
            made = cases.recipe("offline", url, "hello")
            cases.again(made)
        cases.again(made, "--cache-only=always")
        assert "hello" in cases.names(made)
        said = cases.again(made, "--cache-only=always", "--package=weak", status=1)
        says(said, "CacheOnly=always|weak")
        made.remove()

    @test("metadata that is older than the repository leads to an error that says so, and -ff mends it")
    def _():
        archive = RpmRepository(fresh(f"{cases.prefix}-stale-archive"), cases.archive.distribution)
        first = archive.package("moves", {"usr/share/moves": "1\n"}, arch="noarch")
        archive.publish()
        with archive.served() as url:
            made = cases.recipe("stale", url, archive=archive)
            cases.again(made, "--incremental=yes")
            first.unlink()
            archive.package("moves", {"usr/share/moves": "2\n"}, arch="noarch", version="2")
            archive.publish("2")
            said = cases.again(made, "--incremental=yes", "--package=moves", status=1)
            says(said, "moves-1-1", "-ff")
            cases.again(made, "--incremental=yes", "--package=moves", "-f")
        assert (root(made) / "usr/share/moves").read_text() == "2\n"
        made.remove()
        archive.close()

    @test("a layer is used again while packages are the same, and made anew when the repository has newer ones")
    def _():
        archive = RpmRepository(fresh(f"{cases.prefix}-layers-archive"), cases.archive.distribution)
        archive.package("grows", {"usr/share/grows": "1\n"}, arch="noarch")
        archive.publish()
        with archive.served() as url:
            made = cases.recipe("layers", url, "grows", archive=archive)
            cases.again(made, "--incremental=yes")
            says(cases.again(made, "--incremental=yes"), "from the cache")
            archive.package("grows", {"usr/share/grows": "2\n"}, arch="noarch", version="2")
            archive.publish("2")
            cases.again(made, "--incremental=yes", "-f")
        assert (root(made) / "usr/share/grows").read_text() == "2\n"
        made.remove()
        archive.close()


def register_recipes(cases):
    @test("packages of PackageDirectories= need no signature and win over those of repositories")
    def _():
        def prepare(made):
            (made.path / "mine").mkdir()
            cases.archive.package("same", {"usr/share/same": "mine\n"}, version="0", sign=False, directory=made.path / "mine",
                                  arch="noarch")
            cases.archive.package("own", {"usr/share/own": "x\n"}, sign=False, directory=made.path / "mine", requires=["weak"])
        made, _ = cases.build("local", "same", "own", options=("--package-directory=mine",), prepare=prepare)
        assert (root(made) / "usr/share/same").read_text() == "mine\n"
        assert {"own", "weak"} <= cases.names(made)
        made.remove()

    @test("volatile packages are in the image and not in its layer")
    def _():
        made, _ = cases.build("volatile", "hello", options=("--volatile-package=weak", "--incremental=yes"))
        assert {"hello", "weak"} <= cases.names(made)
        layers = [x for x in (made.path / "cache").rglob("usr/share/hello")]
        assert layers and not list((made.path / "cache").rglob("usr/share/weak"))
        cases.verify(made)
        made.remove()

    @test("build packages are there for build scripts and not in the image")
    def _():
        def prepare(made):
            made.write("mkosi.build", "#!/bin/sh\nset -e\ncat /buildroot/usr/share/weak\nmkdir -p $DESTDIR/usr/share\n"
                       "echo built > $DESTDIR/usr/share/built\n", mode=0o755)
        made, _ = cases.build("build", "hello", content="BuildPackages=weak\n", prepare=prepare)
        assert "weak" not in cases.names(made) and (root(made) / "usr/share/built").read_text() == "built\n"
        made.remove()

    @test("packages are removed, with their files and their entries; what is not there does not matter")
    def _():
        made, _ = cases.build("remove", "hello", "weak", options=("--remove-package=hello", "--remove-package=never-was"))
        assert "hello" not in cases.names(made) and not (root(made) / "usr/share/hello").exists()
        assert "weak" in cases.names(made)
        cases.verify(made)
        made.remove()

    @test("the databases stay in a directory, go when they are unwanted, and stay where the image has a use for them")
    def _():
        away, _ = cases.build("clean", "hello", options=("--clean-package-metadata=yes",))
        assert not (root(away) / DATABASE[1:]).exists()
        away.remove()
        stays, _ = cases.build("keep", "hello")
        assert (root(stays) / DATABASE[1:] / "rpmdb.sqlite").exists()
        assert not list((root(stays) / "var/log").iterdir()) and not (root(stays) / "run").is_symlink()
        stays.remove()

    @test("the manifest and the changelog are those of the database")
    def _():
        made, _ = cases.build("manifest", "hello", "old-epoch", options=("--manifest-format=json,changelog",))
        manifest = json.loads((made.output / "tiny.manifest").read_text())
        listed = {(x["name"], x["version"], x["architecture"]) for x in manifest["packages"]}
        asked = {tuple(x.split("\t")) for x in cases.rpm(made, "-qa", "--qf", "%{NAME}\t%{EVR}\t%{ARCH}\n").splitlines()}
        assert listed == {x for x in asked if x[0] != "gpg-pubkey"}, listed ^ asked
        assert ("old-epoch", "2:1-1", "x86_64") in listed
        says((made.output / "tiny.changelog").read_text(), "SourcePackage: hello", r"Nobody <nobody@example.com> - 1-1", "hello was made")
        made.remove()

    @test("prepare scripts ask and install with the package manager's own programs")
    def _():
        def prepare(made):
            made.write("mkosi.prepare", f"#!/bin/sh\nset -e\n[ \"$1\" = final ] || exit 0\nrpm -q hello\nmkosi-install weak\n"
                       f"{cases.ask}\nrpm -qa | sort > /buildroot/usr/share/list\n", mode=0o755)
        made, _ = cases.build("helpers", "hello", prepare=prepare)
        assert "weak" in cases.names(made) and "weak-1-1.noarch" in (root(made) / "usr/share/list").read_text()
        made.remove()

    @test("over a base tree only what is new is installed and listed")
    def _():
        base, _ = cases.build("over-base", "libx", "shell")
        made, _ = cases.build("over", "hello", options=(f"--base-tree={root(base)}", "--manifest-format=json"))
        names = {x["name"] for x in json.loads((made.output / "tiny.manifest").read_text())["packages"]}
        assert names == {"hello"}, names
        base.remove()
        made.remove()

    @test("inputs tells the packages with digests, the repository, and the programs")
    def _():
        with cases.archive.served() as url:
            made = cases.recipe("inputs", url, "hello")
            said = call(PROGRAM, "-C", made.path, "--package-cache-dir", made.path / "packages", "--json", "inputs",
                        env=environment(SOURCE_DATE_EPOCH=EPOCH)).stdout
        for word in ("hello", hashlib.sha256((cases.archive.path / "hello-1-1.x86_64.rpm").read_bytes()).hexdigest(),
                     f"{url}/repodata/repomd.xml", "usr/bin/rpm",
                     hashlib.sha256((cases.archive.path / "repodata/repomd.xml").read_bytes()).hexdigest()):
            assert word in said, f"no {word} in {said}"
        made.remove()

    @test("what the host's package manager is told does not matter")
    def _():
        need_root()
        with cases.archive.served() as url:
            made = cases.recipe("hermetic", url, "hello")
            evil = made.path / "evil"
            for path, text in cases.evil.items():
                (evil / path).parent.mkdir(parents=True, exist_ok=True)
                (evil / path).write_text(text)
            script = "; ".join(f"mkdir -p /etc/{x.name}; mount --bind {x} /etc/{x.name}" for x in sorted(evil.iterdir()))
            command = made.command("--package-cache-dir", made.path / "packages")
            there = [Path("/etc") / x.name for x in evil.iterdir() if not (Path("/etc") / x.name).exists()]
            try:
                call("unshare", "-m", "sh", "-c", f'set -e; {script}; exec "$@"', "sh", *command,
                     env=environment(SOURCE_DATE_EPOCH=EPOCH))
            finally:
                for path in there:
                    path.rmdir()
        assert "hello" in cases.names(made)
        made.remove()


def register(cases):
    fill(cases.archive)
    register_installing(cases)
    register_failing(cases)
    register_trust(cases)
    register_cache(cases)
    register_recipes(cases)
