-- Commands of the command line whose output goes to a buffer as it comes: it writes results as text better than an
-- editor could.

local buffers = require('auscult.buffers')
local report = require('auscult.report')
local settings = require('auscult.settings')

local M = {}

-- What a program says on standard error is one message at its end; the name that it puts before it is said already.
local function complaint(lines)
  local words = {}
  for _, one in ipairs(lines) do
    local text = vim.trim((one:gsub('^auscult: ', ''):gsub('^error: ', '')))
    if text ~= '' then table.insert(words, text) end
  end
  return table.concat(words, '\n')
end

-- Starts `auscult ARGUMENTS…`; `take(line)` for each whole line that it prints, `done(problem)` at its end.
-- Returns what ends it. An error where the program cannot be started.
function M.start(arguments, take, done)
  local missing = settings.missing()
  if missing then error(missing, 0) end
  local rest, said, is_stopped = '', { '' }, false
  local job = vim.fn.jobstart(vim.list_extend({ settings.program }, arguments), {
    on_stdout = function(_, lines)
      -- The first goes on from what came before, the last is not whole yet.
      lines[1] = rest .. lines[1]
      rest = table.remove(lines)
      for _, one in ipairs(lines) do take(one) end
    end,
    on_stderr = function(_, lines)
      said[#said] = said[#said] .. lines[1]
      vim.list_extend(said, lines, 2)
    end,
    on_exit = function(_, status)
      if rest ~= '' then take(rest) end
      local problem
      if is_stopped then
        problem = { code = -32800, message = 'it was ended' }
      elseif status ~= 0 then
        local words = complaint(said)
        problem = { code = status, message = words ~= '' and words or ('auscult ended with status %d'):format(status) }
        report.fault(problem.message)
      end
      if done then done(problem) end
    end,
  })
  if job <= 0 then error(('%s could not be started'):format(settings.program), 0) end
  return function()
    is_stopped = true
    vim.fn.jobstop(job)
  end
end

-- The same into a new buffer, whose wiping ends the command.
function M.show(name, arguments, done)
  local buffer = buffers.open(name)
  local succeeded, cancel = pcall(M.start, arguments, function(line) buffers.append(buffer, { line }) end, done)
  if not succeeded then
    vim.api.nvim_buf_delete(buffer, { force = true })
    error(cancel, 0)
  end
  buffers.on_wipe(buffer, cancel)
  return buffer
end

return M
