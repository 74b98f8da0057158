-- The sound of a word or a segment, by whatever this machine plays files with.

local bridge = require('auscult.bridge')
local bytes = require('auscult.bytes')
local recordings = require('auscult.recordings')
local report = require('auscult.report')
local settings = require('auscult.settings')

local M = {}

-- Programs that play a WAV file and end, with their arguments.
M.players = {
  { 'pw-play' }, { 'paplay' }, { 'aplay', '-q' }, { 'play', '-q' },
  { 'ffplay', '-nodisp', '-autoexit', '-loglevel', 'error' }, { 'mpv', '--no-video', '--really-quiet' }, { 'afplay' },
}

-- The player that is used, as a list; nil where there is none.
function M.player()
  for _, one in ipairs(settings.player and { settings.player } or M.players) do
    if one[1] and vim.fn.executable(one[1]) == 1 then return one end
  end
end

-- What plays now; a new sound ends it.
local playing

local function play_file(path, player)
  if playing then vim.fn.jobstop(playing) end
  local words = {}
  local job = vim.fn.jobstart(vim.list_extend(vim.deepcopy(player), { path }), {
    on_stderr = function(_, lines) vim.list_extend(words, lines) end,
    on_exit = function(id, status)
      vim.fn.delete(path)
      if playing == id then playing = nil end
      -- 143 is the end by a newer sound.
      if status ~= 0 and status ~= 143 then
        report.fault(('%s ended with status %d: %s'):format(player[1], status, vim.trim(table.concat(words, ' '))))
      end
    end,
  })
  playing = job > 0 and job or nil
end

-- Plays a part of a recording, in seconds.
function M.play(file, start, finish)
  local player = M.player()
  if not player then
    local names = vim.tbl_map(function(one) return one[1] end, settings.player and { settings.player } or M.players)
    error("nothing here plays sound: none of " .. table.concat(names, ', ') .. " is in $PATH", 0)
  end
  bridge.call('auscult.v1.Audio/Excerpt', {
    audio = recordings.source(file), span = { start = start, ['end'] = math.max(finish, start + 0.02) }, format = 'WAV',
  }, function(problem, excerpt)
    if problem then return report.fault(report.words(problem)) end
    local path = vim.fn.tempname() .. '.wav'
    local out, refused = io.open(path, 'wb')
    if not out then return report.fault(refused) end
    out:write(bytes.decode(excerpt.data or ''))
    out:close()
    play_file(path, player)
  end)
end

-- The word under the cursor; where the line was changed, its segment.
function M.word()
  local transcript, segment, word = require('auscult.transcript').at_cursor()
  local part = word or segment
  M.play(transcript.file, part.start, part.finish)
end

function M.segment()
  local transcript, segment = require('auscult.transcript').at_cursor()
  M.play(transcript.file, segment.start, segment.finish)
end

return M
