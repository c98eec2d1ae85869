"""A browser without a screen, driven over the WebDriver protocol (https://www.w3.org/TR/webdriver2)."""

import base64
import json
import os
import re
import subprocess
import time
import urllib.request

DEADLINE = 60  # seconds that anything may take
KEYS = {"enter": "\ue007", "escape": "\ue00c", "page down": "\ue00f", "end": "\ue010", "home": "\ue011", "up": "\ue013",
        "down": "\ue015", "tab": "\ue004"}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how the protocol names one


class Browser:
    """One window. Close it."""

    def __init__(self, width=1280, height=900):
        # a port of its own, which it tells
        self._driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        self._session = ""
        try:
            self._base = f"http://127.0.0.1:{self._port()}"
            arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         f"--window-size={width},{height}"]
            session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})
            self._session = f"/session/{session['sessionId']}"
        except Exception:
            self.close()
            raise

    def _port(self):
        for line in self._driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return found[1]
        raise RuntimeError("chromedriver has not started")

    def _call(self, method, path, body=None):
        request = urllib.request.Request(self._base + self._session + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from None

    def close(self):
        if self._session:
            self._call("DELETE", "")
        self._driver.terminate()
        self._driver.wait(timeout=DEADLINE)
        self._driver.stdout.close()

    def open(self, path):
        self._call("POST", "/url", {"url": "file://" + path})

    def script(self, text, *arguments):
        """What the body of a function returns."""
        return self._call("POST", "/execute/sync", {"script": text, "args": list(arguments)})

    def wait(self, condition):
        """Until an expression holds."""
        end = time.monotonic() + DEADLINE
        while not self.script(f"return Boolean({condition})"):
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {condition}")

    def _find(self, selector):
        return self._call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def type(self, selector, *texts):
        """Texts, or names of keys."""
        self._call("POST", f"/element/{self._find(selector)}/value",
                   {"text": "".join(KEYS.get(text, text) for text in texts)})

    def press(self, key):
        """A key for whatever has the focus."""
        value = KEYS.get(key, key)
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]}]})

    def click(self, selector):
        self._call("POST", f"/element/{self._find(selector)}/click", {})

    def devtools(self, command, **parameters):
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def media(self, media="", scheme="light"):
        self.devtools("Emulation.setEmulatedMedia", media=media,
                      features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screen(self, width, height, phone=False):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def complaints(self):
        """What the page wrote to the console, refusals of its own policy among it."""
        return [line["message"] for line in self._call("POST", "/se/log", {"type": "browser"})]

    def requests(self):
        """Addresses that were asked for."""
        events = [json.loads(line["message"])["message"] for line in self._call("POST", "/se/log", {"type": "performance"})]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def shot(self, name):
        """The whole page as a picture, for people to look at."""
        folder = os.environ.get("DATACHANGE_SHOTS")
        if not folder:
            return
        os.makedirs(folder, exist_ok=True)
        picture = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(os.path.join(folder, name + ".png"), "wb") as file:
            file.write(base64.b64decode(picture))
