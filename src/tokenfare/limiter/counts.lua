-- What is used of each window, as `memory.py` has it, and whose turn it is, as `shared.py` has it.
-- One call is one step: nothing happens in the server between its lines. The time is the server's,
-- so the clocks of those who call may differ. Slots are those of `window.py`.
--
-- KEYS: whose turn, when each was seen, closed until, and a hash of slots for each window named.
-- ARGV: a verb; for `take` who asks and after how many seconds of silence one who waits is gone; for
-- `close` the milliseconds; then six or five words for each hash, see below.

local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local turns, seen, closed = KEYS[1], KEYS[2], KEYS[3]

local WAITING_MS = 60000 -- of a queue that nobody asks about any more

local function exactly(number)
  return string.format('%.17g', number)
end

local function counts(held)
  local requests, tokens = string.match(held or '0 0', '^(%d+) (%d+)$')
  return tonumber(requests), tonumber(tokens)
end

-- The slots that count, oldest first; what is older is deleted. One beyond now is of a clock that
-- was set back.
local function live(key, slot_seconds, reach)
  local last = math.floor(now / slot_seconds)
  local found, old, all = {}, {}, redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local slot = tonumber(all[i])
    if slot < last - reach then
      old[#old + 1] = all[i]
    elseif slot <= last + 1 then
      local requests, tokens = counts(all[i + 1])
      found[#found + 1] = {slot, requests, tokens}
    end
  end
  for _, field in ipairs(old) do
    redis.call('HDEL', key, field)
  end
  table.sort(found, function(a, b) return a[1] < b[1] end)
  return found
end

-- The moment from which `asked` fits: slots leave the window one by one, the oldest first.
local function free_at(found, kind, most, asked, slot_seconds, reach)
  local total, moment = 0, 0
  for _, each in ipairs(found) do
    total = total + each[kind]
  end
  for _, each in ipairs(found) do
    if each[kind] > 0 then
      if most < 0 or asked == 0 or total == 0 or total + asked <= most then
        break
      end
      total = total - each[kind]
      moment = (each[1] + reach + 1) * slot_seconds
    end
  end
  return moment
end

local function add(key, slot, requests, tokens, keep_ms)
  local field = string.format('%.0f', slot)
  local before, tokens_before = counts(redis.call('HGET', key, field))
  local sums = {math.max(0, before + requests), math.max(0, tokens_before + tokens)}
  redis.call('HSET', key, field, string.format('%.0f %.0f', sums[1], sums[2]))
  redis.call('PEXPIRE', key, keep_ms)
end

-- Let those go who were seen between two moments.
local function forget(from, to)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', seen, from, to)) do
    redis.call('ZREM', turns, gone)
    redis.call('ZREM', seen, gone)
  end
end

-- For each hash: slot seconds, reach in slots, most requests and tokens (-1: any), requests and
-- tokens asked, milliseconds to keep it.
local function take(who, gone_seconds)
  forget('-inf', exactly(now - gone_seconds))
  forget(exactly(now + gone_seconds), '+inf') -- of a clock that was set back
  local first = redis.call('ZRANGE', turns, 0, 0)[1]
  -- What holds back for longest, by which window, and whether a refusal (0), others who came first
  -- (1), requests (2) or tokens (3).
  local pause, window, by = redis.call('PTTL', closed) / 1000, -1, 0
  local function held(seconds, held_window, held_by)
    if seconds > pause then
      pause, window, by = seconds, held_window, held_by
    end
  end
  held((first == nil or first == who) and 0 or gone_seconds, -1, 1)
  local asked = {}
  for i = 4, #KEYS do
    local at = 3 + (i - 4) * 7
    local one = {KEYS[i]}
    for word = 1, 7 do
      one[word + 1] = tonumber(ARGV[at + word])
    end
    asked[#asked + 1] = one
    local key, slot_seconds, reach, requests, tokens = one[1], one[2], one[3], one[4], one[5]
    local found = live(key, slot_seconds, reach)
    local by_requests = free_at(found, 2, requests, one[6], slot_seconds, reach)
    local by_tokens = free_at(found, 3, tokens, one[7], slot_seconds, reach)
    held(by_requests - now, i - 4, 2)
    held(by_tokens - now, i - 4, 3)
  end
  if pause > 0 then
    redis.call('ZADD', turns, 'NX', exactly(now), who)
    redis.call('ZADD', seen, exactly(now), who)
    redis.call('PEXPIRE', turns, WAITING_MS)
    redis.call('PEXPIRE', seen, WAITING_MS)
    return {exactly(pause), exactly(now), window, by}
  end
  redis.call('ZREM', turns, who)
  redis.call('ZREM', seen, who)
  for _, one in ipairs(asked) do
    add(one[1], math.floor(now / one[2]), one[6], one[7], one[8])
  end
  return {'0', exactly(now), -1, 0}
end

-- For each hash: slot seconds, the slot (empty: that of now), requests and tokens to add,
-- milliseconds to keep it.
local function book()
  for i = 4, #KEYS do
    local at = 1 + (i - 4) * 5
    local slot = tonumber(ARGV[at + 2]) or math.floor(now / tonumber(ARGV[at + 1]))
    add(KEYS[i], slot, tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), ARGV[at + 5])
  end
end

if ARGV[1] == 'take' then
  return take(ARGV[2], tonumber(ARGV[3]))
elseif ARGV[1] == 'book' then
  return book()
elseif redis.call('PTTL', closed) < tonumber(ARGV[2]) then
  redis.call('SET', closed, '1', 'PX', ARGV[2])
end
