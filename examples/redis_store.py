"""A store of one's own: Redis, ``redis://localhost/0`` or ``redis:///run/redis.sock``.

What the port asks for is carried out in Redis, by a Lua function of the same name. All
calls that wait go there together: one script is one transaction, and one sync of Redis'
log. It is durable where Redis syncs its log before it answers (``appendonly yes`` and
``appendfsync always``). docs/adding-a-store.md tells the rest.
"""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from chatcore import BadStoreUrl, RemoteStore, StoreInUse, StoreUnavailable

LUA = r"""
-- All keys begin with KEYS[1]. Bytes are hexadecimal, which sorts as they do. A row is
-- a JSON object whose fields have the port's names.
--   account:ID  row of an account; a deleted one has a "deletion"
--   mail:ID     stream of what is above the cursor of a live one: position, row
--   sent:ID     sorted set of pairs: recipient and position of what it has in mailboxes
--   left:ID     sorted set of pairs: sender and position of what is left to discard
--   names, invitations, requests, sent_keys  tables, in the order of their keys
--   sessions    hash: token, account;   deletions  sorted set of accounts, by decision
--   last_id;    state: hash of what there is once
local call, store = redis.call, {}
local function at(...) return table.concat({KEYS[1], ...}, ":") end
local function state(field) return call("HGET", at("state"), field) end

local function account(id)
  local row = call("GET", at("account", id))
  return row and cjson.decode(row)
end
local function live(id, epoch)
  local it = account(id)
  if it and not it.deletion and (not epoch or it.epoch == epoch) then return it end
end
local function save(it) call("SET", at("account", it.id), cjson.encode(it)) end

-- A table is a sorted set of "key\0row".
local function rows(name, first, last, ...)
  local found = call("ZRANGEBYLEX", at(name), first, last, ...)
  for i, it in ipairs(found) do found[i] = cjson.decode(it:match("%z(.*)")) end
  return found
end
local function span(key) return "[" .. key .. "\0", "(" .. key .. "\1" end
local function find(name, key) return rows(name, span(key))[1] end
local function drop(name, key)
  return call("ZREMRANGEBYLEX", at(name), span(key)) > 0
end
local function put(name, key, row)
  drop(name, key)
  call("ZADD", at(name), 0, key .. "\0" .. cjson.encode(row))
end

local function pair(first, second) return ("%016d %016d"):format(first, second) end
local function numbers(pair)
  local first, second = pair:match("(%d+) (%d+)")
  return tonumber(first), tonumber(second)
end

local function mail(id, first, last, count)
  local found = call("XRANGE", at("mail", id), first, last, "COUNT", count or 2 ^ 31)
  for i, it in ipairs(found) do
    found[i] = cjson.decode(it[2][2])
    found[i].position = tonumber(it[1]:match("%d+"))
  end
  return found
end
local function append(it, row)
  it.head = it.head + 1
  call("XADD", at("mail", it.id), it.head, "row", cjson.encode(row))
  save(it)
  return it.head
end

-- accounts

local function spend(invitation, at_ms)
  local it = store.allows(invitation, at_ms) and find("invitations", invitation)
  if not it then return false end
  it.uses = it.uses - 1
  drop("invitations", invitation)
  if it.uses > 0 then put("invitations", invitation, it) end
  return true
end
local function note_request(key, id, is_deletion)
  if key ~= "" and not find("requests", key) then
    put("requests", key, {id = id, is_deletion = is_deletion})
  end
end
function store.create_account(name, password_hash, key, at_ms, invitation)
  if find("names", name) then return end
  if invitation ~= "" and not spend(invitation, at_ms) then return end
  local id = call("INCR", at("last_id"))
  save({id = id, username = name, password_hash = password_hash, created_at_ms = at_ms,
    epoch = 0, addresses = {}, acknowledged = 0, head = 0, bounces = 0})
  put("names", name, {id, name})
  note_request(key, id, false)
  return id
end
function store.add_invitation(invitation, uses, expires_at_ms)
  put("invitations", invitation,
    {invitation = invitation, uses = uses, expires_at_ms = expires_at_ms})
end
function store.allows(invitation, at_ms)
  local it = find("invitations", invitation)
  return it ~= nil and it.expires_at_ms > at_ms
end
function store.invitations(after, limit, at_ms)
  local page = {}
  for _, it in ipairs(rows("invitations", "(" .. after .. "\1", "+")) do
    if it.expires_at_ms > at_ms and #page < limit then page[#page + 1] = it end
  end
  return page
end
function store.revoke_invitation(invitation) return drop("invitations", invitation) end
function store.find_account(name)
  local found = find("names", name)
  return found and account(found[1])
end
local function set_token(it, token)
  if it.token_hash then call("HDEL", at("sessions"), it.token_hash) end
  if token then call("HSET", at("sessions"), token, it.id) end
  it.token_hash = token
end
function store.change_password(id, token, old, new)
  local it = live(id)
  if not it or it.password_hash ~= old then return end
  it.password_hash, it.epoch = new, it.epoch + 1
  set_token(it, it.token_hash and token)
  save(it)
  return it.epoch
end
function store.replace_hash(id, old, new)
  local it = live(id)
  if not it or it.password_hash ~= old then return end
  it.password_hash = new
  save(it)
end
function store.names(prefix, after, limit)
  local first = after < prefix and "[" .. prefix or "(" .. after .. "\1"
  return rows("names", first, "(" .. prefix .. "\255", "LIMIT", 0, limit)
end
function store.account_record(id)
  local it, logins_at_ms = live(id), {}
  if not it then return end
  for _, at_ms in pairs(it.addresses) do logins_at_ms[#logins_at_ms + 1] = at_ms end
  table.sort(logins_at_ms)
  it.logins_at_ms, it.has_session = logins_at_ms, it.token_hash ~= nil
  return it
end

-- sessions

local function opened(it)
  return {account = it.id, username = it.username, epoch = it.epoch,
    token_hash = it.token_hash, mailbox = store.mailbox(it.id)}
end
function store.open_session(id, token, password_hash, address, at_ms)
  local it = live(id)
  if not it or it.password_hash ~= password_hash then return end
  if address ~= "" then
    it.addresses[address] = nil
    local known = {}
    for other in pairs(it.addresses) do known[#known + 1] = other end
    table.sort(known, function(one, two)
      return it.addresses[one] > it.addresses[two] end)
    if known[KNOWN_ADDRESSES] then it.addresses[known[KNOWN_ADDRESSES]] = nil end
    it.addresses[address] = at_ms
  end
  set_token(it, token)
  it.epoch = it.epoch + 1
  save(it)
  return opened(it)
end
function store.knows_address(id, address, since_ms)
  local it = live(id)
  return it ~= nil and (it.addresses[address] or -1) >= since_ms
end
function store.resume_session(token, last_seen)
  local it = live(call("HGET", at("sessions"), token) or 0)
  if not it then return end
  if last_seen <= it.head then it.epoch = it.epoch + 1 end
  save(it)
  return opened(it)
end
function store.end_session(id, epoch)
  local it = live(id, epoch)
  if not it then return end
  set_token(it, nil)
  save(it)
end
function store.sessions()
  local found = call("HVALS", at("sessions"))
  for i, id in ipairs(found) do found[i] = opened(account(id)) end
  table.sort(found, function(one, two) return one.account < two.account end)
  return found
end

-- mail

local NO_SUCH_ACCOUNT, FULL, OTHER_BODY, KEY_EXPIRED, FENCED, KEY_AHEAD, SHARE =
  1, 2, 4, 5, 6, 7, 8
local function deposit(it, room, keys)
  local id, epoch, name, body, body_bytes, key, at_ms = unpack(it)
  local full, crowded, share = unpack(room)
  local sender, digest = live(id, epoch), redis.sha1hex(body)
  if not sender then return FENCED end
  local use = key .. " " .. id .. " " .. name
  if key ~= "" then
    local first = find("sent_keys", use)
    if first then return first.digest == digest and first or OTHER_BODY end
    if key < keys[1] or key < store.horizon() then return KEY_EXPIRED end
    if key > keys[2] then return KEY_AHEAD end
  end
  local recipient = store.find_account(name)
  if not recipient then return NO_SUCH_ACCOUNT end
  local to, sent = recipient.id, at("sent", id)
  local messages = call("XLEN", at("mail", to)) - recipient.bounces
  if messages >= full then return FULL end
  if messages >= crowded
    and call("ZLEXCOUNT", sent, "[" .. pair(to, 0), "(" .. pair(to + 1, 0)) >= share
  then return SHARE end
  local position = append(recipient, {sender = sender.username, sender_id = id,
    body = body, body_bytes = body_bytes, sent_at_ms = at_ms})
  call("ZADD", sent, 0, pair(to, position))
  local stored = {recipient_id = to, position = position, sent_at_ms = at_ms,
    digest = digest, new = false}
  if key ~= "" then put("sent_keys", use, stored) end
  stored.new = true
  return stored
end
function store.deposit(deposits, room, keys)
  for i, it in ipairs(deposits) do deposits[i] = deposit(it, room, keys) end
  return deposits
end
function store.acknowledge(id, epoch, position)
  local it = live(id, epoch)
  position = it and math.min(position, it.head)
  if not it or position <= it.acknowledged then return false end
  for _, piece in ipairs(mail(id, "-", position)) do
    if piece.body then
      call("ZREM", at("sent", piece.sender_id), pair(id, piece.position))
    else
      it.bounces = it.bounces - 1
    end
  end
  call("XTRIM", at("mail", id), "MINID", position + 1)
  it.acknowledged = position
  save(it)
  return true
end
function store.mailbox(id)
  local it = live(id) or {acknowledged = 0, head = 0}
  it.queued = call("XLEN", at("mail", id))
  return it
end
function store.read(id, after, messages, body_bytes)
  local page = {}
  for i, it in ipairs(mail(id, after + 1, "+", messages)) do
    it.sender_deleted = it.sender_id and not live(it.sender_id)
    page[i] = it
    body_bytes = body_bytes - (it.body_bytes or #it.positions * BOUNCE_POSITION_BYTES)
    if body_bytes <= 0 then break end
  end
  return page
end
function store.shares(id)
  local shares, of = {}, {}
  for _, it in ipairs(mail(id, "-", "+")) do
    local sender = it.sender_id or it.recipient_id
    if not of[sender] then
      of[sender] = {sender = sender, sender_deleted = not live(sender), messages = 0,
        bounces = 0, body_bytes = 0, oldest_at_ms = it.sent_at_ms}
      shares[#shares + 1] = of[sender]
    end
    local share, count = of[sender], it.body and "messages" or "bounces"
    share[count] = share[count] + 1
    share.body_bytes = share.body_bytes + (it.body_bytes or 0)
    share.oldest_at_ms = math.min(share.oldest_at_ms, it.sent_at_ms)
  end
  table.sort(shares, function(one, two) return one.sender < two.sender end)
  return shares
end
function store.sent(id, after, messages)
  if not live(id) then return {{}, cjson.null} end
  local first, places = "(" .. pair(unpack(after)), {}
  local page = call("ZRANGEBYLEX", at("sent", id), first, "+", "LIMIT", 0, messages)
  for _, it in ipairs(page) do
    local to, position = numbers(it)
    if to ~= id then places[#places + 1] = {account(to).username, to, position} end
  end
  return {places, #page == messages and {numbers(page[messages])} or cjson.null}
end

-- deletions

local function take_mark(mark)
  call("HSET", at("state"), "log_mark", cjson.encode(mark))
end
local function decide(it, retract, delivered, key)
  for _, piece in ipairs(mail(it.id, "-", "+")) do
    if piece.body then
      call("ZREM", at("sent", piece.sender_id), pair(it.id, piece.position))
      call("ZADD", at("left", it.id), 0, pair(piece.sender_id, piece.position))
    end
  end
  call("DEL", at("mail", it.id))
  local sent = call("ZRANGE", at("sent", it.id), 0, -1)
  for _, place in ipairs(retract and sent or {}) do
    local to, position = numbers(place)
    call("XDEL", at("mail", to), position)
    call("ZREM", at("sent", it.id), place)
  end
  set_token(it, nil)
  it.addresses = {}
  it.deletion = {delivered = delivered, discarded = 0, bounces = 0, retracted = 0,
    kept = retract and 0 or #sent, retracting = retract and #sent or 0}
  save(it)
  drop("names", it.username)
  call("ZADD", at("deletions"), call("HINCRBY", at("state"), "decisions", 1), it.id)
  note_request(key, it.id, true)
end
function store.delete_account(id, epoch, discard, retract, delivered, key, _, mark)
  local it = live(id, epoch)
  if not it or not discard and call("XLEN", at("mail", id)) > 0 then return false end
  decide(it, retract, delivered, key)
  if mark ~= cjson.null then take_mark(mark) end
  return true
end
function store.log_mark() return cjson.decode(state("log_mark") or '[0, ""]') end
function store.identity() return state("identity") end
function store.erase_again(logged)
  local mark, erasure = unpack(logged)
  take_mark(mark)
  if erasure == cjson.null then return end
  local it, delivered = live(erasure.account), 0
  if not it then
    local last_id = tonumber(call("GET", at("last_id")) or 0)
    call("SET", at("last_id"), math.max(last_id, erasure.account))
    return
  end
  if not erasure.discard then
    delivered = call("XLEN", at("mail", it.id)) - it.bounces
    store.acknowledge(it.id, it.epoch, it.head)
  end
  decide(live(it.id), erasure.retract, delivered, erasure.key)
end
function store.pending_deletions()
  local pending = {}
  for _, id in ipairs(call("ZRANGE", at("deletions"), 0, -1)) do
    local it = account(id)
    if not it.deletion.finished then pending[#pending + 1] = it.id end
  end
  return pending
end
function store.left_to_discard(id, messages)
  local it, left = account(id), call("ZRANGE", at("left", id), 0, messages - 1)
  for i, row in ipairs(left) do left[i] = {numbers(row)} end
  return {it and it.deletion and it.deletion.discarded or 0, left}
end
function store.discard(id, chunks, discarded, at_ms)
  local it, bounces = account(id), {}
  local deletion = it and it.deletion
  if not deletion or deletion.discarded ~= discarded then return bounces end
  for _, chunk in ipairs(chunks) do
    local to, positions = unpack(chunk)
    for _, position in ipairs(positions) do
      call("ZREM", at("left", id), pair(to, position))
    end
    deletion.discarded = deletion.discarded + #positions
    local sender = live(to)
    if sender then
      sender.bounces, deletion.bounces = sender.bounces + 1, deletion.bounces + 1
      local head = append(sender, {recipient = it.username, recipient_id = id,
        positions = positions, sent_at_ms = at_ms})
      bounces[#bounces + 1] = {to, head}
    end
  end
  save(it)
  return bounces
end
function store.clean_up(id, messages)
  local it = account(id)
  local deletion = it and it.deletion
  if not deletion then return {receipt = {}, finished = true} end
  if call("EXISTS", at("left", id)) == 0 then
    messages = math.min(messages, deletion.retracting)
    deletion.retracting = deletion.retracting - messages
    deletion.retracted = deletion.retracted + messages
    deletion.finished = deletion.retracting == 0
    save(it)
  end
  return {receipt = deletion, finished = deletion.finished or false}
end
function store.first_use(key)
  local request = find("requests", key)
  if not request then return end
  local it = account(request.id)
  it.account, it.is_deletion = it.id, request.is_deletion
  return it
end
function store.horizon() return state("horizon") or "" end
function store.forget(oldest)
  if oldest > store.horizon() then call("HSET", at("state"), "horizon", oldest) end
  call("ZREMRANGEBYLEX", at("sent_keys"), "-", "(" .. oldest)
  call("ZREMRANGEBYLEX", at("requests"), "-", "(" .. oldest)
  local oldest_ms, named = tonumber(oldest:sub(1, 12), 16) or 0, {}
  for _, it in ipairs(rows("invitations", "-", "+")) do
    if it.expires_at_ms <= oldest_ms then drop("invitations", it.invitation) end
  end
  for _, it in ipairs(rows("requests", "-", "+")) do named[it.id] = true end
  for _, id in ipairs(call("ZRANGE", at("deletions"), 0, -1)) do
    if account(id).deletion.finished and not named[tonumber(id)] then
      call("DEL", at("account", id))
      call("ZREM", at("deletions"), id)
    end
  end
end

-- One transaction. A call that fails takes none along.
if state("opening") ~= ARGV[2] then
  return redis.error_reply("another process has opened the store")
end
local REFUSALS = {OOM = true, MISCONF = true, READONLY = true}  -- of the first write
local answers = {}
for i, it in ipairs(cjson.decode(ARGV[1])) do
  local is_done, answer = pcall(store[it[1]], unpack(it, 2))
  local reason = not is_done and tostring(answer)
  if is_done then
    answers[i] = {answer = answer}
  elseif REFUSALS[reason:match("^%u+")] then
    answers[i] = {refused = reason}
  else
    answers[i] = {failed = reason}
  end
end
return cjson.encode(answers)
""".replace("KNOWN_ADDRESSES", "16").replace("BOUNCE_POSITION_BYTES", "8")


