import { type StyledText, styledText } from './ansi.ts'

/** A run of a line that is drawn as one element. */
export interface Piece extends StyledText {
  readonly href?: string
  /** Part of a match of what the reader searches for. */
  readonly match?: true
}

/** A line cut into pieces: styles, links, and matches of `pattern` (which must be global). */
export function linePieces(message: string, pattern?: RegExp): Piece[] {
  const styled = styledText(message)
  const text = styled.map(part => part.text).join('')
  const links = ranges(text, LINK, trimLink)
  const matches = pattern ? ranges(text, pattern) : []
  if (links.length === 0 && matches.length === 0) return styled
  const cuts = [...links, ...matches].flatMap(range => [range.start, range.end]).sort((a, b) => a - b)
  const pieces: Piece[] = []
  let start = 0
  for (const part of styled) {
    const end = start + part.text.length
    for (const [from, to] of spans(start, end, cuts)) {
      const link = links.find(range => range.start <= from && to <= range.end)
      const match = matches.some(range => range.start <= from && to <= range.end)
      pieces.push({
        ...part,
        text: text.slice(from, to),
        ...(link && { href: text.slice(link.start, link.end) }),
        ...(match && { match: true as const }),
      })
    }
    start = end
  }
  return pieces
}

/**
 * What the reader searches for, as a global pattern for marking matches. `undefined` where there is nothing to mark: no text, a
 * pattern that does not compile, or one that could keep the browser busy for ever (the server, which has a time limit, still
 * searches for it).
 */
export function markPattern(text: string, regex: boolean, caseSensitive: boolean): RegExp | undefined {
  if (!text || (regex && NESTED_REPEAT.test(text))) return undefined
  try {
    return new RegExp(regex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), caseSensitive ? 'g' : 'gi')
  } catch {
    return undefined
  }
}

const NESTED_REPEAT = /[+*}]\)[+*{]|\([^)]*\|[^)]*\)[+*{]/
const LINK = /https?:\/\/[^\s<>"'`\u2400-\u2421]+/g
const MAX_MARKS = 200

interface TextRange {
  start: number
  end: number
}

function ranges(text: string, pattern: RegExp, trim = (found: string) => found.length): TextRange[] {
  const found: TextRange[] = []
  for (const match of text.matchAll(pattern)) {
    if (found.length >= MAX_MARKS) break
    const length = trim(match[0])
    if (length > 0) found.push({ start: match.index, end: match.index + length })
  }
  return found
}

/** Punctuation that ends a sentence or closes a bracket is not part of a link. */
function trimLink(link: string): number {
  let unopened = link.split(')').length - link.split('(').length
  let end = link.length
  while (/[.,;:!?]/.test(link.charAt(end - 1)) || (link.charAt(end - 1) === ')' && unopened-- > 0)) end--
  return end
}

function spans(start: number, end: number, cuts: number[]): [number, number][] {
  const inside = cuts.filter(cut => cut > start && cut < end)
  const points = [...new Set([start, ...inside, end])]
  return points.slice(1).map((to, at) => [points[at] as number, to])
}
