"""Somebody who guesses codes from one address, several at once, run inside a stage until killed."""

import http.client
import re
import ssl
import sys
import threading
from collections import Counter

AT_ONCE = 6
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
SEEN: Counter[int] = Counter()


def connect(target: str, source: str) -> http.client.HTTPSConnection:
    context = ssl._create_unverified_context()
    return http.client.HTTPSConnection(
        target, timeout=60, context=context, source_address=(source, 0)
    )


def guess(target: str, source: str) -> None:
    """One wrong code after the other; after each its status and how often that came so far."""
    connection = connect(target, source)
    connection.request("GET", "/setup/")
    answer = connection.getresponse()
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    mark = re.search(r'name="form" value="([^"]+)"', answer.read().decode())
    assert mark
    while True:
        body = f"form={mark[1]}&code=aaaabbbb"
        connection = connect(target, source)
        connection.request("POST", "/setup/code", body, {**HEADERS, "Cookie": cookie})
        answer = connection.getresponse()
        page = answer.read().decode()
        SEEN[answer.status] += 1
        words = "zu viele Versuche" in page if answer.status == 429 else True
        print(answer.status, SEEN[answer.status], words, flush=True)


if __name__ == "__main__":
    for _ in range(AT_ONCE):
        threading.Thread(target=guess, args=tuple(sys.argv[1:])).start()
