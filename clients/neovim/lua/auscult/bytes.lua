-- Bytes in JSON are base64, and tensors little-endian float32: older Neovims read neither.

local M = {}

local alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
local values = {}
for i = 1, #alphabet do values[alphabet:byte(i)] = i - 1 end

-- The bytes of a base64 text, as a string.
function M.decode(text)
  if vim.base64 then return vim.base64.decode(text) end
  local pieces, piece = {}, {}
  for i = 1, #text - 3, 4 do
    local a, b, c, d = text:byte(i, i + 3)
    local bits = ((values[a] * 64 + values[b]) * 64 + (values[c] or 0)) * 64 + (values[d] or 0)
    local bytes = string.char(math.floor(bits / 65536), math.floor(bits / 256) % 256, bits % 256)
    table.insert(piece, values[d] and bytes or bytes:sub(1, values[c] and 2 or 1))
    if #piece == 4096 then
      table.insert(pieces, table.concat(piece))
      piece = {}
    end
  end
  table.insert(pieces, table.concat(piece))
  return table.concat(pieces)
end

-- The numbers of a string of float32.
function M.floats(bytes)
  local found = {}
  for i = 1, #bytes - 3, 4 do
    local d, c, b, a = bytes:byte(i, i + 3)
    local sign = a >= 128 and -1 or 1
    local exponent = (a % 128) * 2 + math.floor(b / 128)
    local fraction = (b % 128) * 65536 + c * 256 + d
    local value
    if exponent == 255 then
      value = fraction == 0 and sign * math.huge or 0 / 0
    elseif exponent == 0 then
      value = sign * fraction * 2 ^ -149
    else
      value = sign * (1 + fraction / 8388608) * 2 ^ (exponent - 127)
    end
    table.insert(found, value)
  end
  return found
end

return M
