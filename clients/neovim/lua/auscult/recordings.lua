-- What a user calls a recording, and when something is heard in it.

local M = {}

-- The contract's AudioSource of a file, or of an embedded clip (demo:NAME). The daemon opens files itself, and knows
-- nothing of our folder.
function M.source(file)
  local clip = file:match('^demo:(.+)$')
  if clip then return { clip = clip } end
  if file == '' or file == 'demo:' then error('expected a sound file, or demo:NAME', 0) end
  -- As Vim's own commands have it: % is this buffer's file, # the other one's.
  if file:match('^[%%#]') then file = vim.fn.expand(file) end
  if file == '' then error('this buffer has no file', 0) end
  return { path = vim.fn.fnamemodify(file, ':p'), name = file }
end

-- Seconds as a reader takes them: 3.20, 1:05.70.
function M.time(seconds)
  local minutes = math.floor(seconds / 60)
  if minutes == 0 then return ('%.2f'):format(seconds) end
  return ('%d:%05.2f'):format(minutes, seconds - 60 * minutes)
end

return M
