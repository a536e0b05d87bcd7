/** Fewer bytes are no secret that could be masked: half the log would be stars. */
export const MIN_SECRET_BYTES = 4
/** More is no secret that anybody would print. */
export const MAX_SECRET_BYTES = 256 * 1024
/** Larger values are looked for as they are, and as base64 of the whole, only: every form costs memory. */
const MAX_MANY_FORMS_BYTES = 8 * 1024
/** Longer forms are looked for in pieces, one behind the other. */
const PIECE_BYTES = 4 * 1024

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
  const parts = lines.length > 1 ? lines.filter(line => !PUBLIC_LINE.test(line)) : []
  const isLarge = whole.length > MAX_MANY_FORMS_BYTES
  const texts = new Set([...parts, whole].filter(isLong).flatMap(isLarge ? fewWritings : writings))
  return [...texts].flatMap(text => pieces(Buffer.from(text.replace(SEAMS, ''))))
}

function fewWritings(text: string): string[] {
  return [text, Buffer.from(text).toString('base64')]
}

function pieces(form: Buffer): Buffer[] {
  if (form.length < MIN_SECRET_BYTES) return []
  const count = Math.ceil(form.length / PIECE_BYTES)
  const size = Math.ceil(form.length / count)
  return Array.from({ length: count }, (_, index) => form.subarray(index * size, (index + 1) * size))
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
