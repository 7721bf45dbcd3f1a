"""Rooms service and browser client: who may enter which room, and as what."""
