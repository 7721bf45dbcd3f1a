"""Somebody who guesses codes from one address, several at once, run inside a stage until killed."""

import http.client
import os
import re
import ssl
import sys
import threading
import time

AT_ONCE = 4
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


def connect(target: str, source: str) -> http.client.HTTPSConnection:
    context = ssl._create_unverified_context()
    return http.client.HTTPSConnection(
        target, timeout=60, context=context, source_address=(source, 0)
    )


def guess(target: str, source: str) -> None:
    """One wrong code after the other; after each its status, and whether it was told in words."""
    connection = connect(target, source)
    connection.request("GET", "/setup/")
    answer = connection.getresponse()
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    page = answer.read().decode()
    mark = re.search(r'name="form" value="([^"]+)"', page)
    assert mark, f"{answer.status}: a page without a form: {page}"
    while True:
        body = f"form={mark[1]}&code=aaaabbbb"
        connection = connect(target, source)
        connection.request("POST", "/setup/code", body, {**HEADERS, "Cookie": cookie})
        answer = connection.getresponse()
        page = answer.read().decode()
        words = "zu viele Versuche" in page if answer.status == 429 else True
        # One system call a line: several threads speak, and Python's own writer mixes them.
        os.write(sys.stdout.fileno(), f"{answer.status} {words}\n".encode())
        if answer.status == 429:
            time.sleep(0.2)  # leaves the machine to those who are measured


if __name__ == "__main__":
    for _ in range(AT_ONCE):
        threading.Thread(target=guess, args=tuple(sys.argv[1:])).start()
