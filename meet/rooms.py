"""What staff book: rooms with a title, times and rules, kept in the store; and their links."""

import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from meet import ownerless
from meet.errors import RefusedError
from meet.house import House
from meet.names import Code, Role, RoomId, new_code, new_room, shown
from meet.policy import Policy, Rules
from meet.signed import LASTING_DAYS, Invitation, Signer, now
from meet.store import Store

ROOMS = "/ratssaal/rooms/"
CODES = "/ratssaal/codes/"
GONE = "/ratssaal/gone/"
OWNERLESS = "/ratssaal/ownerless/"
MOST_ROOMS = 5000
LONGEST = datetime.timedelta(days=800)
# Bookings that are over stay in the list for a while.
KEPT = datetime.timedelta(days=7)
ROLES: tuple[Role, ...] = ("moderator", "participant", "viewer")


class Room(BaseModel):
    """A booking."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: RoomId
    tenant: str
    title: Annotated[str, StringConstraints(max_length=80)]
    opens: AwareDatetime | None = None
    closes: AwareDatetime | None = None
    code: Code
    rules: Rules = Rules()
    # Made without an account: see meet.ownerless.
    ownerless: bool = False

    def invitation(self, role: Role) -> Invitation:
        """An invitation to this room; one without an end of its own is good for 400 days."""
        lasting = now() + LASTING_DAYS * 86400
        return Invitation(
            room=self.id,
            tenant=self.tenant,
            title=self.title,
            role=role,
            rules=self.rules,
            nbf=int(self.opens.timestamp()) if self.opens else None,
            exp=int(self.closes.timestamp()) if self.closes else lasting,
            lasting=self.closes is None,
        )


class Listed(BaseModel):
    """A booking as its makers see it, with links to hand on."""

    id: RoomId
    title: str
    opens: datetime.datetime | None
    closes: datetime.datetime | None
    code: Code
    links: dict[Role, str]
    policy: Policy


class Rooms:
    """All bookings."""

    def __init__(self, store: Store, signer: Signer) -> None:
        self._store = store
        self._signer = signer

    def listed(self, room: Room, house: House, host: str) -> Listed:
        """`room` with its links, under the name by which the asker reached this box."""
        links = {role: self.link(room, role, host) for role in ROLES}
        policy = house.policy.with_rules(room.rules)
        return Listed(
            id=room.id, title=room.title, opens=room.opens, closes=room.closes, code=room.code,
            links=links, policy=policy,
        )  # fmt: skip

    def link(self, room: Room, role: Role, host: str) -> str:
        """A link to hand on. Browsers never send what stands behind the #."""
        return f"https://{host}/m/#i={self._signer.sign(room.invitation(role))}"

    async def all(self, house: House) -> list[Room]:
        """All bookings of the house, the next one first; those without times last."""
        since = datetime.datetime.now(datetime.UTC) - KEPT
        found = [Room.model_validate_json(one) for one in (await self._store.all(ROOMS)).values()]
        kept = [
            one
            for one in found
            if one.tenant == house.tenant and not (one.closes and one.closes < since)
        ]
        return sorted(kept, key=lambda one: (str(one.opens or "9"), one.title, one.id))

    async def get(self, room: str, house: House) -> Room:
        """One booking; RefusedError where there is none."""
        text = await self._store.get(ROOMS + room)
        found = Room.model_validate_json(text) if text else None
        if found is None or found.tenant != house.tenant:
            raise RefusedError("no_such_room")
        return found

    async def book(
        self,
        house: House,
        title: str,
        opens: datetime.datetime | None,
        closes: datetime.datetime | None,
        rules: Rules,
        *,
        account: bool,
    ) -> Room:
        """A new booking. RefusedError: no title, impossible times, rules laxer than the house's.

        Whoever has no account gets a room that ends by itself.
        """
        until = datetime.datetime.now(datetime.UTC)
        if closes and (closes <= until or closes - until > LONGEST or (opens and closes <= opens)):
            raise RefusedError("times")
        if opens and opens - until > LONGEST:
            raise RefusedError("times")
        if loosened := house.policy.loosened(rules):
            raise RefusedError("policy", rule=loosened[0])
        if not account:
            opens, closes = ownerless.times(opens, closes, until)
            rules = ownerless.rules(rules, house.policy)
            if await self._store.count(OWNERLESS) >= ownerless.MOST:
                raise RefusedError("too_many_rooms")
        if await self._store.count(ROOMS) >= MOST_ROOMS:
            await self._forget_old()
        name = shown(title)
        while True:
            room = Room(
                id=new_room(), tenant=house.tenant, title=name, opens=opens, closes=closes,
                code=new_code(), rules=rules, ownerless=not account,
            )  # fmt: skip
            if await self._add(room):
                return room

    async def _add(self, room: Room) -> bool:
        """Keep `room`; False where its name or code is taken."""
        pairs = {ROOMS + room.id: room.model_dump_json(), CODES + room.code: room.id}
        if not (room.ownerless and room.opens and room.closes):
            return await self._store.add(pairs)
        pairs[OWNERLESS + room.id] = str(int(room.opens.timestamp()))
        # The store itself forgets it, whatever becomes of this service.
        return await self._store.add(pairs, int(room.closes.timestamp()) - now() + 60)

    async def without_owner(self) -> dict[str, int]:
        """When each room that was made without an account opens, seconds since 1970."""
        return {room: int(opens) for room, opens in (await self._store.all(OWNERLESS)).items()}

    async def _forget_old(self) -> None:
        """Forget bookings that are long over; RefusedError where there are too many others."""
        since = datetime.datetime.now(datetime.UTC) - KEPT
        rooms = [Room.model_validate_json(one) for one in (await self._store.all(ROOMS)).values()]
        old = [one for one in rooms if one.closes and one.closes < since]
        for one in old:
            await self._store.delete(ROOMS + one.id, CODES + one.code)
        if not old:
            raise RefusedError("too_many_rooms")

    async def cancel(self, room: Room) -> None:
        """Take a booking back: its links and its code are worth nothing from now on."""
        left = room.invitation("participant").exp - now()
        if left > 0:
            # Links need no store to be good, so the store says which are not.
            await self._store.put(GONE + room.id, "gone", left + 60)
        await self._store.delete(ROOMS + room.id, CODES + room.code, OWNERLESS + room.id)

    async def cancelled(self, room: str) -> bool:
        """Whether the booking was taken back. While the store is away, a link is believed."""
        try:
            return await self._store.get(GONE + room) is not None
        except RefusedError:
            return False

    async def by_code(self, code: str, house: House) -> str:
        """The participant's invitation behind a code.

        A wrong code costs the same two look-ups and the same signature as a right one. Raises
        RefusedError.
        """
        known = await self._store.get(CODES + code)
        text = await self._store.get(ROOMS + (known or "a" * 10))
        nobodys = Room(id="a" * 10, tenant="", title="", code=code)
        room = Room.model_validate_json(text) if text else nobodys
        signed = self._signer.sign(room.invitation("participant"))
        if (
            not known
            or not text
            or room.tenant != house.tenant
            or room.invitation("viewer").exp < now()
        ):
            raise RefusedError("wrong_code")
        return signed
