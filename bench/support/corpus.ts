import { SOURCES } from '#protocol/levels.ts'
import { SOURCE_SHIFT } from '#protocol/segment-layout.ts'
import { SegmentWriter } from '#protocol/segment-writer.ts'

/** One line of the corpus: what a build, a web server, a service and a crash print, about 93 bytes each. */
export interface CorpusLine {
  text: string
  level: number
  source: number
}

const PATHS = [
  'app/lib/log-window.ts',
  'server/live/subscriber.ts',
  'protocol/segment.ts',
  'agent/capture/lines.ts',
]
const AGENTS = ['curl/8.5.0', 'Mozilla/5.0 (X11; Linux x86_64)', 'python-requests/2.32']
const WORDS = [
  'cache',
  'index',
  'upstream',
  'session',
  'replica',
  'bucket',
  'worker',
  'lease',
  'quota',
  'shard',
]

/** Line `number` of the corpus; the same for every run. */
export function corpusLine(number: number): CorpusLine {
  const random = mix(number)
  const at = new Date(1_760_000_000_000 + number * 3).toISOString()
  const word = WORDS[(random >>> 3) % 10]!
  const other = WORDS[(random >>> 9) % 10]!
  switch (random % 10) {
    case 0:
    case 1:
    case 2:
      return line(
        1,
        0,
        `[${number % 977}/977] Compiling ${PATHS[(random >>> 5) & 3]} (${other} target, ${(random >>> 8) % 9000} ms, ${(random >>> 4) % 64} units)`,
      )
    case 3:
    case 4:
    case 5:
      return line(
        1,
        0,
        `10.${random & 255}.${(random >>> 8) & 255}.7 - - [${at}] "GET /${word}/${random % 99_991} HTTP/1.1" 200 ${random % 50_000} "${AGENTS[random % 3]}"`,
      )
    case 6:
    case 7:
      return line(
        1,
        0,
        `{"time":"${at}","level":"info","msg":"${word} moved to ${other}","requestId":"${random.toString(16)}","ms":${random % 800}}`,
      )
    case 8:
      return line(
        2,
        1,
        `${at} WARN ${word}: slow answer from ${other}-${random % 40}, ${random % 5000} ms, attempt ${random % 4} of 4`,
      )
    default:
      return line(
        3,
        1,
        `    at ${word}.${other} (/srv/app/node_modules/${word}/dist/${other}.js:${random % 900}:${random % 80})`,
      )
  }
}

/** `count` lines from `first` on, each closed by a newline. */
export function corpusText(first: number, count: number): string {
  let text = ''
  for (let number = first; number < first + count; number++) text += `${corpusLine(number).text}\n`
  return text
}

/** Lines of the corpus as a segment, as an agent would encode them. */
export function corpusSegment(first: number, count: number): Uint8Array {
  const writer = new SegmentWriter({ textBytes: 1024 * 1024 })
  for (let number = first; number < first + count; number++) {
    const { text, level, source } = corpusLine(number)
    writer.addString(text, 1_760_000_000_000 + number * 3, level | (source << SOURCE_SHIFT), 0)
  }
  return writer.finish()
}

/** Lines of the corpus as entries, as a client without segments would send them. */
export function corpusEntries(first: number, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const { text, level, source } = corpusLine(first + index)
    return {
      n: first + index,
      timestamp: new Date(1_760_000_000_000 + (first + index) * 3).toISOString(),
      source: SOURCES[source],
      level: ['DEBUG', 'INFO', 'WARN', 'ERROR'][level],
      message: text,
    }
  })
}

function line(level: number, source: number, text: string): CorpusLine {
  return { text, level, source }
}

/** A number that looks random, from one that counts. */
function mix(number: number): number {
  let hash = Math.imul(number ^ 0x9e3779b9, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
