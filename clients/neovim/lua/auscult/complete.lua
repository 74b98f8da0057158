-- What the arguments of commands may be. Whatever the daemon does not say in time is not offered, and nothing is
-- reported.

local bridge = require('auscult.bridge')
local settings = require('auscult.settings')

local M = {}

-- Those of the names that begin with what was typed.
local function beginning(names, typed)
  return vim.tbl_filter(function(name) return vim.startswith(name, typed) end, names)
end

local function names(method, params, list, field)
  local result = bridge.ask(method, params)
  return vim.tbl_map(function(one) return one[field] end, result and result[list] or {})
end

-- Files, and embedded clips.
function M.recording(typed)
  typed = typed:gsub('\\ ', ' ')
  if vim.startswith(typed, 'demo:') then
    local clips = names('auscult.v1.Audio/Clips', vim.empty_dict(), 'clips', 'name')
    return beginning(vim.tbl_map(function(name) return 'demo:' .. name end, clips), typed)
  end
  return vim.list_extend(beginning({ 'demo:' }, typed), vim.tbl_map(function(name)
    return (name:gsub(' ', '\\ '))
  end, vim.fn.getcompletion(typed, 'file')))
end

-- Hook points; the rest of a name after a dot comes with its first part.
function M.hook(typed)
  return beginning(names('auscult.v1.Model/Hooks', { model = { name = settings.model } }, 'hooks', 'name'), typed)
end

function M.model(typed)
  return beginning(names('auscult.v1.Model/List', vim.empty_dict(), 'models', 'name'), typed)
end

local function printed(arguments)
  if settings.missing() then return {} end
  local text = vim.fn.system(vim.list_extend({ settings.program }, arguments))
  local readable, value = pcall(vim.json.decode, text)
  return vim.v.shell_error == 0 and readable and type(value) == 'table' and value or {}
end

-- Analyses by the last part of their name, which is how they are called.
function M.plugin(typed)
  local found = vim.tbl_map(function(one)
    return (one.id:gsub('^org%.auscult%.', ''))
  end, printed({ 'plugins', '--format', 'json' }))
  return beginning(found, typed)
end

function M.parameter(plugin, typed)
  local about = printed({ 'plugins', 'show', plugin, '--format', 'json' })
  local keys = vim.tbl_map(function(one) return one.id .. '=' end, about.parameters or {})
  return beginning(keys, typed)
end

function M.source(typed)
  if vim.startswith(typed, 'file=') then
    return vim.tbl_map(function(name) return 'file=' .. name end, M.recording(typed:sub(6)))
  end
  local result = bridge.ask('auscult.v1.Live/Devices', vim.empty_dict())
  local found = { 'file=' }
  for _, one in ipairs(result and result.devices or {}) do table.insert(found, one.name) end
  return beginning(found, typed)
end

-- The words of a command line before the one that is typed.
local function before(line, position, typed)
  local words = vim.split(vim.trim((line:sub(1, position - #typed):gsub('\\ ', '_'))), '%s+')
  -- A name of a command may have modifiers before it.
  while words[1] and not words[1]:match('^%u') do table.remove(words, 1) end
  return words
end

-- For commands whose arguments differ by their place: `kinds` are functions, the last of which serves the rest; each is
-- given what is typed, and the words before.
function M.by_place(...)
  local kinds = { ... }
  return function(typed, line, position)
    local words = before(line, position, typed)
    local kind = kinds[math.min(math.max(#words, 1), #kinds)]
    local succeeded, found = pcall(kind, typed, words)
    return succeeded and found or {}
  end
end

-- Recordings, and keys of the plugin's parameters.
function M.run_argument(typed, words)
  local found = M.recording(typed)
  if #words > 2 then vim.list_extend(found, M.parameter(words[2], typed)) end
  return found
end

return M
