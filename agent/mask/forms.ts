/** Fewer bytes are no secret that could be masked: half the log would be stars. */
export const MIN_SECRET_BYTES = 4
/** Larger values are known by their lines only. */
const MAX_WHOLE_BYTES = 8 * 1024

const LINE_ENDS = /[\r\n]+/
/** What a value and a log may have between two characters without being another text: line ends and ANSI sequences. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what it is about
const SEAMS = /[\r\n]|\u001b\[[ -?]{0,30}[@-~]/g
/** Lines of a key file that everybody knows. */
const PUBLIC_LINE = /^-----(BEGIN|END) [A-Z0-9 ]+-----$/

/**
 * The texts that give a secret away, as bytes: as it is, base64 (both alphabets, wherever it stands within other data), URL-encoded,
 * as a JSON string, and each line of several by itself. Without what `SEAMS` has: the search leaves that out as well.
 * @returns none where the value is too short
 */
export function formsOf(value: string): Uint8Array[] {
  const whole = value.trim()
  const lines = whole.split(LINE_ENDS).map(line => line.trim())
  const several = lines.length > 1
  const parts = several ? lines.filter(line => !PUBLIC_LINE.test(line)) : []
  if (Buffer.byteLength(whole) <= MAX_WHOLE_BYTES) parts.push(whole)
  const texts = new Set(parts.filter(isLong).flatMap(writings))
  return [...texts]
    .map(text => Buffer.from(text.replace(SEAMS, '')))
    .filter(form => form.length >= MIN_SECRET_BYTES)
}

function isLong(text: string): boolean {
  return Buffer.byteLength(text.replace(SEAMS, '')) >= MIN_SECRET_BYTES
}

function writings(text: string): string[] {
  return [text, ...jsonForms(text), ...urlForms(text), ...base64Forms(Buffer.from(text))]
}

/** As JavaScript, Go, Python and PHP write it. */
function jsonForms(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1)
  const escaped = (pattern: RegExp) =>
    plain.replace(pattern, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all that is not ASCII
  const ascii = escaped(/[^\u0000-\u007f]/g)
  return [plain, ascii, escaped(/[<>&\u2028\u2029]/g), ascii.replaceAll('/', '\\/')]
}

/** Characters that one encoder or another leaves as they are. */
const URL_KEEPS = [
  /[A-Za-z0-9._~-]/,
  /[A-Za-z0-9._~/-]/,
  /[A-Za-z0-9.*_-]/,
  /[A-Za-z0-9._~!*'()-]/,
  /[A-Za-z0-9._~!*'();/?:@&=+$,#-]/,
]

function urlForms(text: string): string[] {
  const bytes = [...Buffer.from(text)]
  return URL_KEEPS.flatMap(keeps => {
    const encoded = bytes
      .map(byte => {
        const char = String.fromCharCode(byte)
        return byte < 0x80 && keeps.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      })
      .join('')
    const lower = encoded.replace(/%../g, code => code.toLowerCase())
    return [encoded, lower].flatMap(form => [form, form.replaceAll('%20', '+')])
  })
}

/** Characters at the beginning that hold bits of what stands before, by where the value begins within three bytes. */
const SHARED = [0, 2, 3]

function base64Forms(bytes: Buffer): string[] {
  const standard = SHARED.flatMap((shared, offset) => {
    const before = Buffer.alloc(offset)
    const ended = Buffer.concat([before, bytes]).toString('base64')
    const line = Buffer.concat([before, bytes, Buffer.from('\n')]).toString('base64')
    // The last character of an open end holds bits of what follows.
    const open = ended.slice(0, Math.floor(((offset + bytes.length) * 8) / 6))
    return [open, ended, line].map(form => form.slice(shared))
  })
  const urlSafe = standard.map(form => form.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''))
  return [...standard, ...urlSafe]
}
