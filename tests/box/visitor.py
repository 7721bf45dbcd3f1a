"""A person with a browser without pictures and scripts, run inside a stage: pages and forms."""

import base64
import json
import re
import sys
from html import unescape
from typing import Any

import httpx


def text_of(page: str) -> str:
    """The words of a page."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def alerts(page: str) -> list[str]:
    """What a page has to say beside its questions, with how weighty it is."""
    found = re.findall(
        r'<div class="kern-alert kern-alert--(\w+)"[^>]*>(.*?)</div>\s*</div>\s*', page, re.DOTALL
    )
    return [f"{kind}: {text_of(words)}" for kind, words in found]


def hidden(page: str) -> dict[str, str]:
    """The marks that a form carries along."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return dict(found)


class Visitor:
    """One browser at one box."""

    def __init__(self, address: str) -> None:
        # The box's own authority is not known to it.
        self.client = httpx.Client(
            base_url=f"https://{address}",
            verify=False,
            follow_redirects=True,
            timeout=60,
        )

    def send(
        self, path: str, files: dict[str, tuple[str, bytes]] | None = None, **fields: str
    ) -> httpx.Response:
        """Open a page and send its form."""
        page = self.client.get(path)
        data = {**hidden(page.text), **fields}
        return self.client.post(path, data=data, files=files or {})

    def begin(self, code: str) -> None:
        """Into the wizard, in German."""
        self.send("/setup/", language="de")
        answer = self.send("/setup/code", code=code)
        assert answer.url.path == "/setup/network", answer.text

    def sign_in(self, name: str, password: str) -> httpx.Response:
        """As an administrator."""
        return self.send("/admin/sign-in", name=name, password=password)

    def upload(self, case: dict[str, str]) -> dict[str, Any]:
        """The certificate step with files (base64): where it led to, and what it said."""
        files: dict[str, tuple[str, bytes]] = {
            name: (f"{name}.pem", base64.b64decode(case[name]))
            for name in ("chain", "key")
            if name in case
        }
        password = case.get("password", "")
        answer = self.send("/setup/certificate", files, kind="files", password=password)
        return {
            "status": answer.status_code,
            "place": answer.url.path,
            "said": alerts(answer.text),
        }


if __name__ == "__main__":
    what, address, *words = sys.argv[1:]
    visitor = Visitor(address)
    given = json.load(sys.stdin)
    found: Any
    if what == "overview":
        answer = visitor.sign_in(*words)
        assert answer.url.path == "/admin/", answer.text
        found = text_of(answer.text)
    else:
        visitor.begin(words[0])
        if words[1]:
            visitor.send("/setup/domain", host_name=words[1])
        found = [visitor.upload(one) for one in given]
    print(json.dumps(found))
