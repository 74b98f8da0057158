-- What is inside the model: its hook points, and what they are at most on a recording.

local bridge = require('auscult.bridge')
local buffers = require('auscult.buffers')
local bytes = require('auscult.bytes')
local recordings = require('auscult.recordings')
local report = require('auscult.report')
local settings = require('auscult.settings')

local M = {}

-- Columns of each hook point that a trace shows.
local shown = 10

-- Lists the hook points that a name, a glob or an alias means, in a new buffer. `done(problem, hooks)` is called at the
-- end.
function M.hooks(pattern, done)
  local buffer = buffers.open('hooks/' .. pattern)
  local request = { pattern = pattern, model = { name = settings.model } }
  bridge.call('auscult.v1.Model/Hooks', request, function(problem, result)
    local hooks = result and result.hooks or {}
    if problem then report.fault(report.words(problem)) end
    buffers.append(buffer, vim.tbl_map(function(hook)
      local shape = table.concat(hook.shape or {}, ' × ')
      return ('%s  %s  %s'):format(hook.name, shape, table.concat(hook.axes or {}, ' × '))
    end, hooks))
    if done then done(problem, hooks) end
  end)
  return buffer
end

-- The line of a tensor: its name, and the columns in which it is largest.
local function line(header, data)
  local numbers = bytes.floats(data)
  local order = {}
  for i = 1, #numbers do
    if numbers[i] == numbers[i] then table.insert(order, i) end
  end
  table.sort(order, function(a, b) return numbers[a] > numbers[b] end)
  local largest = {}
  for i = 1, math.min(shown, #order) do
    table.insert(largest, ('%d: %.3f'):format(order[i] - 1, numbers[order[i]]))
  end
  return ('%s  %s  %s'):format(header.name, table.concat(header.shape or {}, ' × '), table.concat(largest, '  '))
end

-- Traces hook points on a recording, and shows for each, and for each window, the columns whose maximum over its frames
-- or tokens is largest, the index (row by row, where it has several axes) and the value. `done(problem, summary)` is
-- called at the end. Returns the buffer; wiping it ends the work.
function M.trace(file, hooks, done)
  local source = recordings.source(file)
  if #hooks == 0 then error('expected a recording and hook points: FILE HOOK …', 0) end
  local buffer = buffers.open(('trace/%s/%s'):format(file, table.concat(hooks, ' ')))
  local header, pieces, summary
  local function flush()
    if header then buffers.append(buffer, { line(header, table.concat(pieces)) }) end
    header, pieces = nil, {}
  end
  local cancel = bridge.call('auscult.v1.Trace/Run', {
    audio = source, hooks = hooks, reduction = 'MAX', model = { name = settings.model },
  }, function(problem)
    if problem and problem.code ~= bridge.cancelled then report.fault(report.words(problem)) end
    if done then done(problem, summary) end
  end, function(message)
    if message.tensor then
      flush()
      header = message.tensor
    elseif message.chunk then
      table.insert(pieces, bytes.decode(message.chunk.data or ''))
    elseif message.done then
      flush()
      summary = message.done
    end
  end)
  buffers.on_wipe(buffer, cancel)
  return buffer
end

return M
