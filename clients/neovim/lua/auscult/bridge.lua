-- The daemon, through `auscult bridge --stdio`.
--
-- The bridge speaks JSON-RPC with the framing of the Language Server Protocol, so Neovim's own client for that carries
-- it. A method is called by its full name; the messages of a stream come as notifications `$/stream` {id, message}, and
-- the answer to the request at its end.

local report = require('auscult.report')
local settings = require('auscult.settings')

local M = {}

-- What a call that was cancelled ends with.
M.cancelled = -32800

-- The running bridge; nil before the first call and after its end.
local bridge
-- What takes the messages of a stream, and what ends a call, by the id of its request.
local streams, open = {}, {}

local dispatchers = {
  notification = function(method, params)
    local take = method == '$/stream' and streams[params.id]
    if take then take(params.message) end
  end,
  server_request = function() return nil, { code = -32601, message = 'nothing can be asked of the editor' } end,
  on_error = function(code, problem) report.fault(('the bridge: %s %s'):format(code, vim.inspect(problem))) end,
  on_exit = function(code)
    -- Calls that are open have no answer any more.
    local left = open
    bridge, streams, open = nil, {}, {}
    vim.schedule(function()
      for _, finish in pairs(left) do
        finish({ code = -32000, message = ('the bridge to the daemon ended with status %d'):format(code) })
      end
    end)
  end,
}

local function start()
  if bridge then return bridge end
  local program, missing = settings.program, settings.missing()
  if missing then return nil, missing end
  local arguments = { 'bridge', '--stdio', '--quiet' }
  local succeeded, started
  if vim.fn.has('nvim-0.10') == 1 then
    succeeded, started = pcall(vim.lsp.rpc.start, vim.list_extend({ program }, arguments), dispatchers)
  else
    succeeded, started = pcall(vim.lsp.rpc.start, program, arguments, dispatchers)
  end
  if not succeeded or not started then
    return nil, ('%s bridge cannot be started: %s'):format(program, tostring(started))
  end
  bridge = started
  return bridge
end

-- Calls a method: `done(problem, result)` once at its end, `take(message)` for each message of a stream before it. A
-- problem is a table with `message`, and the daemon's `data.code` where it refused.
-- An empty `params` is vim.empty_dict(), since {} would be sent as a list.
-- Returns a function that cancels the call.
function M.call(method, params, done, take)
  local id
  local ended = false
  local function finish(problem, result)
    if ended then return end
    ended = true
    if id then streams[id], open[id] = nil, nil end
    done(problem, result)
  end
  local rpc, missing = start()
  local sent, number
  if rpc then sent, number = rpc.request(method, params, finish) end
  if not sent then
    finish({ code = -32000, message = missing or 'the bridge does not take requests any more' })
    return function() end
  end
  id = number
  if not ended then streams[id], open[id] = take, finish end
  return function()
    if ended then return end
    rpc.notify('$/cancelRequest', { id = id })
    -- Neovim keeps the answer to a cancelled request to itself.
    finish({ code = M.cancelled, message = 'the request was cancelled' })
  end
end

-- Calls a method that answers at once, and waits: the result, or nil and the problem.
function M.ask(method, params, patience)
  local ended, problem, result = false, nil, nil
  local cancel = M.call(method, params, function(...)
    problem, result = ...
    ended = true
  end)
  if not vim.wait(patience or settings.patience, function() return ended end, 5) then
    cancel()
    return nil, { code = M.cancelled, message = ('the daemon did not answer %s in time'):format(method) }
  end
  return result, problem
end

return M
