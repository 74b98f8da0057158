-- What a user can set: require('auscult').setup { … } changes it.

local M = {
  -- The command line of Auscult: it is started as `PROGRAM bridge --stdio`, `PROGRAM run …` and `PROGRAM listen …`.
  program = 'auscult',
  -- A model's name or path, as --model takes it; empty for the built-in one.
  model = '',
  -- What plays a sound file, a list to which the file's name is added; nil for the first of `players` that is there.
  player = nil,
  -- Milliseconds that completion waits for the daemon.
  patience = 2000,
}

local kinds = { program = 'string', model = 'string', player = 'table', patience = 'number' }

-- Takes what is given; a name or a type that is not expected is an error that says so, and then nothing is changed.
function M.set(given)
  for name, value in pairs(given) do
    if not kinds[name] then
      error(("auscult: no setting is called '%s'; there are model, patience, player and program"):format(name), 0)
    end
    if type(value) ~= kinds[name] then
      error(("auscult: the setting '%s' is a %s; expected a %s"):format(name, type(value), kinds[name]), 0)
    end
  end
  for name, value in pairs(given) do M[name] = value end
end

-- Why the program cannot be started; nil where it can.
function M.missing()
  if vim.fn.executable(M.program) == 1 then return nil end
  return ("'%s' is no program that can be started; put Auscult into $PATH, or name it: "):format(M.program)
    .. "require('auscult').setup { program = … }"
end

return M
