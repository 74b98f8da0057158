-- Words for the user. What is called from the loop of events must not raise errors, so faults are messages.

local M = {}

local function say(message, level) vim.notify('auscult: ' .. message, level) end

function M.fault(message) say(message, vim.log.levels.ERROR) end
function M.note(message) say(message, vim.log.levels.INFO) end

-- Calls a function for a command of the user: an error is a message without a traceback.
function M.guarded(body)
  return function(arguments)
    local succeeded, problem = pcall(body, arguments)
    -- The place in the source, where there is one, is not for the user.
    if not succeeded then M.fault((tostring(problem):gsub('^auscult: ', ''):gsub('^[^%s]+%.lua:%d+: ', ''))) end
  end
end

-- The words that came with a failed call.
function M.words(problem) return type(problem) == 'table' and problem.message or tostring(problem) end

return M
