"""Kinds of identifier: one type each, so that a checker tells them apart."""

from typing import NewType

AccountId = NewType("AccountId", int)
"""Names one account for ever, from 1; never used again after a deletion (A5)."""

Username = NewType("Username", str)
"""A prepared username (A1); only ``chatcore.usernames`` makes one."""

Position = NewType("Position", int)
"""A place in one mailbox, from 1, counted up with the account's id (M3); 0 is
"before the first"."""

Epoch = NewType("Epoch", int)
"""Counts the logins and resumes of one account, from 1; fences old links (S6)."""

IdempotencyKey = NewType("IdempotencyKey", bytes)
"""Sixteen bytes of a UUIDv7 (RFC 9562), so that keys sort by time (M2); empty
where the caller gave none and does not repeat."""

PasswordHash = NewType("PasswordHash", str)
"""A password as the ``Passwords`` port stores it, such as an Argon2id string (A2)."""

ResumeToken = NewType("ResumeToken", bytes)
"""The secret that resumes a session (S6), 32 random bytes."""

TokenHash = NewType("TokenHash", bytes)
"""SHA-256 of a resume token: all that a store sees of it."""

AddressHash = NewType("AddressHash", bytes)
"""Of a network address and an account: enough to know it again (B4)."""

InvitationHash = NewType("InvitationHash", bytes)
"""SHA-256 of an invitation's code: all that a store sees of it."""

NO_KEY = IdempotencyKey(b"")
NO_HASH = PasswordHash("")
"""Of an account whose password the chat does not keep; it matches nothing."""
BEFORE_FIRST = Position(0)
NO_INVITATION = InvitationHash(b"")
NO_ADDRESS = AddressHash(b"")