class RedisStore(RemoteStore):
    """See ``chatcore.Store``; ``open_redis`` makes one."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__()
        self._prefix, self._me, self._opening = prefix, secrets.token_hex(8), ""
        self._connection = ConnectionPool.from_url(
            url,
            client_name=f"{prefix}:{self._me}",
            decode_responses=True,
            protocol=3,
            socket_timeout=10,
            retry=Retry(NoBackoff(), 0),  # what is sent twice may be committed twice
        ).make_connection()

    async def connect(self) -> None:
        """From now on nobody else commits, nor what was sent over an earlier link."""
        await self._connection.connect()
        state, opening = f"{self._prefix}:state", f"{self._me}{secrets.token_hex(8)}"
        name = rf"name={re.escape(self._prefix)}:(\w+)"
        names = re.findall(name, str(await self._send("CLIENT", "LIST")))
        last = str(await self._send("HGET", state, "opening"))
        had_other = self._opening and not last.startswith(self._me)
        if had_other or {*names} != {self._me}:
            raise StoreInUse(path=f"{self._prefix} in Redis")
        syncs = await self._send("CONFIG", "GET", "appendonly", "appendfsync")
        self.durable = syncs == {"appendonly": "yes", "appendfsync": "always"}
        self._script = await self._send("SCRIPT", "LOAD", LUA)
        await self._send("HSETNX", state, "identity", opening)
        await self._send("HSET", state, "opening", opening)
        self._opening = opening

    async def carry_out(self, calls: str) -> str:
        """See ``chatcore.RemoteStore``."""
        try:
            if not self._connection.is_connected:
                await self.connect()
        except (RedisError, OSError, StoreInUse) as error:
            await self._connection.disconnect()
            raise StoreUnavailable(reason=str(error)) from error
        script = ("EVALSHA", self._script, 1, self._prefix)
        try:
            return str(await self._send(*script, calls, self._opening))
        except ResponseError as error:  # it has not begun
            raise StoreUnavailable(reason=str(error)) from error

    async def close(self) -> None:
        """See ``chatcore.RemoteStore``."""
        await super().close()
        await self._connection.disconnect()

    async def _send(self, *command: object) -> object:
        await self._connection.send_command(*command)
        return await self._connection.read_response()


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[RedisStore]:
    """The store in a database of Redis; ``?prefix=NAME`` tells several in it apart."""
    place, _, prefix = url.partition("?prefix=")
    store = RedisStore(place.replace("redis:///", "unix:///"), prefix or "chat")
    try:
        try:
            await store.connect()
        except (RedisError, OSError) as error:
            raise BadStoreUrl(url=url, reason=str(error)) from error
        yield store
    finally:
        await store.close()


# What the tests need: see --store-module in docs/testing.md.
SCHEME, URL, STORE, DURABLE = "redis", "redis:///{folder}/redis.sock", open_redis, True
SERVER = ["redis-server", "--port", "0", "--unixsocket", "redis.sock", "--save", ""]
SERVER += ["--appendonly", "yes", "--appendfsync", "always"]
READY = "eady to accept"
CHECK = ["redis-check-aof", "{folder}/appendonlydir/appendonly.aof.manifest"]
