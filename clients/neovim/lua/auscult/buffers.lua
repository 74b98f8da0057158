-- Buffers that show something and belong to no file.

local M = {}

-- A new one in a window of its own, or in a tab where there is no room for one more. Returns its number.
function M.open(name)
  if not pcall(vim.cmd, 'botright new') then vim.cmd('tabnew') end
  local buffer = vim.api.nvim_get_current_buf()
  vim.bo[buffer].buftype = 'nofile'
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].swapfile = false
  -- A second one of the same name keeps the number that Neovim gave it.
  pcall(vim.api.nvim_buf_set_name, buffer, 'auscult://' .. name)
  return buffer
end

-- Adds lines at the end, in place of the empty line that every new buffer has. Returns the number of the first of them,
-- from 0.
function M.append(buffer, lines)
  if not vim.api.nvim_buf_is_valid(buffer) then return 0 end
  local last = vim.api.nvim_buf_line_count(buffer)
  local is_empty = last == 1 and vim.api.nvim_buf_get_lines(buffer, 0, 1, true)[1] == ''
  vim.api.nvim_buf_set_lines(buffer, is_empty and 0 or -1, -1, true, lines)
  return is_empty and 0 or last
end

-- Replaces all lines from one on, counted from 0.
function M.replace(buffer, first, lines)
  if vim.api.nvim_buf_is_valid(buffer) then vim.api.nvim_buf_set_lines(buffer, first, -1, false, lines) end
end

-- Calls a function when the buffer is closed.
function M.on_wipe(buffer, body)
  vim.api.nvim_create_autocmd('BufWipeout', { buffer = buffer, once = true, callback = function() body() end })
end

return M
