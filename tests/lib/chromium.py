# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real browser, driven by the DevTools protocol through two pipes."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

KEYS = {"Tab": 9, "Enter": 13, "Space": 32, "Escape": 27}
WAIT = 120


class Chromium:
    """One browser. Commands are answered in order; events wait until somebody asks for them."""

    def __init__(self, directory):
        self.directory = Path(directory)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        browser_in, self.out = os.pipe()
        self.inn, browser_out = os.pipe()
        # The browser knows the pipes as 3 and 4; what they are called here may be the same numbers.
        high = [os.dup(fd) for fd in (browser_in, browser_out)]
        while min(high) < 5:
            high = [os.dup(fd) for fd in high]

        def arrange():
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)
        self.log = open(self.directory / "log", "wb")
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={self.directory / 'profile'}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, preexec_fn=arrange, pass_fds=(3, 4))
        for fd in (browser_in, browser_out, *high):
            os.close(fd) if fd not in (self.out, self.inn) else None
        self.number, self.rest, self.events = 0, b"", []

    def send(self, method, session=None, **parameters):
        """Runs a command; its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        end = time.monotonic() + WAIT
        while True:
            answer = self._receive(end, method)
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def _receive(self, end, what):
        while b"\0" not in self.rest:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.inn], [], [], left)[0], f"the browser does not answer to {what}"
            piece = os.read(self.inn, 1 << 20)
            assert piece, f"the browser ended: {(self.directory / 'log').read_text(errors='replace')[-2000:]}"
            self.rest += piece
        line, self.rest = self.rest.split(b"\0", 1)
        return json.loads(line)

    def wait_event(self, session, method):
        """The parameters of the first event METHOD that nobody has taken yet."""
        end = time.monotonic() + WAIT
        while True:
            for i, event in enumerate(self.events):
                if event.get("method") == method and event.get("sessionId") == session:
                    return self.events.pop(i)["params"]
            self.events.append(self._receive(end, method))

    def stop(self):
        os.close(self.out)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.inn)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Tab:
    """A page of the browser, with cookies of its own."""

    def __init__(self, browser, url):
        self.browser, self.url = browser, url
        context = browser.send("Target.createBrowserContext")["browserContextId"]
        target = browser.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.look()

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def cookie(self, value):
        self.send("Network.setCookie", name="kitchen", value=value, url=self.url)

    def look(self, width=1200, height=900, scheme="light", scripts=True):
        """How the page is looked at from now on; scripts: from the next page on. As a narrow window, not as a telephone: that makes
        pages that are too wide smaller."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                          {"name": "prefers-reduced-motion", "value": "reduce"}])
        self.send("Emulation.setScriptExecutionDisabled", value=not scripts)

    def open(self, path):
        """Goes to PATH, and waits until it is loaded; the status of the answer."""
        self.forget()
        went = self.send("Page.navigate", url=self.url + path)
        assert not went.get("errorText"), f"{path}: {went}"
        if went.get("loaderId"):
            self.loaded()
        return self.status()

    def loaded(self):
        self.browser.wait_event(self.session, "Page.loadEventFired")

    def forget(self):
        """Events so far are nobody's."""
        self.browser.events = [event for event in self.browser.events if event.get("sessionId") != self.session]

    def status(self):
        """That of the last document that came."""
        answers = [event["params"] for event in self.browser.events if event.get("sessionId") == self.session
                   and event["method"] == "Network.responseReceived" and event["params"]["type"] == "Document"]
        return answers[-1]["response"]["status"] if answers else None

    def complaints(self):
        """What the browser says of the page since it was opened: errors of scripts, of the policy, of the console."""
        said = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Runtime.exceptionThrown":
                said.append(event["params"]["exceptionDetails"].get("text", "exception"))
            elif event["method"] == "Runtime.consoleAPICalled":
                said.append(str(event["params"]["args"]))
            elif event["method"] == "Log.entryAdded" and "server responded with a status" not in event["params"]["entry"]["text"]:
                said.append(event["params"]["entry"]["text"])
        return said

    def run(self, script):
        """What SCRIPT (an expression, or a promise) is in the page, also where scripts of the page may not run."""
        done = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, f"{script[:200]}: {done['exceptionDetails']}"
        return done["result"].get("value")

    def wait(self, script, what, seconds=WAIT):
        """Waits until SCRIPT is true."""
        end = time.monotonic() + seconds
        while not self.run(script):
            assert time.monotonic() < end, f"{what} does not happen: {self.run('document.body.innerText')[-2000:]}"
            time.sleep(0.05)

    def press(self, key, shift=False):
        common = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": 8 if shift else 0}
        text = {"Enter": "\r", "Space": " "}.get(key)
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **common, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def write(self, text):
        self.send("Input.insertText", text=text)

    def text(self):
        return self.run("document.documentElement.outerHTML")

    def picture(self, path, height=None):
        """A PNG of what is seen, or of the whole page to HEIGHT."""
        size = self.send("Page.getLayoutMetrics")["cssLayoutViewport"]
        clip = {"x": 0, "y": 0, "width": size["clientWidth"], "height": height or size["clientHeight"], "scale": 1}
        shot = self.send("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(shot["data"]))
