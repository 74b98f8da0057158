-- Live sound: what is said, in a buffer. Lines that are final stay; below them stands what may still change.

local buffers = require('auscult.buffers')
local process = require('auscult.process')
local recordings = require('auscult.recordings')
local report = require('auscult.report')
local settings = require('auscult.settings')

local M = {}

local space = vim.api.nvim_create_namespace('auscult-live')

-- What becomes of the buffer for an event.
local function shower(buffer)
  -- Lines that are final.
  local final = 0
  local function put(line, seconds)
    buffers.replace(buffer, final, { line, '' })
    vim.api.nvim_buf_set_extmark(buffer, space, final, 0, { virt_text = { { '  ' .. seconds, 'Comment' } } })
    final = final + 1
  end
  return {
    segment = function(event)
      local from, to = recordings.time(event.start or 0), recordings.time(event['end'] or 0)
      put(vim.trim(event.text or ''), from .. ' – ' .. to)
    end,
    gap = function(event)
      put(('[sound was lost: %s]'):format(event.reason or ''), recordings.time(event.start or 0))
    end,
    hypothesis = function(event)
      local text = vim.trim(event.text or '')
      buffers.replace(buffer, final, { text })
      if text ~= '' then
        vim.api.nvim_buf_set_extmark(buffer, space, final, 0, { end_col = #text, hl_group = 'Comment' })
      end
    end,
  }
end

-- Listens to a sound input ('' for the default one), or to a file as time goes by ('file=talk.wav', 'file=demo:NAME'),
-- until the buffer is wiped or :AuscultStop. `done(problem)` is called at the end. Returns the buffer.
function M.open(source, done)
  local file = source:match('^file=(.*)$')
  if file == '' then error('expected a name behind file=', 0) end
  local arguments = { 'listen', '--format', 'json', '--quiet' }
  if file then
    vim.list_extend(arguments, { '--file', file })
  elseif source ~= '' then
    vim.list_extend(arguments, { '--device', source })
  end
  if settings.model ~= '' then vim.list_extend(arguments, { '--model', settings.model }) end
  local buffer = buffers.open('live/' .. (source ~= '' and source or 'default'))
  local show = shower(buffer)
  local succeeded, cancel = pcall(process.start, arguments, function(line)
    local readable, event = pcall(vim.json.decode, line, { luanil = { object = true } })
    if not readable or type(event) ~= 'table' then return report.fault('auscult listen printed no event: ' .. line) end
    if show[event.event] and vim.api.nvim_buf_is_valid(buffer) then show[event.event](event) end
  end, done)
  if not succeeded then
    vim.api.nvim_buf_delete(buffer, { force = true })
    error(cancel, 0)
  end
  M.running[buffer] = cancel
  buffers.on_wipe(buffer, function()
    M.running[buffer] = nil
    cancel()
  end)
  return buffer
end

-- What ends a session, by its buffer.
M.running = {}

-- Ends the session of the current buffer and keeps its text.
function M.stop()
  local cancel = M.running[vim.api.nvim_get_current_buf()]
  if not cancel then error('nobody listens in this buffer', 0) end
  M.running[vim.api.nvim_get_current_buf()] = nil
  cancel()
end

return M
