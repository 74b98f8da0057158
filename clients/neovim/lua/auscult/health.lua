-- :checkhealth auscult

local M = {}

-- Neovim before 0.10 has other names for these.
local health = vim.health or require('health')
local start = health.start or health.report_start
local ok = health.ok or health.report_ok
local warn = health.warn or health.report_warn
local fault = health.error or health.report_error

local function program()
  local settings = require('auscult.settings')
  local missing = settings.missing()
  if missing then
    fault(missing)
    return false
  end
  local version = vim.trim(vim.fn.system({ settings.program, '--version' }))
  if vim.v.shell_error ~= 0 then
    fault(('%s --version: %s'):format(settings.program, version))
    return false
  end
  ok(('%s, version %s'):format(vim.fn.exepath(settings.program), version))
  return true
end

local function daemon()
  local settings = require('auscult.settings')
  local status, problem = require('auscult.bridge').ask('auscult.v1.Daemon/Status', vim.empty_dict(), 20000)
  if not status then
    return fault('no daemon answers: ' .. require('auscult.report').words(problem or 'nothing was said'), {
      'auscult status, in a shell, says more',
    })
  end
  ok('the daemon answers' .. (status.version and ', version ' .. status.version or ''))
  local info, unknown = require('auscult.bridge').ask('auscult.v1.Model/Info', { name = settings.model }, 20000)
  if info then return ('the model is %s'):format(info.name or 'the built-in one') end
  fault(('the model %s cannot be opened: %s'):format(settings.model, require('auscult.report').words(unknown)))
end

local function sound()
  local player = require('auscult.player').player()
  if player then return ok('sound is played by ' .. player[1]) end
  local names = vim.tbl_map(function(one) return one[1] end, require('auscult.player').players)
  warn('nothing here plays sound, so :AuscultPlay cannot', {
    'Install one of ' .. table.concat(names, ', '),
    "Or name one: require('auscult').setup { player = { 'PROGRAM', 'ARGUMENT' } }",
  })
end

function M.check()
  start('Auscult')
  if vim.fn.has('nvim-0.7.2') == 1 then
    ok('Neovim is 0.7.2 or later')
  else
    fault('Neovim is older than 0.7.2')
  end
  if program() then
    local model = daemon()
    if model then ok(model) end
  end
  sound()
end

return M
