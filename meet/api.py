"""The service's HTTP interface, as a table. Routes and the OpenAPI description are made of it."""

import datetime
from collections.abc import AsyncIterator

from pydantic import BaseModel
from starlette.responses import Response

from meet import directory, models, staff
from meet.endpoint import STAFF_PAGE, Call, Endpoint, forget_errand, leading
from meet.errors import RefusedError
from meet.invitation import calendar
from meet.moderation import Queue
from meet.names import ROOM_LETTERS
from meet.places import Place
from meet.rooms import ROLES, Listed
from meet.visit import Entry, Look, Waited

DONE = models.Done()


async def _house(call: Call) -> BaseModel:
    look, texts = call.house.look, call.house.texts
    return models.HouseLook(
        name=look.name, colour=look.colour, logo=look.logo, imprint=texts.imprint,
        privacy=texts.privacy, notice=texts.notice, policy=call.house.policy,
    )  # fmt: skip


async def _code(call: Call) -> BaseModel:
    service = call.service
    service.codes.allow(call.address)
    try:
        return models.Invited(invitation=await service.rooms.by_code(call.body.code, call.house))
    except RefusedError as error:
        if error.key == "wrong_code":
            service.codes.count(call.address)
        raise


async def _look(call: Call) -> BaseModel:
    visits = call.service.visits
    invitation = visits.read(call.body.invitation, call.house)
    return await visits.look(invitation, call.house, call.staff is not None)


async def _enter(call: Call) -> BaseModel:
    visits, body = call.service.visits, call.body
    invitation = visits.read(body.invitation, call.house)
    signed_in = call.staff is not None
    return await visits.enter(
        invitation, body.name, body.notice_seen, call.house, signed_in, call.host
    )


def _wait(call: Call) -> AsyncIterator[BaseModel | None]:
    return call.service.visits.wait(call.seat, call.house, call.host)


async def _place(call: Call) -> BaseModel:
    meeting = await call.service.visits.seated(call.seat, call.house)
    return await call.service.places.give(call.seat, meeting, call.house.policy, call.host)


async def _leave(call: Call) -> BaseModel:
    await call.service.visits.leave(call.seat)
    return DONE


async def _hand(call: Call) -> BaseModel:
    await call.service.visits.hand(call.seat, call.body.raised)
    return DONE


async def _say(call: Call) -> BaseModel:
    body, texts = call.body, call.service.texts
    texts.allow(call.seat.identity)
    texts.count(call.seat.identity)
    await call.service.visits.say(call.seat, call.house, body.topic, body.id, body.text, body.done)
    return DONE


def _lobby(call: Call) -> AsyncIterator[BaseModel | None]:
    return call.service.moderation.watch(call.seat, call.house)


async def _admit(call: Call) -> BaseModel:
    await call.service.moderation.admit(call.seat, call.body.ids, call.house)
    return DONE


async def _decline(call: Call) -> BaseModel:
    await call.service.moderation.decline(call.seat, call.body.ids)
    return DONE


async def _meeting(call: Call) -> BaseModel:
    if call.body.locked is not None:
        await call.service.moderation.lock(call.seat, call.body.locked)
    return DONE


async def _end(call: Call) -> BaseModel:
    await call.service.moderation.end(call.seat.room)
    return DONE


async def _mute(call: Call) -> BaseModel:
    body = call.body
    await call.service.moderation.mute(
        call.seat, body.identity, body.source, body.lasting, call.house
    )
    return DONE


async def _allow(call: Call) -> BaseModel:
    body = call.body
    await call.service.moderation.allow(call.seat, body.identity, body.source, call.house)
    return DONE


async def _remove(call: Call) -> BaseModel:
    await call.service.moderation.remove(call.seat, call.body.identity)
    return DONE


async def _role(call: Call) -> BaseModel:
    body = call.body
    await call.service.moderation.role(call.seat, body.identity, body.role, call.house)
    return DONE


async def _lower(call: Call) -> BaseModel:
    await call.service.moderation.lower(call.seat, call.body.identity)
    return DONE


async def _sign_in(call: Call) -> Response:
    body, service = call.body, call.service
    service.passwords.allow(call.address)
    try:
        who = await staff.check(body.name, body.password, body.totp)
    except RefusedError as error:
        if error.key == "sign_in_wrong":
            service.passwords.count(call.address)
        raise
    answer = _json(_staff_look(call, who.name))
    _signed_in(answer, await service.sessions.begin(who))
    return answer


