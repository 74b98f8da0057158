-- Transcripts in buffers: a line a segment, whose time stands behind it, and which knows when each of its words is
-- heard.

local bridge = require('auscult.bridge')
local buffers = require('auscult.buffers')
local recordings = require('auscult.recordings')
local report = require('auscult.report')
local settings = require('auscult.settings')

local M = {}

local space = vim.api.nvim_create_namespace('auscult')
-- By buffer: the recording, and the segments by the number of the mark on their line, which moves along when lines do.
local transcripts = {}

-- When a segment or a word is heard.
local function span(one) return recordings.time(one.start) .. ' – ' .. recordings.time(one.finish) end

-- The words with the columns that they take in the segment's text, from 0, the end behind the last.
local function placed(words, text)
  local column = 0
  return vim.tbl_map(function(word)
    local bare = vim.trim(word.word or '')
    local from, to = text:find(bare, column + 1, true)
    if from then column = to end
    return {
      text = bare, start = word.start or 0, finish = word['end'] or 0, probability = word.probability or 0,
      from = from and from - 1 or column, to = column,
    }
  end, words or {})
end

-- What a message of the stream says, as plain values: fields whose value is 0 are left out of it.
local function segment_of(message)
  -- The text begins with the blank that stands before its first word.
  local text = vim.trim(message.text or '')
  return {
    text = text, start = message.start or 0, finish = message['end'] or 0, words = placed(message.words, text),
  }
end

local function show(buffer, line, segment)
  local mark = vim.api.nvim_buf_set_extmark(buffer, space, line, 0, {
    virt_text = { { '  ' .. span(segment), 'Comment' } },
  })
  transcripts[buffer].segments[mark] = segment
end

local function request(file)
  return {
    audio = recordings.source(file), model = { name = settings.model }, options = { wordTimestamps = true },
  }
end

-- `put(segment)` for each segment as it is found. Returns what cancels the work.
local function stream(file, put, done)
  local transcript
  return bridge.call('auscult.v1.Transcribe/Stream', request(file), function(problem)
    if problem and problem.code ~= bridge.cancelled then report.fault(report.words(problem)) end
    for _, notice in ipairs(transcript and transcript.notices or {}) do report.note(file .. ': ' .. notice.text) end
    if done then done(problem, transcript) end
  end, function(message)
    if message.segment then put(segment_of(message.segment)) end
    if message.done then transcript = message.done end
  end)
end

-- Writes a recording down in a new buffer. `done(problem, transcript)` is called at the end.
-- Returns the buffer; wiping it ends the work.
function M.open(file, done)
  recordings.source(file)
  local buffer = buffers.open(file)
  transcripts[buffer] = { file = file, segments = {} }
  vim.keymap.set('n', '<CR>', function() report.guarded(require('auscult.player').word)() end, {
    buffer = buffer, desc = 'Play the word under the cursor',
  })
  vim.keymap.set('n', 'g<CR>', function() report.guarded(require('auscult.player').segment)() end, {
    buffer = buffer, desc = 'Play the segment of this line',
  })
  local cancel = stream(file, function(segment)
    if vim.api.nvim_buf_is_valid(buffer) then show(buffer, buffers.append(buffer, { segment.text }), segment) end
  end, done)
  buffers.on_wipe(buffer, function()
    transcripts[buffer] = nil
    cancel()
  end)
  return buffer
end

-- Writes a recording down below the cursor of the current buffer, as text alone.
function M.insert(file, done)
  local buffer = vim.api.nvim_get_current_buf()
  if not vim.bo[buffer].modifiable then error('this buffer cannot be changed', 0) end
  local mark = vim.api.nvim_buf_set_extmark(buffer, space, vim.api.nvim_win_get_cursor(0)[1] - 1, 0, {})
  local count = 0
  return stream(file, function(segment)
    if not vim.api.nvim_buf_is_valid(buffer) then return end
    local line = vim.api.nvim_buf_get_extmark_by_id(buffer, space, mark, {})[1] + 1 + count
    local last = vim.api.nvim_buf_line_count(buffer)
    vim.api.nvim_buf_set_lines(buffer, math.min(line, last), math.min(line, last), true, { segment.text })
    count = count + 1
  end, function(...)
    if vim.api.nvim_buf_is_valid(buffer) then vim.api.nvim_buf_del_extmark(buffer, space, mark) end
    if done then done(...) end
  end)
end

-- ------------------------------------------------------------------------------------------------ what is where

-- The transcript of a buffer (the current one): its file, and its segments with their lines, from 1, in order. An error
-- where the buffer has none.
function M.of(buffer)
  buffer = buffer or vim.api.nvim_get_current_buf()
  local transcript = transcripts[buffer]
  if not transcript then error('this buffer is no transcript; :AuscultTranscribe FILE opens one', 0) end
  local found = {}
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buffer, space, 0, -1, {})) do
    local segment = transcript.segments[mark[1]]
    if segment then table.insert(found, { line = mark[2] + 1, segment = segment }) end
  end
  return { file = transcript.file, buffer = buffer, lines = found }
end

-- The segment on the cursor's line, and the word under the cursor (the nearest before it), nil where the line was
-- changed.
function M.at_cursor()
  local transcript = M.of()
  local line, column = unpack(vim.api.nvim_win_get_cursor(0))
  for _, one in ipairs(transcript.lines) do
    if one.line == line then
      local word
      if vim.api.nvim_get_current_line() == one.segment.text then
        for _, candidate in ipairs(one.segment.words) do
          if not word or candidate.from <= column then word = candidate end
        end
      end
      return transcript, one.segment, word
    end
  end
  error('nothing of the recording belongs to this line', 0)
end

local function fill(title, items)
  vim.fn.setqflist({}, ' ', { title = 'auscult: ' .. title, items = items })
  if #items > 0 then vim.cmd('botright copen') end
  report.note(('%d in the quickfix list'):format(#items))
end

-- Fills the quickfix list with the segments.
function M.list_segments()
  local transcript = M.of()
  fill('segments of ' .. transcript.file, vim.tbl_map(function(one)
    local segment = one.segment
    return {
      bufnr = transcript.buffer, lnum = one.line, col = 1,
      text = ('%s  %s'):format(span(segment), segment.text),
    }
  end, transcript.lines))
end

-- Fills the quickfix list with the words whose probability is below a limit, the least likely first; without one with
-- all words, in their order.
function M.list_words(limit)
  local transcript = M.of()
  local items = {}
  for _, one in ipairs(transcript.lines) do
    for _, word in ipairs(one.segment.words) do
      if not limit or word.probability < limit then
        table.insert(items, {
          bufnr = transcript.buffer, lnum = one.line, col = word.from + 1, nr = word.probability,
          text = ('%s  %.2f  %s'):format(span(word), word.probability, word.text),
        })
      end
    end
  end
  if limit then table.sort(items, function(a, b) return a.nr < b.nr end) end
  -- A number of the quickfix list is whole; it is in the text.
  for _, item in ipairs(items) do item.nr = nil end
  fill(limit and ('words below %.2f of %s'):format(limit, transcript.file) or 'words of ' .. transcript.file, items)
end

return M
