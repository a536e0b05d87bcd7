import Anser from 'anser'

/** A run of text in one style. Colours are an index of the theme's 16 (`palette`) or fixed (`rgb`, `r g b`). */
export interface StyledText {
  readonly text: string
  readonly fg?: Colour
  readonly bg?: Colour
  readonly decorations: readonly string[]
  /** Stands for bytes that a terminal would act on; shown as symbols. */
  readonly control?: true
}
export type Colour = { readonly palette: number } | { readonly rgb: string }

/**
 * A line's text with its colours, and without anything else that a terminal would obey: cursor movements, titles and hyperlink
 * sequences are dropped, other control characters become visible symbols of the same length.
 */
export function styledText(message: string): StyledText[] {
  if (PLAIN.test(message)) return message ? [{ text: message, decorations: [] }] : []
  const chunks = Anser.ansiToJson(withoutSequences(message), {
    json: true,
    use_classes: true,
    remove_empty: true,
  })
  return chunks.flatMap(chunk => {
    const style = {
      fg: colour(chunk.fg, chunk.fg_truecolor),
      bg: colour(chunk.bg, chunk.bg_truecolor),
      decorations: [...new Set<string>(chunk.decorations)],
    }
    return visible(chunk.content).map(part => ({ ...style, ...part }))
  })
}

/** The text as it reads, without escape sequences. */
export function plainText(message: string): string {
  return styledText(message)
    .map(part => part.text)
    .join('')
}

const PLAIN = /^(?:[\t\n]|[^\p{Cc}\p{Bidi_C}])*$/u
const CONTROLS = /(?:(?![\t\n])[\p{Cc}\p{Bidi_C}])+/gu
const ESC = '\u001b'
// OSC, DCS, APC, PM and SOS strings up to their terminator; then two-byte escapes and character sets.
const STRINGS = new RegExp(`${ESC}[\\]PX^_][^\\u0007${ESC}]*(?:\\u0007|${ESC}\\\\)?`, 'g')
const SHORT_ESCAPES = new RegExp(`${ESC}(?:[()*+#%][0-9A-Za-z]|[0-9=>A-OQ-WYZa-z])`, 'g')
const COLOURS = new RegExp(`${ESC}\\[([0-9:;]*)m`, 'g')

function withoutSequences(message: string): string {
  return message
    .replace(STRINGS, '')
    .replace(SHORT_ESCAPES, '')
    .replace(COLOURS, (all, parameters: string) =>
      parameters.includes(':') ? `${ESC}[${parameters.split(';').map(withoutColons).join(';')}m` : all,
    )
}

/** `38:2::r:g:b` and `38:5:n` as the older `38;2;r;g;b`; `4:3` (curly underline) as `4`. */
function withoutColons(parameter: string): string {
  const parts = parameter.split(':')
  if (parts[0] !== '38' && parts[0] !== '48') return parts[0] ?? ''
  const numbers = parts.filter(Boolean)
  return (numbers.length === 6 ? [...numbers.slice(0, 2), ...numbers.slice(3)] : numbers).join(';')
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

function colour(name: string | null, truecolor: string | null): Colour | undefined {
  if (!name) return undefined
  if (name === 'ansi-truecolor') return truecolor ? { rgb: truecolor.replaceAll(',', '') } : undefined
  if (name.startsWith('ansi-palette-')) return { rgb: paletteRgb(Number(name.slice(13))) }
  const bright = name.startsWith('ansi-bright-')
  return { palette: NAMES.indexOf(name.slice(bright ? 12 : 5)) + (bright ? 8 : 0) }
}

/** xterm's colours 16 … 255: a cube of 6 × 6 × 6, then greys. */
function paletteRgb(index: number): string {
  if (index >= 232)
    return Array(3)
      .fill(8 + (index - 232) * 10)
      .join(' ')
  const steps = [0, 95, 135, 175, 215, 255]
  const at = index - 16
  return [Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map(step => steps[step]).join(' ')
}

function visible(text: string): { text: string; control?: true }[] {
  const parts: { text: string; control?: true }[] = []
  let end = 0
  for (const match of text.matchAll(CONTROLS)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index) })
    parts.push({ text: match[0].replace(/./gsu, symbolOf), control: true })
    end = match.index + match[0].length
  }
  if (end < text.length) parts.push({ text: text.slice(end) })
  return parts
}

function symbolOf(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '\u2421' : '\u2b1a'
}
