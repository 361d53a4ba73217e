# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tokens of SoftHSM, recipes that sign with their keys, and people who type PINs."""

import os
import pty
import re
import select
import shutil
import time
from pathlib import Path

from particleos import EPOCH, call, environment, fresh, need
from tap import Skip
from tiny import CONF, Tiny

LABEL, PIN = "particleos", "73914852"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
SPIES = ("/usr/lib/x86_64-linux-gnu/pkcs11-spy.so", "/usr/lib/aarch64-linux-gnu/pkcs11-spy.so", "/usr/lib64/pkcs11-spy.so")
PARTS = {"10": "Type=usr\nFormat=erofs\nCopyFiles=/usr:/\nMinimize=best\nVerity=data\nVerityMatchKey=usr\n",
         "20": "Type=usr-verity\nVerity=hash\nVerityMatchKey=usr\nMinimize=best\n",
         "30": "Type=usr-verity-sig\nVerity=signature\nVerityMatchKey=usr\n"}


def first(paths):
    found = next((x for x in paths if os.path.exists(x)), None)
    if not found:
        raise Skip(f"{paths[0]} is not installed")
    return found


def need_engine():
    if not any(Path(x).joinpath("pkcs11.so").exists() for x in ("/usr/lib/x86_64-linux-gnu/engines-3", "/usr/lib/aarch64-linux-gnu/engines-3",
                                                                "/usr/lib64/engines-3")):
        raise Skip("OpenSSL has no engine pkcs11")


class Token:
    """A token with the keys boot and manifest, which are in files as well."""

    def __init__(self, name):
        need("softhsm2-util", "openssl")
        self.path = fresh(name)
        (self.path / "tokens").mkdir()
        (self.path / "softhsm.conf").write_text(f"directories.tokendir = {self.path}/tokens\nobjectstore.backend = file\n")
        self.spied = self.path / "spied"
        self.env = {"SOFTHSM2_CONF": str(self.path / "softhsm.conf"), "PKCS11_MODULE_PATH": first(SPIES),
                    "PKCS11SPY": first(MODULES), "PKCS11SPY_OUTPUT": str(self.spied)}
        self.tool("--init-token", "--free", "--label", LABEL, "--so-pin", "5678")
        for number, key in enumerate(("boot", "manifest")):
            pem = self.path / f"{key}.key"
            call("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", pem)
            pem.chmod(0o600)
            call("openssl", "req", "-x509", "-new", "-key", pem, "-subj", f"/CN={key}", "-days", "3650", "-out",
                 self.path / f"{key}.crt")
            self.tool("--import", pem, "--token", LABEL, "--label", key, "--id", f"a{number}")

    def tool(self, *arguments):
        return call("softhsm2-util", *arguments, "--pin", PIN, env=environment(**self.env))

    def calls(self, function):
        return len(re.findall(rf"{function}$", self.spied.read_text(), re.M)) if self.spied.exists() else 0

    def logins(self):
        return self.calls("C_Login")


def uri(key):
    return f"pkcs11:token={LABEL};object={key};type=private"


def recipe(name, token, key, source="engine:pkcs11", manifest=None):
    made = Tiny(name)
    shutil.rmtree(made.path / "mkosi.repart")
    for number, text in PARTS.items():
        made.write(f"mkosi.repart/{number}.conf", f"[Partition]\n{text}")
    signs = f"Checksum=yes\nSign=yes\nOpenPGPTool=builtin\nOpenPGPKey={manifest}\nOpenPGPKeySource={source}\n" \
            f"OpenPGPCertificate={token.path}/manifest.crt\n" if manifest else ""
    made.write("mkosi.conf", CONF + f"[Validation]\nVerity=signed\nVerityKey={key}\nVerityKeySource={source}\n"
               f"VerityCertificate={token.path}/boot.crt\n{signs}")
    return made


def typed(made, env, *answers, options=(), question=rb"(PIN|Passphrase)[^\n]*: $"):
    """Builds on a terminal where ANSWERS are typed; what was shown there, and the exit status."""
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe(made.command()[0], made.command(*options), environment(SOURCE_DATE_EPOCH=EPOCH, **env))
    shown, answers, end = b"", list(answers), time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            new = os.read(terminal, 4096)
        except OSError:
            break
        shown += new
        if answers and re.search(question, shown):
            time.sleep(0.3)  # what is typed before the question is thrown away
            os.write(terminal, answers.pop(0).encode() + b"\r")  # as keyboards do
            shown += b"\n"
    return shown.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def artifacts(made):
    return {name: content for name, content in made.artifacts().items() if not isinstance(content, str)}
