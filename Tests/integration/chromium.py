"""A headless Chromium, spoken to over a pipe by the DevTools protocol: no driver and no package is needed."""
import base64
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

# Seconds for one answer: a machine that does much else starts a browser slowly.
PATIENCE = 180


class Chromium:
    """One page in a browser of its own; `with Chromium() as page:`."""

    def __init__(self, *flags):
        """flags: more of the program's, such as a microphone that is a file."""
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if program is None:
            raise FileNotFoundError("no chromium: apt-get install chromium")
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        there, self.write = os.pipe()
        self.read, back = os.pipe()

        def descriptors():
            # Chromium reads from 3 and writes to 4; both ends are first moved out of the way.
            first, second = os.dup(there), os.dup(back)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe", "--hide-scrollbars",
             "--autoplay-policy=no-user-gesture-required", "--user-data-dir=" + self.folder.name, *flags,
             "about:blank"],
            preexec_fn=descriptors, close_fds=False, start_new_session=True, env={**os.environ, "HOME": self.folder.name},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.folder.name + "/said", "wb"))
        os.close(there)
        os.close(back)
        self.pending, self.events, self.numbers, self.session = b"", [], itertools.count(1), None
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(t["targetId"] for t in targets if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Its helpers as well, which would go on writing into the folder while it is removed.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.write)
        os.close(self.read)
        self.folder.cleanup()

    def message(self):
        until = time.monotonic() + PATIENCE
        while b"\0" not in self.pending:
            if not select.select([self.read], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError(f"chromium said nothing for {PATIENCE} s{self.said()}")
            piece = os.read(self.read, 1 << 20)
            if not piece:
                raise EOFError(f"chromium has ended{self.said()}")
            self.pending += piece
        text, _, self.pending = self.pending.partition(b"\0")
        return json.loads(text)

    def said(self):
        """The end of what it wrote to its standard error, for a message."""
        with open(self.folder.name + "/said", errors="replace") as file:
            return "; it wrote: " + file.read()[-2000:]

    def call(self, method, **parameters):
        number = next(self.numbers)
        call = {"id": number, "method": method, "params": parameters}
        if self.session:
            call["sessionId"] = self.session
        data = json.dumps(call).encode() + b"\0"
        while data:
            data = data[os.write(self.write, data):]
        while True:
            answer = self.message()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path, width, height, dark, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1,
                  mobile=phone)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        # An address that differs only behind its # would not be loaded anew, and events of a page before would be taken
        # for this one's.
        for address in ("about:blank", path if "://" in path else "file://" + os.path.abspath(path)):
            self.events.clear()
            self.call("Page.navigate", url=address)
            while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
                self.events.append(self.message())
        # Two frames, so that what is drawn at its own width is drawn.
        self.run("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True,
                           userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def errors(self):
        """What the console complained about."""
        bad = []
        for event in self.events:
            method, body = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                bad.append(body["exceptionDetails"].get("exception", {}).get("description", str(body)))
            elif method == "Runtime.consoleAPICalled" and body["type"] in ("error", "warning", "assert"):
                bad.append(str(body["args"]))
            elif method == "Log.entryAdded" and body["entry"]["level"] == "error":
                bad.append(body["entry"]["text"])
        return bad

    def requests(self):
        """The addresses that were asked for, but for the page and data in it."""
        return [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"
                and not e["params"]["request"]["url"].startswith(("file:", "data:", "blob:", "about:"))]

    def screenshot(self, path, whole=True):
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole, format="png")
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))
