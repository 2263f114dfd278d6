-- Makes wrk send each request that record.py saved once, unchanged, and prints the time it took. Use one thread.
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } moment; int clock_gettime(int, moment *);")
local requests, sent, answered, bad, begun = {}, -1, 0, 0, 0

local function now()
  local moment = ffi.new("moment")
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  while true do
    local length = file:read("*n")
    if not length then break end
    file:read(1)
    requests[#requests + 1] = file:read(length)
  end
  file:close()
end

-- wrk makes the first call itself, as a check. At the end, the last request is repeated until all answers have arrived.
function request()
  sent = sent + 1
  if sent == 1 then begun = now() end
  return requests[math.max(1, math.min(sent, #requests))]
end

function response(status)
  answered = answered + 1
  if status ~= 200 then bad = bad + 1 end
  if answered == #requests then
    io.write(string.format("replayed %d %.4f %d\n", answered, now() - begun, bad))
    io.flush()
    wrk.thread:stop()
  end
end
