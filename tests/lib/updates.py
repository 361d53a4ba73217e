# SPDX-License-Identifier: LGPL-2.1-or-later
"""Versions of a small system, a machine that runs one of them, and a web server that publishes others."""

import contextlib
import functools
import hashlib
import http.server
import json
import os
import random
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import particleos as lib
from disks import TYPES
from particleos import call, environment, fresh
from tiny import CONF, Tiny

PROGRAM = lib.PROGRAM.parent.parent / "update/program/particleos-update"
MiB = 1 << 20
# Slots that a machine has two of: type, size, end of the label.
SLOTS = {"usr-verity-sig": (64 << 10, "_verity_sig"), "usr-verity": (1 * MiB, "_verity"), "usr": (24 * MiB, "")}
# How much is in a version: files of /usr, and bytes of a UKI. A test may make it less before it uses anything.
FILES = 200
UKI_SIZE = 3 * MiB
GUIDS = {word: guid for guid, word in TYPES.items()}
READ_ONLY = 1 << 60
DEFINITIONS = {
    "10-usr.conf": "Type=usr\nLabel=%M_%A\nFormat=erofs\nCompression=zstd\nCopyFiles=/usr:/\nVerity=data\nVerityMatchKey=usr\n"
                   "Minimize=best\nSplitName=%t.%U\nAddValidateFS=no\n",
    "11-verity.conf": "Type=usr-verity\nLabel=%M_%A_verity\nVerity=hash\nVerityMatchKey=usr\nSizeMinBytes=1M\n"
                      "SizeMaxBytes=1M\nSplitName=%t.%U\n",
    "12-sig.conf": "Type=usr-verity-sig\nLabel=%M_%A_verity_sig\nVerity=signature\nVerityMatchKey=usr\nSplitName=%t\n"}


def noise(seed, size):
    return random.Random(seed).randbytes(size)


# What is in a version; a test may have others before it uses anything.
def file_content(variant, number, last):
    return noise(f"{variant}{number} {last}", 65536 + number * 16)


def file_name(number):
    return f"file-{number:03}"


def uki_content(version):
    return noise(f"uki {version}", UKI_SIZE)


# Of this test program alone: others may run at the same time.
NAME = f"updates-{Path(sys.argv[0]).name}"


@functools.cache
def home():
    """Keys and versions that all tests of a run share."""
    path = fresh(NAME)
    lib.particleos("-C", path, "genkey")
    for name in ("vendor", "stranger"):
        gpg(name, "--quick-gen-key", f"{name}@example.com", "rsa2048", "sign", "never")
    return path


def gpg(name, *arguments):
    directory = lib.WORK / NAME / f"gnupg-{name}"
    directory.mkdir(mode=0o700, exist_ok=True)
    result = subprocess.run(["gpg", "--homedir", str(directory), "--batch", "--quiet", "--pinentry-mode", "loopback",
                             "--passphrase", "", *map(str, arguments)], check=True, capture_output=True).stdout
    subprocess.run(["gpgconf", "--homedir", str(directory), "--kill", "all"], capture_output=True)
    return result


@functools.cache
def release(version, variant=""):
    """The directory of what is published of VERSION: three raw files, a UKI, no manifest. From one version to the next some
    files of /usr change; VARIANT changes all."""
    home()
    recipe = Tiny(f"{NAME}/recipe-{version}{variant}")
    for key in ("mkosi.key", "mkosi.crt"):
        shutil.copy2(home() / key, recipe.path)
    recipe.write("mkosi.conf", CONF.replace("Output=tiny\n", "Output=OS_%v_x86-64\nImageId=OS\nSplitArtifacts=partitions\n") +
                 "[Validation]\nVerity=signed\nVerityKey=mkosi.key\nVerityCertificate=mkosi.crt\n")
    shutil.rmtree(recipe.path / "mkosi.repart")
    for name, text in DEFINITIONS.items():
        recipe.write(f"mkosi.repart/{name}", f"[Partition]\n{text}")
    files = recipe.path / "mkosi.skeleton/usr/lib/files"
    files.mkdir(parents=True)
    minor = int(version.split(".")[1])
    for number in range(FILES):
        # Every version changes five files, which stay so.
        last = max((v for v in range(2, minor + 1) if v * 37 % FILES <= number < v * 37 % FILES + 5), default=1)
        (files / file_name(number)).write_bytes(file_content(variant, number, last))
    recipe.write("mkosi.skeleton/usr/lib/os-release", f"ID=test\nIMAGE_ID=OS\nIMAGE_VERSION={version}\n")
    recipe.build("--image-version", version)
    path = home() / f"release-{version}{variant}"
    path.mkdir()
    for file in recipe.output.glob("OS_*-x86-64*.raw"):
        shutil.copyfile(file, path / file.name)
    (path / f"OS_{version}_x86-64.efi").write_bytes(uki_content(version))
    assert len(list(path.iterdir())) == 4, sorted(x.name for x in recipe.output.iterdir())
    shutil.rmtree(recipe.path)
    return path


