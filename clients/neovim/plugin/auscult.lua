-- The commands. Nothing else is loaded before one of them is used.

if vim.g.loaded_auscult then return end
vim.g.loaded_auscult = true

local function define(name, body, options)
  vim.api.nvim_create_user_command(name, function(arguments)
    require('auscult.report').guarded(body)(arguments)
  end, options)
end

-- Completion as the module auscult.complete has it, loaded when it is asked for.
local function completing(...)
  local kinds = { ... }
  return function(...)
    local complete = require('auscult.complete')
    return complete.by_place(unpack(vim.tbl_map(function(kind) return complete[kind] end, kinds)))(...)
  end
end

define('AuscultTranscribe', function(arguments)
  local transcript = require('auscult.transcript')
  local file = arguments.args:gsub('\\ ', ' ')
  if arguments.bang then transcript.insert(file) else transcript.open(file) end
end, {
  nargs = 1, bang = true, complete = completing('recording'),
  desc = 'Write a recording down in a new buffer; with ! below the cursor',
})

define('AuscultSegments', function() require('auscult.transcript').list_segments() end, {
  nargs = 0, desc = 'The segments of this transcript as the quickfix list',
})

define('AuscultWords', function(arguments)
  local limit
  if arguments.args ~= '' then
    limit = tonumber(arguments.args)
    if not limit or limit ~= limit or limit < 0 or limit > 1 then
      error(("expected a probability, 0 to 1, not '%s'"):format(arguments.args), 0)
    end
  end
  require('auscult.transcript').list_words(limit)
end, { nargs = '?', desc = 'The words of this transcript, or those less probable than a number, as the quickfix list' })

define('AuscultPlay', function(arguments)
  local player = require('auscult.player')
  if arguments.bang then player.segment() else player.word() end
end, { nargs = 0, bang = true, desc = 'Play the word under the cursor; with ! the segment of this line' })

define('AuscultHooks', function(arguments) require('auscult.model').hooks(arguments.args) end, {
  nargs = '?', complete = completing('hook'), desc = "List the model's hook points",
})

define('AuscultTrace', function(arguments)
  require('auscult.model').trace(arguments.fargs[1], vim.list_slice(arguments.fargs, 2))
end, {
  nargs = '+', complete = completing('recording', 'hook'), desc = 'Show where hook points are largest on a recording',
})

define('AuscultPlugins', function() require('auscult.run').list() end, { nargs = 0, desc = 'List the analyses' })

define('AuscultRun', function(arguments) require('auscult.run').run(arguments.fargs) end, {
  nargs = '+', complete = completing('plugin', 'run_argument'), desc = 'Run an analysis over recordings',
})

define('AuscultListen', function(arguments) require('auscult.listen').open(arguments.args) end, {
  nargs = '?', complete = completing('source'), desc = 'Write down what is said, while it is said',
})

define('AuscultStop', function() require('auscult.listen').stop() end, {
  nargs = 0, desc = 'End the listening of this buffer',
})

define('AuscultModel', function(arguments)
  local settings = require('auscult.settings')
  if arguments.args ~= '' then settings.set({ model = arguments.args == 'default' and '' or arguments.args }) end
  local name = settings.model ~= '' and settings.model or 'default, the built-in one'
  require('auscult.report').note('the model is ' .. name)
end, { nargs = '?', complete = completing('model'), desc = 'Say which model is used, or use another' })
