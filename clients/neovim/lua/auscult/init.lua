-- Auscult in Neovim (0.7.2 and later). :help auscult has the commands; this is what a configuration or another plugin
-- calls.

local M = {}

-- Changes settings: program, model, player, patience. An error names what is not expected.
function M.setup(given) require('auscult.settings').set(given or {}) end

-- Calls any method of the daemon (`auscult call` lists and describes them): see auscult.bridge.
function M.call(...) return require('auscult.bridge').call(...) end

-- Writes a recording down in a new buffer, and gives that.
function M.transcribe(file, done) return require('auscult.transcript').open(file, done) end

-- Writes a recording down below the cursor.
function M.insert(file, done) return require('auscult.transcript').insert(file, done) end

-- Plays a part of a recording, in seconds.
function M.play(file, start, finish) return require('auscult.player').play(file, start, finish) end

-- Lists hook points in a new buffer.
function M.hooks(pattern, done) return require('auscult.model').hooks(pattern, done) end

-- Shows where a list of hook points is largest on a recording, in a new buffer.
function M.trace(file, hooks, done) return require('auscult.model').trace(file, hooks, done) end

-- Runs an analysis: { PLUGIN, FILE, …, 'KEY=VALUE', … }; its results come into a new buffer.
function M.run(words, done) return require('auscult.run').run(words, done) end

-- Listens to a sound input, or to file=NAME, in a new buffer.
function M.listen(source, done) return require('auscult.listen').open(source or '', done) end

return M
