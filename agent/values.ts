import { parseLevel } from '#protocol/levels.ts'

/** A setting's value. Durations are in milliseconds, sizes in bytes. */
export type Value = string | number | boolean | undefined
/** How a setting's text is read. */
export type Kind = 'text' | 'url' | 'websocketUrl' | 'flag' | 'count' | 'duration' | 'size' | 'level'

/**
 * Reads a setting's text.
 * @throws Error that says what would be right
 */
export function parseValue(kind: Kind, input: unknown): Value {
  const text = String(input).trim()
  switch (kind) {
    case 'text':
      return text
    case 'level': {
      const level = parseLevel(text)
      if (!level) throw new Error('must be DEBUG, INFO, WARN, ERROR or CRITICAL')
      return level
    }
    case 'flag':
      if (/^(true|1|yes|on)$/i.test(text)) return true
      if (/^(false|0|no|off)$/i.test(text)) return false
      throw new Error('must be true or false')
    case 'count':
      if (!/^\d{1,9}$/.test(text)) throw new Error('must be a whole number, 0 or more')
      return Number(text)
    case 'duration':
      return parseDuration(text)
    case 'size':
      return parseSize(text)
    case 'url':
      return parseUrl(text, ['http:', 'https:']).replace(/\/api\/v1$/, '')
    case 'websocketUrl':
      return parseUrl(text, ['ws:', 'wss:'])
  }
}

const DURATIONS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, '': 1000 }
const SIZES: Record<string, number> = { '': 1024 ** 2, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|)$/.exec(text)
  if (!match) throw new Error('must be a duration such as 1s, 500ms or 2m; a bare number is in seconds')
  return Number(match[1]) * DURATIONS[match[2]!]!
}

function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmg])i?b?|(b)|)$/i.exec(text)
  if (!match) throw new Error('must be a size such as 100MB; a bare number is in MB')
  return Number(match[1]) * SIZES[(match[2] ?? match[3] ?? '').toLowerCase()]!
}

function parseUrl(text: string, protocols: string[]): string {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new Error(`must be a URL such as ${protocols[0]}//127.0.0.1:8080`)
  }
  if (!protocols.includes(url.protocol))
    throw new Error(`must begin with ${protocols.map(name => `${name}//`).join(' or ')}`)
  return text.replace(/\/+$/, '')
}
