"""What ansible-playbook prints with --check --diff, as files with their differences."""

import pytest

from firstboot.preview import MOST_LINES, changed_files

pytestmark = pytest.mark.unit

PRINTED = """
PLAY [Ratssaal] ****************************************************************

TASK [system : Names by which this box knows itself] ***************************
ok: [localhost] => (item={'src': 'hostname.j2', 'dest': '/etc/hostname'})
--- before: /etc/ratssaal.json
+++ after: /run/ratssaal-preview/ansible/ansible-local-1/tmp/ratssaal.json.j2
@@ -1,4 +1,4 @@
 {
-    "host_name": "ratssaal.local",
+    "host_name": "rat.example",
 }

changed: [localhost] => (item={'src': 'ratssaal.json.j2', 'dest': '/etc/ratssaal.json'})
--- before
+++ after: /run/ratssaal-preview/ansible/ansible-local-1/tmp/http.conf.j2
@@ -0,0 +1 @@
+new

changed: [localhost]
--- before
+++ after
@@ -1,4 +1,4 @@
 {
     "path": "/etc/systemd/network/10-addresses.network",
-    "state": "file"
+    "state": "absent"
 }

changed: [localhost]
PLAY RECAP *********************************************************************
localhost                  : ok=3    changed=2    unreachable=0    failed=0
"""


def test_files_and_their_differences_are_found() -> None:
    first, second, third = changed_files(PRINTED)
    assert third["path"] == "/etc/systemd/network/10-addresses.network"
    assert first["path"] == "/etc/ratssaal.json"
    assert first["diff"].splitlines()[0] == "@@ -1,4 +1,4 @@"
    assert first["diff"].splitlines()[-1] == " }"
    assert second == {"path": "http.conf", "diff": "@@ -0,0 +1 @@\n+new"}
    assert changed_files("PLAY RECAP ***\nlocalhost : ok=3") == []


def test_a_difference_without_end_is_cut() -> None:
    printed = "--- before: /etc/a\n+++ after: /b\n" + "+x\n" * 10_000
    (found,) = changed_files(printed)
    assert found["diff"].count("\n") == MOST_LINES
    assert found["diff"].endswith("…")
