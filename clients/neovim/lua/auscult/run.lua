-- Analyses: which there are, and what one gives for recordings.

local process = require('auscult.process')
local settings = require('auscult.settings')

local M = {}

function M.list(done) return process.show('plugins', { 'plugins' }, done) end

-- `words` are the plugin, recordings or data sets, and KEY=VALUE for its parameters. `done(problem)` is called at the
-- end.
function M.run(words, done)
  if #words < 2 then error('expected an analysis and recordings: PLUGIN FILE … [KEY=VALUE …]', 0) end
  local arguments = { 'run', words[1], '--quiet' }
  if settings.model ~= '' then vim.list_extend(arguments, { '--model', settings.model }) end
  for i = 2, #words do
    if words[i]:match('^[%w_.-]+=') then
      vim.list_extend(arguments, { '-p', words[i] })
    else
      table.insert(arguments, words[i])
    end
  end
  return process.show('run/' .. table.concat(words, ' '), arguments, done)
end

return M
