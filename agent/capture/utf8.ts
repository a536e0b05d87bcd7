const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80

/** The bytes as UTF-8, with U+FFFD in the place of what is none. */
export function repaired(bytes: Uint8Array): Uint8Array {
  return encoder.encode(decoder.decode(bytes))
}

/** The last position at or before `at`, after `floor`, where a character begins; `at` itself where none is near. */
export function startOfCharacter(bytes: Uint8Array, at: number, floor = 0): number {
  let start = at
  while (start > floor && at - start < 3 && isContinuation(bytes[start])) start--
  return start === floor || isContinuation(bytes[start]) ? at : start
}

/** How many of the first `length` bytes there are without a character that is cut at the end. */
export function completeBytes(bytes: Uint8Array, length: number): number {
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back]!
    if (isContinuation(byte)) continue
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return needed > back ? length - back : length
  }
  return length
}

/** Valid UTF-8 in parts of at most `size` bytes, cut between characters. */
export function splitUtf8(bytes: Uint8Array, size: number): Uint8Array[] {
  if (bytes.length <= size) return [bytes]
  const parts: Uint8Array[] = []
  let from = 0
  while (bytes.length - from > size) {
    const to = startOfCharacter(bytes, from + size, from)
    parts.push(bytes.subarray(from, to))
    from = to
  }
  parts.push(bytes.subarray(from))
  return parts
}
