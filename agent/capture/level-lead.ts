/** What a line begins with decides its level: `NONE`, a level, or `EXCEPTION`, whose level is that of the line before it. */
export const NONE = -1
export const EXCEPTION = 5
export const CONTINUES = 6

const ascii = (text: string) => new TextEncoder().encode(text)

const LEADS: [lead: Uint8Array, level: number][] = (
  [
    ['Traceback (most recent', EXCEPTION],
    ['Exception in thread', EXCEPTION],
    ['During handling of the above', EXCEPTION],
    ['The above exception was', EXCEPTION],
    ['Unhandled ', EXCEPTION],
    ['Uncaught ', EXCEPTION],
    ['Caused by:', CONTINUES],
    ['Suppressed:', CONTINUES],
    ['goroutine ', CONTINUES],
    ['at ', CONTINUES],
    ['... ', CONTINUES],
    ["thread '", NONE],
    ['Segmentation fault', 3],
    ['E   ', 3],
  ] as [string, number][]
).map(([lead, level]) => [ascii(lead), level])

/** By their first byte. */
const LEADS_OF = Array.from({ length: 256 }, (_, byte) => LEADS.filter(([lead]) => lead[0] === byte))
const FIRST_BYTES = new Uint8Array(256)
for (const [lead] of LEADS) FIRST_BYTES[lead[0]!] = 1
for (const byte of ascii('<IWEFDVmC')) FIRST_BYTES[byte] = 1

/** Levels of syslog's severities 0 to 7. */
const SYSLOG = [4, 4, 4, 3, 2, 1, 1, 0]
const LETTERS: Record<number, number> = { 86: 0, 68: 0, 73: 1, 87: 2, 69: 3, 70: 4, 67: 4 }

/** Reads the formats that are known by a line's first bytes: syslog, klog, logcat, stack traces. */
export function levelOfLead(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start]!
  if (FIRST_BYTES[first] === 0) return NONE
  if (first === 0x3c) return levelOfSyslog(bytes, start, end)
  for (const [lead, level] of LEADS_OF[first]!) {
    if (startsWith(bytes, start, end, lead)) {
      return level === NONE && includes(bytes, start, end, PANICKED) ? 4 : level
    }
  }
  const letter = LETTERS[first]
  if (letter !== undefined && end - start > 6 && isLetterFormat(bytes, start)) return letter
  if (first === 0x6d && startsWith(bytes, start, end, MAKE) && includes(bytes, start, end, STARS)) return 3
  return NONE
}

const PANICKED = ascii("' panicked at")
const MAKE = ascii('make')
const STARS = ascii(': *** ')

/** `<14>…`: facility times eight and severity. */
function levelOfSyslog(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start + 1; at < end && at - start < 5; at++) {
    const byte = bytes[at]!
    if (byte === 0x3e) return at > start + 1 && value < 192 ? SYSLOG[value & 7]! : NONE
    if (!isDigit(byte)) return NONE
    value = value * 10 + byte - 0x30
  }
  return NONE
}

/** klog's `E0102 15:04:05`, glog's `E20240102 15`, logcat's `E/Tag`. */
function isLetterFormat(bytes: Uint8Array, start: number): boolean {
  if (bytes[start + 1] === 0x2f)
    return (bytes[start + 2]! | 0x20) >= 0x61 && (bytes[start + 2]! | 0x20) <= 0x7a
  let at = start + 1
  while (isDigit(bytes[at]!)) at++
  const digits = at - start - 1
  return (digits === 4 || digits === 8) && bytes[at] === 0x20 && isDigit(bytes[at + 1]!)
}

function startsWith(bytes: Uint8Array, start: number, end: number, lead: Uint8Array): boolean {
  if (end - start < lead.length) return false
  for (let index = 1; index < lead.length; index++) if (bytes[start + index] !== lead[index]) return false
  return true
}

function includes(bytes: Uint8Array, start: number, end: number, part: Uint8Array): boolean {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, 400))
  return line.indexOf(part as Buffer) >= 0
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}
