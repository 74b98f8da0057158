-- Auscult in Neovim (0.7.2 and later): transcripts and hook points in buffers, through `auscult bridge --stdio`.
--
-- The bridge speaks JSON-RPC with the framing of the Language Server Protocol, so Neovim's own client for that carries
-- it. A method is called by its full name; the messages of a stream come as notifications `$/stream` {id, message}, and
-- the answer to the request at its end.
--
--   :AuscultTranscribe FILE    writes a recording down; segments come as they are found
--   :AuscultHooks [GLOB]       lists the places in the model where one can listen

local M = {}

-- The command that is started; change it before the first call.
M.command = { 'auscult', 'bridge', '--stdio' }

-- The running bridge; nil before the first call and after its end.
local bridge
-- What takes the messages of a stream, by the id of its request.
local streams = {}

local function report(message) vim.notify('auscult: ' .. message, vim.log.levels.ERROR) end

local dispatchers = {
  notification = function(method, params)
    local take = method == '$/stream' and streams[params.id]
    if take then take(params.message) end
  end,
  server_request = function() return nil, { code = -32601, message = 'nothing can be asked of the editor' } end,
  on_error = function(code, error) report(('the bridge: %s %s'):format(code, vim.inspect(error))) end,
  on_exit = function(code)
    if code ~= 0 then report(('the bridge ended with status %d'):format(code)) end
    bridge, streams = nil, {}
  end,
}

local function start()
  if bridge then return bridge end
  if vim.fn.has('nvim-0.10') == 1 then
    bridge = vim.lsp.rpc.start(M.command, dispatchers)
  else
    bridge = vim.lsp.rpc.start(M.command[1], vim.list_slice(M.command, 2), dispatchers)
  end
  if not bridge then report(M.command[1] .. ' cannot be started') end
  return bridge
end

-- Calls a method: `done(error, result)` at its end, `take(message)` for each message of a stream before it.
-- An empty `params` is vim.empty_dict(), since {} would be sent as a list.
-- Returns a function that cancels the call, which ends it with the error -32800.
function M.call(method, params, done, take)
  local rpc = start()
  if not rpc then return function() end end
  local id
  local ended = false
  local function finish(error, result)
    if ended then return end
    ended = true
    streams[id] = nil
    done(error, result)
  end
  local sent, number = rpc.request(method, params, finish)
  if not sent then
    report('the bridge does not take requests any more')
    return function() end
  end
  id = number
  streams[id] = take
  return function()
    if ended then return end
    rpc.notify('$/cancelRequest', { id = id })
    -- Neovim keeps the answer to a cancelled request to itself.
    finish({ code = -32800, message = 'the request was cancelled' })
  end
end

-- A new buffer in a window of its own, without a file.
local function open_buffer(name)
  vim.cmd('botright new')
  local buffer = vim.api.nvim_get_current_buf()
  vim.bo[buffer].buftype = 'nofile'
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].swapfile = false
  -- A second transcript of a recording keeps the number that Neovim gave it.
  pcall(vim.api.nvim_buf_set_name, buffer, name)
  return buffer
end

-- Adds lines at the end of a buffer, in place of the empty line that every new one has.
local function append(buffer, lines)
  if not vim.api.nvim_buf_is_valid(buffer) then return end
  local last = vim.api.nvim_buf_line_count(buffer)
  local is_empty = last == 1 and vim.api.nvim_buf_get_lines(buffer, 0, 1, true)[1] == ''
  vim.api.nvim_buf_set_lines(buffer, is_empty and 0 or -1, -1, true, lines)
end

-- The daemon opens files itself, and knows nothing of our folder.
local function audio_source(file)
  local clip = file:match('^demo:(.+)$')
  if clip then return { clip = clip } end
  return { path = vim.fn.fnamemodify(file, ':p'), name = file }
end

-- Writes a recording down in a new buffer. `done(error, transcript)` is called at the end.
-- Returns the buffer; wiping it ends the work.
function M.transcribe(file, done)
  local buffer = open_buffer('auscult://' .. file)
  local transcript
  local cancel = M.call('auscult.v1.Transcribe/Stream', { audio = audio_source(file) }, function(error)
    if error and error.code ~= -32800 then report(error.message) end
    if done then done(error, transcript) end
  end, function(message)
    -- The text of a segment begins with the blank that stands before its first word.
    if message.segment then append(buffer, { vim.trim(message.segment.text or '') }) end
    if message.done then transcript = message.done end
  end)
  vim.api.nvim_create_autocmd('BufWipeout', { buffer = buffer, once = true, callback = function() cancel() end })
  return buffer
end

-- Lists the hook points that a name, a glob or an alias means, in a new buffer. `done(error, hooks)` is called at the end.
function M.hooks(pattern, done)
  local buffer = open_buffer('auscult://hooks/' .. pattern)
  M.call('auscult.v1.Model/Hooks', { pattern = pattern }, function(error, result)
    local hooks = result and result.hooks or {}
    if error then report(error.message) end
    for _, hook in ipairs(hooks) do
      local shape = table.concat(hook.shape or {}, ' × ')
      append(buffer, { ('%s  %s  %s'):format(hook.name, shape, table.concat(hook.axes or {}, ' × ')) })
    end
    if done then done(error, hooks) end
  end)
  return buffer
end

vim.api.nvim_create_user_command('AuscultTranscribe', function(arguments) M.transcribe(arguments.args) end, {
  nargs = 1, complete = 'file', desc = 'Write a recording down in a new buffer',
})
vim.api.nvim_create_user_command('AuscultHooks', function(arguments) M.hooks(arguments.args) end, {
  nargs = '?', desc = "List the model's hook points",
})

return M