def _signed_in(answer: Response, token: str) -> None:
    answer.set_cookie(
        staff.COOKIE, token, max_age=staff.SECONDS, path="/", secure=True, httponly=True,
        samesite="strict",
    )  # fmt: skip


async def _to_directory(call: Call) -> Response:
    tenant = call.house.tenant
    if call.host != tenant:
        # The directory sends people back to this name, and cookies belong to one.
        return leading(f"https://{tenant}{directory.BEGIN}")
    address, errand = await call.service.directories.begin(call.house)
    answer = leading(address)
    # Lax: the browser comes back from elsewhere, and has to bring it along.
    answer.set_cookie(
        directory.COOKIE, errand, max_age=directory.SECONDS, path="/", secure=True, httponly=True,
        samesite="lax",
    )  # fmt: skip
    return answer


async def _from_directory(call: Call) -> Response:
    service, request = call.service, call.request
    errand = request.cookies.get(directory.COOKIE, "")
    name = await service.directories.finish(call.house, errand, request.query_params)
    assert call.house.directory
    who = staff.Proven(name=name, proof=call.house.directory.mark, directory=True)
    answer = leading(STAFF_PAGE)
    _signed_in(answer, await service.sessions.begin(who))
    forget_errand(answer)
    return answer


async def _sign_out(call: Call) -> Response:
    await call.service.sessions.end(call.request.cookies.get(staff.COOKIE, ""))
    answer = _json(DONE)
    answer.delete_cookie(staff.COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return answer


async def _staff(call: Call) -> BaseModel:
    return _staff_look(call, call.staff)


def _staff_look(call: Call, name: str | None) -> models.StaffLook:
    found = call.house.directory
    return models.StaffLook(
        name=name, may_create=_may_create(call, name), directory=found.button if found else None
    )


def _may_create(call: Call, name: str | None) -> bool:
    create = call.house.policy.create
    return create == "anyone" or (create == "staff" and name is not None)


async def _rooms(call: Call) -> BaseModel:
    rooms = await call.service.rooms.all(call.house)
    listed = [call.service.rooms.listed(one, call.house, call.host) for one in rooms]
    return models.Booked(rooms=listed)


async def _book(call: Call) -> BaseModel:
    if not _may_create(call, call.staff):
        raise RefusedError("not_signed_in" if call.staff is None else "not_allowed")
    body, rooms, made = call.body, call.service.rooms, call.service.made
    account = call.staff is not None
    if not account:
        made.allow(call.address)
        made.count(call.address)
    room = await rooms.book(
        call.house, body.title, body.opens, body.closes, body.policy, account=account
    )
    return rooms.listed(room, call.house, call.host)


def _id(call: Call) -> str:
    room = str(call.request.path_params["id"])
    if len(room) != ROOM_LETTERS:
        raise RefusedError("no_such_room")
    return room


async def _cancel(call: Call) -> BaseModel:
    rooms = call.service.rooms
    room = await rooms.get(_id(call), call.house)
    await rooms.cancel(room)
    await call.service.moderation.end(room.id)
    return DONE


async def _ics(call: Call) -> Response:
    role = call.request.query_params.get("role", "participant")
    if role not in ROLES:
        raise RefusedError("malformed", field="role")
    rooms = call.service.rooms
    room = await rooms.get(_id(call), call.house)
    made = datetime.datetime.now(datetime.UTC)
    text = calendar(room, rooms.link(room, role, call.host), call.host, made)
    kept = {"Content-Disposition": f'attachment; filename="{room.id}.ics"'}
    return Response(text, media_type="text/calendar; charset=utf-8", headers=kept)


def _json(content: BaseModel) -> Response:
    return Response(content.model_dump_json(), media_type="application/json")


IN = ("wrong_invitation", "early", "over", "ended", "locked", "full")
SEAT = ("not_signed_in", "not_allowed", "removed", "ended", "over")
MODERATOR = (*SEAT, "moderators_only")
PERSON = (*MODERATOR, "no_such_person", "policy")
STAFF = ("not_signed_in",)
SENT = ("malformed", "too_large")
GONE = ("no_directory", "directory_away", "busy")

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/api/house", "anyone", "The house as guests see it", None, models.HouseLook,
             (), _house),
    Endpoint("POST", "/api/code", "anyone", "The participants' invitation behind a code",
             models.CodeAsked, models.Invited, (*SENT, "wrong_code", "slow"), _code),
    Endpoint("POST", "/api/look", "anyone", "What an invitation leads to", models.LookAsked, Look,
             (*SENT, "wrong_invitation"), _look),
    Endpoint("POST", "/api/enter", "anyone", "Come in, or wait", models.EnterAsked, Entry,
             (*SENT, *IN, "notice", "guests", "name", "name_long", "busy", "slow"), _enter),
    Endpoint("GET", "/api/wait", "ticket", "What somebody who waits is told", None, Waited,
             ("not_signed_in", "not_allowed", "over", "busy"), None, "state", _wait),
    Endpoint("POST", "/api/place", "seat", "One's place again", None, Place, SEAT, _place),
    Endpoint("POST", "/api/leave", "seat", "Give up one's seat", None, models.Done, SEAT, _leave),
    Endpoint("POST", "/api/hand", "seat", "Raise or lower one's hand", models.HandAsked,
             models.Done, (*SENT, *SEAT, "no_such_person"), _hand),
    Endpoint("POST", "/api/say", "seat", "Write, where only chat or live text is on",
             models.SayAsked, models.Done, (*SENT, *SEAT, "no_such_person", "policy"), _say),
    Endpoint("GET", "/api/lobby", "moderator", "Who waits, at each change", None, Queue,
             (*MODERATOR, "busy"), None, "lobby", _lobby),
    Endpoint("POST", "/api/lobby/admit", "moderator", "Let in", models.IdsAsked, models.Done,
             (*SENT, *MODERATOR, "full"), _admit),
    Endpoint("POST", "/api/lobby/decline", "moderator", "Send away", models.IdsAsked, models.Done,
             (*SENT, *MODERATOR), _decline),
    Endpoint("POST", "/api/meeting", "moderator", "Lock or open the room", models.MeetingAsked,
             models.Done, (*SENT, *MODERATOR), _meeting),
    Endpoint("POST", "/api/meeting/end", "moderator", "End for all", None, models.Done, MODERATOR,
             _end),
    Endpoint("POST", "/api/people/mute", "moderator", "Mute", models.MuteAsked, models.Done,
             (*SENT, *PERSON), _mute),
    Endpoint("POST", "/api/people/allow", "moderator", "Allow a source", models.AllowAsked,
             models.Done, (*SENT, *PERSON), _allow),
    Endpoint("POST", "/api/people/remove", "moderator", "Remove and keep out", models.PersonAsked,
             models.Done, (*SENT, *PERSON), _remove),
    Endpoint("POST", "/api/people/role", "moderator", "Give another role", models.RoleAsked,
             models.Done, (*SENT, *PERSON), _role),
    Endpoint("POST", "/api/people/lower", "moderator", "Lower hands", models.LowerAsked,
             models.Done, (*SENT, *MODERATOR, "no_such_person"), _lower),
    Endpoint("POST", "/api/staff/sign-in", "page", "Sign in", models.SignInAsked, models.StaffLook,
             (*SENT, "forged", "sign_in_wrong", "elsewhere", "slow", "busy"), _sign_in),
    Endpoint("GET", directory.BEGIN, "anyone", "To the house's directory, to sign in there", None,
             None, GONE, _to_directory, leads=True),
    Endpoint("GET", directory.BACK, "anyone", "Back from the directory", None, None,
             (*GONE, "directory_wrong", "directory_person", "directory_denied", "directory_again"),
             _from_directory, leads=True),
    Endpoint("POST", "/api/staff/sign-out", "page", "Sign out", None, models.Done, ("forged",),
             _sign_out),
    Endpoint("GET", "/api/staff", "page", "Who is signed in", None, models.StaffLook, (), _staff),
    Endpoint("GET", "/api/rooms", "staff", "All bookings", None, models.Booked, STAFF, _rooms),
    Endpoint("POST", "/api/rooms", "page", "Book a room", models.RoomAsked, Listed,
             (*SENT, *STAFF, "forged", "not_allowed", "times", "times_without_account", "policy",
              "name", "name_long", "too_many_rooms", "slow"), _book),
    Endpoint("DELETE", "/api/rooms/{id}", "staff", "Cancel a booking", None, models.Done,
             (*STAFF, "forged", "no_such_room"), _cancel),
    Endpoint("GET", "/api/rooms/{id}/invitation.ics", "staff", "A calendar file", None, None,
             (*STAFF, "no_such_room", "no_time", "malformed"), _ics),
)  # fmt: skip
