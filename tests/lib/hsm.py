# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tokens in which keys are made: SoftHSM, with OpenSC's spy in between, and a TPM in software."""

import contextlib
import os
import re
import socket
import subprocess
import time

from particleos import call, environment, fresh, need
from tokens import MODULES, PIN, SPIES, first

PROVIDERS = [f"/usr/lib/{x}/ossl-modules" for x in ("x86_64-linux-gnu", "aarch64-linux-gnu")] + ["/usr/lib64/ossl-modules"]


class Hsm:
    """A token called LABEL, and the environment by which the program reaches it and knows its PIN."""

    def __init__(self, name, label="particleos"):
        need("softhsm2-util", "pkcs11-tool", "openssl")
        self.label = label
        self.path = fresh(name)
        (self.path / "tokens").mkdir()
        (self.path / "softhsm.conf").write_text(f"directories.tokendir = {self.path}/tokens\nobjectstore.backend = file\n")
        self.module = first(MODULES)
        (self.path / "credentials").mkdir()
        (self.path / "credentials/particleos.key-pin").write_text(PIN)
        (self.path / "credentials/particleos.key-pin").chmod(0o600)
        (self.path / "credentials/particleos.key-pin").chmod(0o600)
        self.spied = self.path / "spied"
        self.settings = {"SOFTHSM2_CONF": str(self.path / "softhsm.conf"), "PKCS11_MODULE_PATH": first(SPIES),
                         "PKCS11_PROVIDER_MODULE": first(SPIES),
                         "PKCS11SPY": self.module, "PKCS11SPY_OUTPUT": str(self.spied),
                         "CREDENTIALS_DIRECTORY": str(self.path / "credentials")}
        self.number = 0
        call("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "5678", "--pin", PIN, env=self.env())

    def env(self, **more):
        return environment(**self.settings, **more)

    def make(self, *names):
        """RSA keys, as people make them who have OpenSC."""
        for name in names:
            self.number += 1
            call("pkcs11-tool", "--module", self.module, "--token-label", self.label, "--login", "--pin", PIN, "--keypairgen",
                 "--key-type", "rsa:2048", "--label", name, "--id", f"{self.number:02}", env=self.env())

    def keep(self, name, pem):
        """Puts the private key in the file PEM into the token."""
        self.number += 1
        call("softhsm2-util", "--import", pem, "--token", self.label, "--label", name, "--id", f"{self.number:02}", "--pin", PIN,
             env=self.env())

    def uri(self, key):
        return f"pkcs11:token={self.label};object={key};type=private"

    def logins(self):
        """How often the PIN was handed to the token since the last time."""
        text = self.spied.read_text() if self.spied.exists() else ""
        self.spied.unlink(missing_ok=True)
        return len(re.findall(r"C_Login$", text, re.M))


def _free_ports():
    """Two that follow each other, as TPM2TSS wants them."""
    for port in range(23410, 23600, 2):
        with socket.socket() as one, socket.socket() as two:
            try:
                one.bind(("127.0.0.1", port))
                two.bind(("127.0.0.1", port + 1))
                return port
            except OSError:
                continue
    raise AssertionError("no free ports")


@contextlib.contextmanager
def tpm(directory):
    """The environment in which OpenSSL's provider tpm2 reaches a TPM of the test's own, whose state is in DIRECTORY."""
    need("swtpm", "openssl")
    first([f"{x}/tpm2.so" for x in PROVIDERS])
    os.makedirs(directory, exist_ok=True)
    port = _free_ports()
    process = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={directory}", "--server", f"type=tcp,port={port}",
                                "--ctrl", f"type=tcp,port={port + 1}", "--flags", "not-need-init,startup-clear"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port + 1)) == 0:
                    break
            time.sleep(0.1)
        yield {"TPM2OPENSSL_TCTI": f"swtpm:port={port}"}
    finally:
        process.terminate()
        process.wait()
