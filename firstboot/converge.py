"""Brings settings into force: network, certificate, configuration, health; or goes back.

`python3 -m firstboot.converge` brings the newest generation into force where it is not, or where
image or certificate are others than then; else it changes nothing. A generation whose services do
not come up is given up: the one before comes back, and the answers that fit are named. A
network that changes is tried first and alone. Before set-up that is all there is to do, for one
that was typed at the box.
"""

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from firstboot import fault, health, house, network, openid
from firstboot.access import code
from firstboot.access.passwords import proof_of_staff
from firstboot.by_hand import ByHand
from firstboot.certificates import acme, named
from firstboot.files import write_whole
from firstboot.image import image_version
from firstboot.progress import Progress
from firstboot.screen.anew import redraw
from firstboot.settings import Box, Settings, ansible_variables, split
from firstboot.stack import Stack
from firstboot.store import Applied, Draft, Store
from firstboot.texts import Said, SaidError

ANSIBLE = Path("/usr/lib/ratssaal/firstboot/ansible")
WORK = Path("/run/ratssaal-ansible")
STORE_PLACE = "/ratssaal/settings"
PATIENCE_SECONDS = 90.0
STAGES = ("certificate", "configuration", "services")
WITH_NETWORK = ("network", *STAGES)


def to_apply(settings: Settings, number: int = 0, image: str = "") -> Applied:
    """What is in force once `settings` are, with the certificate that is in place now."""
    box = settings.box
    found = named.read() if box.certificate.kind != "own" else None
    if not found:
        return Applied(number, image, named=False)
    return Applied(
        number, image, found.covers(box.host_name), found.covers(box.turn_name), found.fingerprint
    )


def variables(settings: Settings, complete: bool) -> dict[str, object]:
    """What the roles are given: settings without secrets, the stack, and how far the box is."""
    now = to_apply(settings)
    return {
        **ansible_variables(settings, Stack.read()),
        "named": now.named,
        "named_turn": now.named_turn,
        "one_name": now.one_name,
        "complete": complete,
    }


