"""A store of one's own: Redis, ``redis://localhost/0`` or ``redis:///run/redis.sock``.

Redis keeps the rows, each in the hash of its table, and ``chatcore.open_row_store``
does all else. A write is one script: whole or not at all, and only for the link that
was opened last. It is durable where Redis syncs its log before it answers
(``appendonly yes`` and ``appendfsync always``). docs/adding-a-store.md tells the rest.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from chatcore import (
    BadStoreUrl,
    KeptRow,
    Store,
    StoreInUse,
    StoreUnavailable,
    WriteRefused,
    open_row_store,
)

WRITE = r"""
-- KEYS: what all keys begin with. ARGV: the link, the commit, whether it gives room,
-- and the rows: of each the table, the key and the row, which is empty for none.
local function at(name) return KEYS[1] .. ":" .. name end
if redis.call("GET", at("link")) ~= ARGV[1] then
  return redis.error_reply("another process has opened the store")
end
-- A Redis without memory refuses a script's first write, unless that removes something,
-- and none that follow.
if ARGV[3] == "1" then redis.call("DEL", at("nothing")) end
redis.call("SET", at("commit"), ARGV[2])
local rows, from = ARGV[4], 1
while from <= #rows do
  local name, key, row
  name, key, row, from = struct.unpack(">I4c0I4c0I4c0", rows, from)
  if row == "" then
    redis.call("HDEL", at("rows:" .. name), key)
  else
    redis.call("HSET", at("rows:" .. name), key, row)
  end
end
return "OK"
"""


class RedisRows:
    """See ``chatcore.RowDatabase``; ``open_redis`` makes one."""

    durable = False

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix, self._me, self._link = prefix, secrets.token_hex(8), ""
        self._connection = ConnectionPool.from_url(
            url,
            client_name=f"{prefix}:{self._me}",
            protocol=3,
            socket_timeout=10,
            retry=Retry(NoBackoff(), 0),  # what is sent twice may be committed twice
        ).make_connection()

    def connect(self) -> None:
        """From now on nobody else writes, nor what was sent over an earlier link."""
        self._connection.connect()
        name = rf"name={re.escape(self._prefix)}:(\w+)"
        names = re.findall(name, self._ask("CLIENT", "LIST").decode())
        last = (self._ask("GET", f"{self._prefix}:link") or b"").decode()
        had_other = self._link and not last.startswith(self._me)
        if had_other or {*names} != {self._me}:
            raise StoreInUse(path=f"{self._prefix} in Redis")
        syncs = self._ask("CONFIG", "GET", "appendonly", "appendfsync")
        self.durable = syncs == {b"appendonly": b"yes", b"appendfsync": b"always"}
        self._link = f"{self._me}{secrets.token_hex(8)}"
        self._ask("SET", f"{self._prefix}:link", self._link)

    def load(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """See ``chatcore.RowDatabase``."""
        cursor = b"0"
        while True:
            rows = f"{self._prefix}:rows:{table}"
            cursor, found = self._ask("HSCAN", rows, cursor, "COUNT", 1000)
            yield from zip(found[::2], found[1::2], strict=True)
            if cursor == b"0":
                return

    def last_commit(self) -> str:
        """See ``chatcore.RowDatabase``."""
        self._reconnect()
        return (self._ask("GET", f"{self._prefix}:commit") or b"").decode()

    def write(self, commit: str, rows: Sequence[KeptRow], *, gives_room: bool) -> None:
        """See ``chatcore.RowDatabase``."""
        self._reconnect()
        values = (self._link, commit, int(gives_room), _packed(rows))
        try:
            self._ask("EVAL", WRITE, 1, self._prefix, *values)
        except ResponseError as error:  # the script has written nothing
            raise WriteRefused(str(error)) from error

    def close(self) -> None:
        """Let another process have the store."""
        self._connection.disconnect()

    def _reconnect(self) -> None:
        if self._connection.is_connected:
            return
        try:
            self.connect()
        except (RedisError, OSError, StoreInUse) as error:
            self._connection.disconnect()
            raise StoreUnavailable(reason=str(error)) from error

    def _ask(self, *command: object) -> Any:  # noqa: ANN401  # whatever Redis answers
        self._connection.send_command(*command)
        return self._connection.read_response()


def _packed(rows: Sequence[KeptRow]) -> bytes:
    parts = (it for row in rows for it in (row.table.encode(), row.key, row.row or b""))
    return b"".join(len(it).to_bytes(4) + it for it in parts)


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[Store]:
    """The store in a database of Redis; ``?prefix=NAME`` tells several in it apart."""
    place, _, prefix = url.partition("?prefix=")
    with _translated(url):
        rows = RedisRows(place.replace("redis:///", "unix:///"), prefix or "chat")
    try:
        with _translated(url):
            await asyncio.to_thread(rows.connect)
        async with open_row_store(rows) as store:
            yield store
    finally:
        rows.close()


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError, TypeError, ValueError) as error:
        raise BadStoreUrl(url=url, reason=str(error).rstrip(".")) from error


# What the tests need: see --store-module in docs/testing.md.
SCHEME, URL, STORE, DURABLE = "redis", "redis:///{folder}/redis.sock", open_redis, True
COUNTS, OUTBOX = True, True
SERVER = ["redis-server", "--port", "0", "--unixsocket", "redis.sock", "--save", ""]
SERVER += ["--appendonly", "yes", "--appendfsync", "always"]
READY = "eady to accept"
CHECK = ["redis-check-aof", "{folder}/appendonlydir/appendonly.aof.manifest"]
