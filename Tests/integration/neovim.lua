-- Run by neovim.sh: every command of clients/neovim as a user gives it; what buffers hold goes into a folder.
local folder, program = os.getenv('OUT'), os.getenv('AUSCULT')
local auscult = require('auscult')
auscult.setup({ program = program })

-- Ends Neovim with a status that is not 0.
local function fail(message)
  io.stderr:write(message .. '\n')
  vim.cmd('cquit')
end

local function check(condition, message) if not condition then error(message, 2) end end

local function wait_until(what, condition)
  if not vim.wait(60000, condition, 10) then error(what .. ' did not come', 2) end
end

local function lines(buffer) return vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, true) end
local function write(found, name) vim.fn.writefile(found, folder .. '/' .. name) end

-- What the user was told.
local said = {}
vim.notify = function(message) table.insert(said, message) end

-- Does something, and waits until the user is told what the pattern has.
local function told(pattern, body)
  said = {}
  local succeeded, problem = pcall(body)
  check(succeeded, 'a traceback: ' .. tostring(problem))
  vim.wait(60000, function() return #said > 0 end, 10)
  check(#said == 1 and said[1]:find(pattern), ("expected '%s', got %s"):format(pattern, vim.inspect(said)))
  check(not said[1]:find('%.lua:%d') and not said[1]:find('traceback'), 'a place in the source: ' .. said[1])
end

local function ends(what, begin)
  local ended, problem, result = false, nil, nil
  local buffer = begin(function(...)
    problem, result = ...
    ended = true
  end)
  wait_until('the end of ' .. what, function() return ended end)
  return buffer, problem, result
end

local function transcripts()
  local buffer, problem, transcript = ends('the transcript', function(done) return auscult.transcribe('demo:en-slt-01', done) end)
  check(not problem and vim.trim(transcript.text) == lines(buffer)[1], vim.inspect(problem))
  write(lines(buffer), 'transcript.txt')

  -- Words know their columns and times, and the quickfix list leads to them.
  vim.cmd('AuscultWords')
  local words = vim.fn.getqflist()
  local from, to = words[2].text:match('^(0%.%d+) – (0%.%d+)  0%.%d+  goat$')
  check(#words == 9 and words[2].col == 5 and from, vim.inspect(words[2]))
  vim.fn.writefile({ string.format('%.0f', 1000 * (to - from)) }, folder .. '/word-milliseconds.txt')
  vim.cmd('cc 2')
  check(vim.api.nvim_get_current_buf() == buffer and vim.fn.expand('<cword>') == 'goat', 'the list leads to ' .. vim.fn.expand('<cword>'))
  local probabilities = vim.tbl_map(function(word) return tonumber(word.text:match('  (%d%.%d+)  ')) end, words)
  table.sort(probabilities)
  vim.cmd('AuscultWords ' .. (probabilities[1] + probabilities[2]) / 2)
  check(#vim.fn.getqflist() == 1, 'one word is the least probable of ' .. vim.inspect(probabilities))
  vim.cmd('cc 1')
  vim.cmd('AuscultSegments')
  check(vim.fn.getqflist()[1].text:find('the goat is cold'), vim.inspect(vim.fn.getqflist()))
  vim.cmd('cclose')

  -- The word under the cursor is played; of a line that was changed, its segment would be.
  auscult.setup({ player = { folder .. '/player', '--quick' } })
  vim.api.nvim_win_set_cursor(0, { 1, 5 })
  vim.cmd('AuscultPlay')
  wait_until('the sound', function() return vim.fn.getfsize(folder .. '/played.wav') > 0 end)
  local at_cursor = require('auscult.transcript').at_cursor
  local _, _, word = at_cursor()
  check(word.text == 'goat', vim.inspect(word))
  vim.api.nvim_buf_set_lines(buffer, 0, 0, true, { 'a title' })
  told('nothing of the recording belongs to this line', function()
    vim.api.nvim_win_set_cursor(0, { 1, 0 })
    vim.cmd('AuscultPlay')
  end)
  vim.api.nvim_win_set_cursor(0, { 2, 5 })
  vim.cmd('normal! ciwcoat')
  local _, segment, changed = at_cursor()
  check(segment.start == 0 and not changed, 'a line that was changed has its segment, and no words')
  auscult.setup({ player = { '/no/such/player' } })
  told('/no/such/player', function() vim.cmd('AuscultPlay!') end)

  -- Below the cursor of any buffer, and not where nothing may be written; a name with blanks.
  vim.cmd('new')
  vim.api.nvim_buf_set_lines(0, 0, -1, true, { 'above', 'below' })
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
  local target = vim.api.nvim_get_current_buf()
  vim.cmd('AuscultTranscribe! ' .. folder .. '/two\\ words.flac')
  wait_until('the text below the cursor', function() return #lines(target) == 3 end)
  check(lines(target)[1] == 'above' and lines(target)[3] == 'below', vim.inspect(lines(target)))
  write({ lines(target)[2] }, 'inserted.txt')
  vim.bo.modifiable = false
  told('cannot be changed', function() vim.cmd('AuscultTranscribe! demo:en-slt-01') end)
  told('no transcript', function() vim.cmd('AuscultWords') end)
  told('no transcript', function() vim.cmd('AuscultSegments') end)
  told('no transcript', function() vim.cmd('AuscultPlay') end)
  told("a probability, 0 to 1, not 'half'", function() vim.cmd('AuscultWords half') end)
  told("a probability, 0 to 1, not '1.5'", function() vim.cmd('AuscultWords 1.5') end)
end

local function inside()
  local count = #vim.api.nvim_list_bufs()
  vim.cmd('AuscultHooks encoder.blocks.0.mlp.1')
  check(#vim.api.nvim_list_bufs() == count + 1, ':AuscultHooks opened no buffer')
  local hooks = vim.api.nvim_get_current_buf()
  wait_until('the hook points', function() return lines(hooks)[1] ~= '' end)
  write(lines(hooks), 'hooks.txt')
  told('no.such.hook', function() vim.cmd('AuscultHooks no.such.hook') end)

  vim.cmd('AuscultTrace demo:en-slt-01 encoder.blocks.2.mlp.1 encoder.blocks.1.attn.q')
  local trace = vim.api.nvim_get_current_buf()
  wait_until('the trace', function() return #lines(trace) == 2 end)
  local both = table.concat(lines(trace), '\n')
  check(both:find('encoder%.blocks%.2%.mlp%.1  640  %d+: %d+%.%d+') and both:find('encoder%.blocks%.1%.attn%.q  5 × 32  %d+: '), both)
  told('FILE HOOK', function() vim.cmd('AuscultTrace demo:en-slt-01') end)
  told('no.such.hook', function() vim.cmd('AuscultTrace demo:en-slt-01 no.such.hook') end)

  -- Another model is asked for what it is asked for.
  told('the model is default', function() vim.cmd('AuscultModel') end)
  told('the model is no%-such%-model', function() vim.cmd('AuscultModel no-such-model') end)
  told('no%-such%-model', function() vim.cmd('AuscultHooks') end)
  told('no%-such%-model', function() vim.cmd('AuscultTranscribe demo:en-slt-01') end)
  told('the model is default', function() vim.cmd('AuscultModel default') end)

  -- float32 as bytes, in base64.
  local bytes = require('auscult.bytes')
  check(vim.deep_equal(bytes.floats(bytes.decode('AACAPwAAAMAAAAAAAQAAAA==')), { 1, -2, 0, 2 ^ -149 }), 'float32 is read wrongly')
  check(bytes.decode('YQ==') == 'a' and bytes.decode('YWI=') == 'ab' and bytes.decode('') == '', 'base64 is read wrongly')
end

local function analyses()
  vim.cmd('AuscultPlugins')
  local list = vim.api.nvim_get_current_buf()
  wait_until('the list of analyses', function() return table.concat(lines(list), '\n'):find('attention%-stats') end)
  local buffer, problem = ends('the analysis', function(done) return auscult.run({ 'attention-stats', 'demo:en-slt-01' }, done) end)
  check(not problem, vim.inspect(problem))
  write(lines(buffer), 'run.txt')
  told('no%-such%-plugin', function() vim.cmd('AuscultRun no-such-plugin demo:en-slt-01') end)
  told('nonsense', function() vim.cmd('AuscultRun attention-stats demo:en-slt-01 nonsense=1') end)
  told('PLUGIN FILE', function() vim.cmd('AuscultRun attention-stats') end)
end

local function live()
  local buffer, problem = ends('the live text', function(done) return auscult.listen('file=demo:en-slt-01', done) end)
  check(not problem, vim.inspect(problem))
  write(vim.tbl_filter(function(line) return line ~= '' end, lines(buffer)), 'live.txt')
  told('no/such', function() vim.cmd('AuscultListen file=/no/such/recording.wav') end)
  told('expected a name', function() vim.cmd('AuscultListen file=') end)
  vim.cmd('AuscultListen file=demo:en-long-01')
  local long = vim.api.nvim_get_current_buf()
  wait_until('live text', function() return lines(long)[1] ~= '' end)
  vim.cmd('AuscultStop')
  told('nobody listens', function() vim.cmd('AuscultStop') end)
  check(vim.api.nvim_buf_is_valid(long), ':AuscultStop keeps the text')
end

local function completion()
  local function offers(line, wanted)
    local found = vim.fn.getcompletion(line, 'cmdline')
    check(vim.tbl_contains(found, wanted), ("%s: %s is not among %s"):format(line, wanted, vim.inspect(found)))
    return found
  end
  offers('AuscultTranscribe demo:en-slt', 'demo:en-slt-01')
  offers('AuscultTranscribe ' .. folder .. '/two', folder .. '/two\\ words.flac')
  check(#offers('AuscultHooks encoder.blocks.0.mlp.', 'encoder.blocks.0.mlp.1') == 2, 'mlp.0 and mlp.1')
  offers('AuscultTrace ' .. folder .. '/two\\ words.flac encoder.ln', 'encoder.ln_post')
  offers('AuscultRun att', 'attention-stats')
  offers('AuscultRun attention-stats demo:en-slt-01 ', 'attention=')
  offers('AuscultListen file=demo:en-slt', 'file=demo:en-slt-01')
  offers('AuscultModel t', 'tiny.en')
end

local function help_and_health()
  vim.cmd('helptags ' .. folder .. '/auscult/doc')
  for name in pairs(vim.api.nvim_get_commands({})) do
    if vim.startswith(name, 'Auscult') then vim.cmd('help :' .. name) end
  end
  for line in io.lines(folder .. '/auscult/doc/auscult.txt') do
    for tag in line:gmatch('|(%S-)|') do vim.cmd('help ' .. tag) end
  end
  vim.cmd('checkhealth auscult')
  local text = table.concat(lines(), '\n')
  check(text:find('the daemon answers') and text:find('the model is default'), text)
  check(text:find('nothing here plays sound'), text)
end

local function refusals()
  local _, refused = ends('a recording that is not there', function(done) return auscult.transcribe('/no/such/recording.wav', done) end)
  check(refused and refused.data.code == 'NOT_FOUND', vim.inspect(refused))
  told('no/such', function() vim.cmd('AuscultTranscribe /no/such/recording.wav') end)
  told('no%-such%-clip', function() vim.cmd('AuscultTranscribe demo:no-such-clip') end)
  told('expected a sound file, or demo:NAME', function() vim.cmd('AuscultTranscribe demo:') end)
  vim.cmd('enew')
  told('this buffer has no file', function() vim.cmd('AuscultTranscribe %') end)
  for given, words in pairs({ [{ color = 1 }] = "no setting is called 'color'", [{ model = 3 }] = "'model' is a number" }) do
    local succeeded, problem = pcall(auscult.setup, given)
    check(not succeeded and problem:find(words, 1, true), tostring(problem))
  end
end

-- Closing the buffer ends the work, in the daemon too.
local function cancelling()
  local cancelled
  local long = auscult.transcribe('demo:en-long-01', function(problem) cancelled = problem or 'a transcript' end)
  vim.api.nvim_buf_delete(long, { force = true })
  wait_until('the end of what was closed', function() return cancelled end)
  check(cancelled.code == -32800, 'expected -32800, got ' .. vim.inspect(cancelled))
  for _ = 1, 600 do
    local calls
    auscult.call('auscult.v1.Daemon/Status', vim.empty_dict(), function(problem, status) calls = problem or status.calls end)
    wait_until("the daemon's calls", function() return calls end)
    if #calls == 1 and calls[1].method == 'auscult.v1.Daemon/Status' then return end
    vim.wait(100)
  end
  error('the daemon goes on with what was cancelled')
end

-- The program is not there, or ends; last, since the bridge is gone then.
local function without()
  local processes = vim.fn.system({ 'pgrep', '-P', tostring(vim.fn.getpid()), '-f', 'bridge --stdio' })
  local _, problem = ends('a call whose bridge ends', function(done)
    auscult.transcribe('demo:en-long-01', done)
    vim.fn.system({ 'kill', vim.trim(processes) })
  end)
  check(problem and problem.message:find('the bridge to the daemon ended'), vim.inspect(problem))
  auscult.setup({ program = '/no/such/auscult' })
  for _, command in ipairs({
    'AuscultTranscribe demo:en-slt-01', 'AuscultTranscribe! demo:en-slt-01', 'AuscultHooks', 'AuscultTrace demo:en-slt-01 encoder.ln_post',
    'AuscultPlugins', 'AuscultRun attention-stats demo:en-slt-01', 'AuscultListen',
  }) do
    vim.cmd('enew')
    told("'/no/such/auscult' is no program", function() vim.cmd(command) end)
  end
  check(#vim.fn.getcompletion('AuscultRun att', 'cmdline') == 0, 'nothing is offered')
  vim.cmd('checkhealth auscult')
  check(table.concat(lines(), '\n'):find('is no program'), 'the health says so')
end

for _, part in ipairs({ transcripts, inside, analyses, live, completion, help_and_health, refusals, cancelling, without }) do
  local succeeded, problem = pcall(part)
  if not succeeded then fail(tostring(problem)) end
end
vim.cmd('qall!')