def play(
    settings: Settings, complete: bool, *options: str, work: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the playbook with `settings`; what it printed, and whether it ended well."""
    work = work or WORK
    work.mkdir(mode=0o700, exist_ok=True)
    given = work / "settings.json"
    write_whole(given, json.dumps(variables(settings, complete)), mode=0o600)
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_LOCAL_TEMP": str(work),
        "ANSIBLE_REMOTE_TEMP": str(work),
        "HOME": str(work),
        "LC_ALL": "C.UTF-8",
    }
    command = ["ansible-playbook", "--inventory", "localhost,", "--extra-vars", f"@{given}"]
    command += [*options, str(ANSIBLE / "site.yml")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _settle() -> dict[str, str]:
    """Wait until all is well; what is not, by unit or address."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    stack = Stack.read()
    while (found := health.wrong(stack)) and time.monotonic() < deadline:
        time.sleep(0.3)
    return found


def _certificate(settings: Settings, seconds: float | None = None) -> Said | None:
    """Put the certificate in place that the settings want; what has to be said, if anything.

    seconds: how long an authority may take, if not as long as usual.
    """
    wanted = settings.box.certificate
    if wanted.kind == "own":
        return None
    try:
        with acme.alone():
            if wanted.kind == "files":
                assert wanted.chain
                assert wanted.key
                named.install(wanted.chain, wanted.key, settings.box.host_name)
            else:
                acme.obtain(settings.box, seconds)
    except SaidError as error:
        # Never a reason to stop: the box serves its own certificate, and goes on asking.
        return error.said
    return None


def _publish(settings: Settings, number: int) -> None:
    """Give the shared part to the store, where the rooms service and later peers read it."""
    public, _ = split(settings.model_dump(mode="json"))
    content = {"generation": number, **public["cluster"]}
    people = settings.cluster.administration.people
    for one, known in zip(content["administration"]["people"], people, strict=True):
        del one["password"], one["totp"]
        one["proof"] = proof_of_staff(known.name, known.password)
    command = ["etcdctl", "--command-timeout=10s", "put", STORE_PLACE]
    environment = {"PATH": os.environ["PATH"], "ETCDCTL_API": "3"}
    subprocess.run(
        command, input=json.dumps(content), env=environment, text=True, check=True,
        capture_output=True,
    )  # fmt: skip


def _load_certificate() -> None:
    """Let the web server read the certificate in place anew: the path to it has not changed."""
    subprocess.run(["systemctl", "reload", "nginx.service"], check=True)


def _close_way_back() -> None:
    """Administration is limited to its networks again, whoever was let in by a new code."""
    command = ["systemctl", "stop", "--no-block", "ratssaal-way-back.service"]
    subprocess.run(command, check=False)


def _begin_afterwards(notes: list[Said]) -> None:
    """What an installation has brought to the disk is in force now, and a district may be named.

    A certificate for which there was no time is asked for, while the box works already.
    """
    units = ["ratssaal-forget-brought.service", "ratssaal-recovery-copy.service"]
    if any(one.key == "acme.not_yet" for one in notes):
        units.append("ratssaal-certificate-renew.service")
    subprocess.run(["systemctl", "start", "--no-block", *units], check=False)


def _follow_names() -> None:
    """Let the box's own certificate and its screen follow the names in force."""
    subprocess.run(["systemctl", "start", "ratssaal-address-changed.service"], check=True)


def connect(settings: Settings) -> Said | None:
    """Apply the network alone; None, or why the box would not be reached by it."""
    ended = play(settings, True, "--tags", "network")
    if ended.returncode:
        print(ended.stdout + ended.stderr, file=sys.stderr)  # noqa: T201 - no secrets in it
        return Said("converge.configuration_refused", {"answer": "box.network"})
    return network.trouble(settings.box.network)


def bring_into_force(
    settings: Settings, changed: tuple[str, ...], progress: Progress, first: bool = False
) -> Said | None:
    """Apply `settings`; None, or why the services did not come up with them.

    changed: the names of the settings that have changed, among which one may be at fault; first:
    at set-up, when nothing is in force yet.
    """

    def stage(name: str, work: Callable[[], Said | None]) -> Said | None:
        progress.set(name, "running")
        said = work()
        progress.set(name, "failed" if said else "done")
        return said

    if "network" in progress.stages:
        if said := stage("network", lambda: connect(settings)):
            return said
        if unplugged := network.unplugged(settings.box.network):
            progress.note(unplugged)
    progress.set("certificate", "running")
    note = _certificate(settings, acme.SET_UP_SECONDS if first else None)
    progress.set("certificate", "noted" if note else "done")
    if note:
        progress.note(note)

    def configure() -> Said | None:
        house.publish(settings.cluster.house)
        openid.publish(settings)
        ended = play(settings, True)
        if ended.returncode:
            print(ended.stdout + ended.stderr, file=sys.stderr)  # noqa: T201 - no secrets in it
            return fault.of_play(ended.stdout, changed, Stack.read())
        return None

    def serve() -> Said | None:
        _follow_names()
        wrong = _settle()
        if wrong:
            print(json.dumps(wrong), file=sys.stderr)  # noqa: T201
            return fault.of_services(wrong, changed, Stack.read())
        return None

    return stage("configuration", configure) or stage("services", serve)


def _go_back(former: Settings, complete: bool, certificate: bool) -> bool:
    """Bring the settings before into force again, and where it was changed their `certificate`.

    Whether that went well. Whatever went wrong, it ends, so that nobody tries for ever.
    """
    try:
        house.publish(former.cluster.house)
        openid.publish(former)
        # With the network first: an authority may be asked for the certificate.
        ended = play(former, complete)
        if certificate:
            played = to_apply(former)
            _certificate(former)
            if to_apply(former) != played:
                ended = play(former, complete)
        if ended.returncode:
            print(ended.stdout + ended.stderr, file=sys.stderr)  # noqa: T201 - no secrets in it
        _load_certificate()
        _follow_names()
    except (OSError, ValueError, subprocess.SubprocessError):
        traceback.print_exc()
        return False
    return ended.returncode == 0


def _by_hand(store: Store, typed: ByHand) -> bool:
    """Before set-up: try the network that was asked for at the box, or see to the one in force.

    Another image begins without it.
    """
    former = store.settings(None)
    wanted = typed.wanted()
    if wanted is None:
        if typed.network():
            play(former, False, "--tags", "network")
        return True
    said = connect(Settings(box=Box(network=wanted)))
    if said:
        print(said.text("en"), file=sys.stderr)  # noqa: T201
        typed.refuse(said.key)
        play(former, False, "--tags", "network")
    else:
        with store.locked():
            typed.accept()
            Draft(store).lay({"box": {"network": wanted.model_dump(mode="json")}})
    _follow_names()
    return said is None


def converge(store: Store) -> bool:
    """Bring the newest generation into force; whether what is in force now is what was wanted."""
    applied = store.applied()
    number = store.pending()
    image = image_version()
    if number is None and applied is None:
        return _by_hand(store, ByHand(store.folder))
    wanted = number if number is not None else applied.generation if applied else 0
    settings = store.settings(wanted)
    now = to_apply(settings, wanted, image)
    if applied == now:
        return True
    if applied and applied == replace(now, certificate=applied.certificate):
        # Renewed for the same names: configuration and services are right as they are.
        _load_certificate()
        with store.locked():
            store.set_applied(now)
        return True
    former = store.settings(applied.generation if applied else None)
    # What is in force already, and only meets another image, is not put to the test.
    moved = number is not None and network.moves(former.box.network, settings.box.network)
    progress = Progress(wanted, WITH_NETWORK if moved else STAGES)
    progress.write()
    try:
        # Where another image meets the same settings, none of them is at fault.
        changed = store.generation(wanted).what if number is not None else ()
        said = bring_into_force(settings, changed, progress, applied is None)
        if said is None:
            now = to_apply(settings, wanted, image)
            if now.certificate != (applied.certificate if applied else ""):
                _load_certificate()
            _publish(settings, wanted)
    except (OSError, ValueError, subprocess.SubprocessError):
        traceback.print_exc()
        said = Said("converge.broken")
    # Ansible syncs nothing: no mark must reach the disk before the files it stands for.
    if said is None:
        os.sync()
        with store.locked():
            # First: after a cut it is done again, and no code opens what is set up.
            code.forget()
            store.set_applied(now)
            # What somebody has answered meanwhile stays.
            if Draft(store).settings() == settings:
                Draft(store).discard()
        _close_way_back()
        _begin_afterwards(progress.notes)
        redraw()
        progress.finish(ok=True)
        return True
    progress.note(said)
    back = _go_back(former, applied is not None, "certificate" in progress.states)
    # Only now: cut meanwhile, it is tried once more, and nothing of it stays unnoticed.
    os.sync()
    with store.locked():
        if applied and not back:
            # The next start brings it into force again, as after another image.
            store.set_applied(replace(applied, image=""))
        if number is not None:
            store.mark_failed(wanted, said)
    progress.note(Said("converge.went_back" if back else "converge.not_whole"))
    progress.finish(ok=False)
    return False


def main() -> int:
    """As the module says."""
    store = Store()
    done = converge(store)
    # Whoever asked meanwhile found this unit running, and systemd does not start it twice.
    typed = ByHand(store.folder)
    while store.pending() is not None or (typed.wanted() and not store.applied()):
        done = converge(store)
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