def publish(target, *versions, key="vendor", extra=(), variant=""):
    """VERSIONS in the directory TARGET, with a signed manifest."""
    target.mkdir(parents=True, exist_ok=True)
    for version in versions:
        for file in (release(version, variant) if variant else release(version)).iterdir():
            os.link(file, target / file.name)
    for name in extra:
        (target / name).write_bytes(b"")
    sign(target, key)
    return target


def sign(target, key="vendor"):
    """A manifest of what is in TARGET now."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()} *{path.name}\n"
             for path in sorted(target.iterdir()) if not path.name.startswith("SHA256SUMS")]
    (target / "SHA256SUMS").write_text("".join(lines))
    resign(target, key)


def resign(target, key="vendor"):
    (target / "SHA256SUMS.gpg").unlink(missing_ok=True)
    gpg(key, "--output", target / "SHA256SUMS.gpg", "--detach-sign", target / "SHA256SUMS")


def split_file(directory, version, kind):
    """The file for a slot of KIND."""
    return next(path for path in directory.glob(f"OS_{version}_x86-64.usr-*")
                if path.name.split(".usr-x86-64", 1)[1].startswith({"usr": ".", "usr-verity": "-verity.",
                                                                     "usr-verity-sig": "-verity-sig."}[kind]))


def uuid_of(path):
    return str(uuid.UUID(path.name.split(".")[-2]))


class Machine:
    """A disk with two sets of slots, the first with VERSION, and a directory that stands for the ESP."""

    def __init__(self, name, version="0.1", url="http://127.0.0.1:1", first_lba=2048):
        home()
        self.path = fresh(name)
        self.disk, self.root, self.boot = self.path / "disk.raw", self.path / "root", self.path / "esp"
        self.ukis = self.boot / "EFI/Linux"
        self.definitions = self.root / "usr/lib/sysupdate.d"
        for path in (self.root / "etc/systemd", self.definitions, self.ukis):
            path.mkdir(parents=True)
        (self.root / "etc/systemd/import-pubring.gpg").write_bytes(gpg("vendor", "--export"))
        self.runs(version)
        self.point_to(url)
        self.partition(version, first_lba)
        (self.ukis / f"OS_{version}_x86-64.efi").write_bytes((release(version) / f"OS_{version}_x86-64.efi").read_bytes())

    def runs(self, version):
        (self.root / "etc/os-release").write_text(f"ID=test\nIMAGE_ID=OS\nIMAGE_VERSION={version}\n")

    def point_to(self, url):
        """The transfer files of our recipe, with another source."""
        for path in (lib.RECIPE / "mkosi.extra/usr/lib/sysupdate.d").iterdir():
            text = path.read_text().replace("Type=regular-file\nPath=/var/lib/particleos/updates",
                                            f"Type=url-file\nPath={url}")
            (self.definitions / path.name).write_text(text)

    def partition(self, version, first_lba):
        start, lines = max(first_lba, 2048), [f"label: gpt\nfirst-lba: {first_lba}\n"]
        directory = release(version)
        for full in (True, False):
            for kind, (size, end) in SLOTS.items():
                name = f"OS_{version}{end}" if full else "_empty"
                line = f"start={start}, size={size // 512}, type={GUIDS[kind]}, name=\"{name}\", attrs=\"GUID:60\""
                if full and kind != "usr-verity-sig":
                    line += f", uuid={uuid_of(split_file(directory, version, kind))}"
                lines.append(line + "\n")
                start += -(-size // MiB) * MiB // 512
        with open(self.disk, "wb") as file:
            file.truncate((start + 2048) * 512)
        call("sfdisk", "--quiet", self.disk, input="".join(lines))
        for slot in self.slots():
            if slot["name"] != "_empty":
                with open(self.disk, "r+b") as file:
                    file.seek(slot["start"])
                    file.write(split_file(directory, version, slot["kind"]).read_bytes())

    def slots(self):
        table = json.loads(call("sfdisk", "--json", self.disk).stdout)["partitiontable"]
        return [{"kind": TYPES.get(p["type"].lower(), p["type"].lower()), "name": p.get("name", ""), "uuid": p["uuid"].lower(),
                 "start": p["start"] * 512, "size": p["size"] * 512, "attrs": p.get("attrs", "")} for p in table["partitions"]]

    def slot(self, name):
        return next(slot for slot in self.slots() if slot["name"] == name)

    def read(self, slot, size=None):
        with open(self.disk, "rb") as file:
            file.seek(slot["start"])
            return file.read(size or slot["size"])

    def write(self, slot, data, offset=0):
        with open(self.disk, "r+b") as file:
            file.seek(slot["start"] + offset)
            file.write(data)

    def command(self, *arguments):
        return [PROGRAM, f"--root={self.root}", f"--image={self.disk}", f"--boot-path={self.boot}", *arguments]

    def update(self, *arguments, status=0, **options):
        options.setdefault("timeout", 120)
        options.setdefault("env", environment(http_proxy=None, https_proxy=None, no_proxy="*"))
        return call(*self.command(*arguments), status=status, **options)

    def json(self, *arguments, status=0):
        return json.loads(self.update("--json", *arguments, status=status).stdout)

    def state(self):
        """All that counts: the table, and what lies in slots that have a name; files of the ESP."""
        slots = [(slot["kind"], slot["name"], slot["uuid"], slot["attrs"],
                  "" if slot["name"] == "_empty" else hashlib.sha256(self.read(slot)).hexdigest()) for slot in self.slots()]
        files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(self.ukis.iterdir())
                 if path.name.endswith(".efi") and not path.name.startswith(".")}
        return slots, files

    def assert_has(self, version, tries="+3-0", directory=None):
        """VERSION is here, whole, by the word of others: sfdisk, sha256, veritysetup."""
        directory = directory or release(version)
        for kind, (_, end) in SLOTS.items():
            slot, source = self.slot(f"OS_{version}{end}"), split_file(directory, version, kind)
            assert slot["kind"] == kind and slot["attrs"] == "GUID:60", slot
            content = source.read_bytes()
            assert self.read(slot, len(content)) == content, f"{slot['name']} is not {source.name}"
            if kind != "usr-verity-sig":
                assert slot["uuid"] == uuid_of(source), slot
        uki = self.ukis / f"OS_{version}_x86-64{tries}.efi"
        assert uki.exists(), sorted(path.name for path in self.ukis.iterdir())
        assert uki.read_bytes() == (directory / f"OS_{version}_x86-64.efi").read_bytes()
        self.verity(version)

    def verity(self, version):
        data, tree = self.slot(f"OS_{version}"), self.slot(f"OS_{version}_verity")
        files = []
        for slot in (data, tree):
            file = self.path / f"{slot['kind']}.part"
            file.write_bytes(self.read(slot))
            files.append(file)
        root_hash = data["uuid"].replace("-", "") + tree["uuid"].replace("-", "")
        call("veritysetup", "verify", *files, root_hash)
        for file in files:
            file.unlink()

    def assert_table_is_whole(self):
        result = call("sgdisk", "--verify", self.disk)
        assert "No problems found" in result.stdout, result.stdout


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Range")))
        with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError):
            if not (self.server.behave and self.server.behave(self)):
                self.answer()

    def file(self):
        return self.server.directory / self.path.rsplit("/", 1)[-1]

    def range(self, size):
        """(first, last) as asked, None: everything."""
        value = self.headers.get("Range")
        if not value or self.server.no_ranges:
            return None
        first, last = value.removeprefix("bytes=").split("-")
        return int(first), min(int(last or size - 1), size - 1)

    def begin(self, status, length, **headers):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def put(self, data):
        self.server.sent += len(data)
        self.wfile.write(data)

    def answer(self, data=None):
        try:
            data = self.file().read_bytes() if data is None else data
        except OSError:
            return self.begin(404, 0)
        asked = self.range(len(data))
        if not asked:
            self.begin(200, len(data))
            return self.put(data)
        if asked[0] >= len(data):
            return self.begin(416, 0)
        self.begin(206, asked[1] - asked[0] + 1, Content_Range=f"bytes {asked[0]}-{asked[1]}/{len(data)}")
        return self.put(data[asked[0]:asked[1] + 1])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


@contextlib.contextmanager
def serve(directory, behave=None, no_ranges=False, tls=None):
    """A web server for DIRECTORY; BEHAVE(handler) answers itself, or returns a false value. TLS: (certificate, key)."""
    server = Server(("127.0.0.1", 0), Handler)
    server.directory, server.behave, server.no_ranges = directory, behave, no_ranges
    server.requests, server.sent = [], 0
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    server.url = f"http{'s' if tls else ''}://{'localhost' if tls else '127.0.0.1'}:{server.server_address[1]}"
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
