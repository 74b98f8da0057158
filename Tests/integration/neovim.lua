-- Run by neovim.sh: writes what the buffers of clients/neovim/auscult.lua hold into a folder.
local auscult = dofile(os.getenv('AUSCULT_LUA'))
auscult.command = { os.getenv('AUSCULT'), 'bridge', '--stdio' }
local folder = os.getenv('OUT')

-- Ends Neovim with a status that is not 0.
local function fail(message)
  io.stderr:write(message .. '\n')
  vim.cmd('cquit')
end

local function wait_for(what, begin)
  local ended, problem
  local buffer = begin(function(error) ended, problem = true, error end)
  if not vim.wait(60000, function() return ended end, 10) then fail(what .. ' did not end') end
  return buffer, problem
end

local function write(buffer, name)
  vim.fn.writefile(vim.api.nvim_buf_get_lines(buffer, 0, -1, true), folder .. '/' .. name)
end

local function run()
  local buffer, problem = wait_for('the transcript', function(done) return auscult.transcribe('demo:en-slt-01', done) end)
  if problem then fail(problem.message) end
  write(buffer, 'transcript.txt')

  -- By the commands, as a user does it.
  local count = #vim.api.nvim_list_bufs()
  vim.cmd('AuscultHooks encoder.blocks.0.mlp.1')
  if #vim.api.nvim_list_bufs() ~= count + 1 then fail(':AuscultHooks opened no buffer') end
  local hooks = vim.api.nvim_get_current_buf()
  local shown = function() return vim.api.nvim_buf_get_lines(hooks, 0, 1, true)[1] ~= '' end
  if not vim.wait(60000, shown, 10) then fail(':AuscultHooks showed nothing') end
  write(hooks, 'hooks.txt')

  local _, refused = wait_for('a recording that is not there', function(done)
    return auscult.transcribe('/no/such/recording.wav', done)
  end)
  if not refused or refused.data.code ~= 'NOT_FOUND' then fail('expected NOT_FOUND, got ' .. vim.inspect(refused)) end

  -- Closing the buffer ends the work, in the daemon too.
  local cancelled
  local long = auscult.transcribe('demo:en-long-01', function(error) cancelled = error or 'a transcript' end)
  vim.api.nvim_buf_delete(long, { force = true })
  if not vim.wait(60000, function() return cancelled end, 10) then fail('a wiped buffer did not end the work') end
  if cancelled.code ~= -32800 then fail('expected -32800, got ' .. vim.inspect(cancelled)) end
  for _ = 1, 600 do
    local calls
    auscult.call('auscult.v1.Daemon/Status', vim.empty_dict(), function(error, status)
      if error then fail(error.message) end
      calls = status.calls
    end)
    if not vim.wait(60000, function() return calls end, 10) then fail('the daemon did not tell its calls') end
    if #calls == 1 and calls[1].method == 'auscult.v1.Daemon/Status' then return end
    vim.wait(100)
  end
  fail('the daemon goes on with what was cancelled')
end

local succeeded, problem = pcall(run)
if not succeeded then fail(tostring(problem)) end
vim.cmd('qall!')
