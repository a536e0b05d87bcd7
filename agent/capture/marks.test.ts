import { expect, it } from 'vitest'
import { LineSplitter } from './lines.ts'
import { Marks } from './marks.ts'
import { Tagger } from './tagged.ts'

/** Lines as they come out of the stages, with their steps, and what was told meanwhile. */
function read(text: string, minLevel = 0) {
  const told: unknown[] = []
  let now = 1000
  const marks = new Marks(
    {
      stepBegan: (name, at) => told.push(['began', name, at]),
      stepEnded: (name, startedAt, at) => told.push(['ended', name, startedAt, at]),
      metric: (name, value) => told.push(['metric', name, value]),
      refused: (line, why) => told.push(['refused', line, why]),
    },
    () => now++,
  )
  const lines: [number, string, string | undefined][] = []
  const blocks: number[] = []
  const sink = {
    block(
      bytes: Uint8Array,
      ends: Uint32Array,
      _tags: Uint8Array,
      from: number,
      to: number,
      number: number,
      step?: string,
    ) {
      blocks.push(to - from)
      for (let index = from; index < to; index++) {
        const start = index === 0 ? 0 : ends[index - 1]!
        lines.push([
          number + index - from,
          Buffer.from(bytes.subarray(start, ends[index]! - 1)).toString(),
          step,
        ])
      }
    },
    line(bytes: Uint8Array, _tag: number, number: number, step?: string) {
      lines.push([number, Buffer.from(bytes).toString(), step])
    },
  }
  const splitter = new LineSplitter(
    new Tagger(sink, 0, { levelOf: (bytes, start) => (bytes[start] === 33 ? 3 : 1) }, minLevel, marks),
  )
  splitter.push(Buffer.from(text))
  splitter.end()
  return { lines, told, blocks, marks }
}

it('cuts blocks only where a mark stands, and keeps every line and number', () => {
  const { lines, blocks } = read('a\nb\n::group::S\nc\nd\n::endgroup::\ne\nf\n')
  expect(blocks).toEqual([2, 1, 2, 1, 2])
  expect(lines.map(([number]) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(lines.map(([, , step]) => step)).toEqual([
    undefined,
    undefined,
    'S',
    'S',
    'S',
    'S',
    undefined,
    undefined,
  ])
})

it('reads marks of lines that are below the threshold, too', () => {
  const { lines, told } = read('::group::S\nlow\n!high\n::endgroup::\n!after\n', 3)
  expect(lines).toEqual([
    [3, '!high', 'S'],
    [5, '!after', undefined],
  ])
  expect(told).toEqual([
    ['began', 'S', 1000],
    ['ended', 'S', 1000, 1001],
  ])
})

it('names groups without colours, nested ones by their path, and cuts what is too long', () => {
  const long = 'é'.repeat(300)
  const { lines, marks } = read(`::group::\u001b[1m Build \u001b[0m\r\n::group::\n::group::${long}`)
  expect(lines.map(([, , step]) => step)).toEqual([
    'Build',
    'Build / group',
    `${`Build / group / ${long}`.slice(0, 199)}…`,
  ])
  expect(
    marks
      .close()
      .map(({ name }) => name)
      .slice(0, 2),
  ).toEqual(['Build', 'Build / group'])
  expect(marks.step).toBeUndefined()
})

it('takes metrics, and refuses what is none', () => {
  const { told } = read(
    '::metric a=1\n::metric b.c = -1.5e3 \n::metric::d=2\n::metric e=\n::metric f\n::metric g=1x\n::metrics h=1\n ::metric i=1\n::metric =3\n',
  )
  expect(told.filter(each => (each as string[])[0] === 'metric')).toEqual([
    ['metric', 'a', 1],
    ['metric', 'b.c', -1500],
    ['metric', 'd', 2],
  ])
  expect(told.filter(each => (each as string[])[0] === 'refused')).toHaveLength(4)
})

it('groups that nobody ends cost nothing: below the twentieth there are no more steps', () => {
  const { told, marks, lines } = read(`${'::group::x\n'.repeat(5000)}${'::endgroup::\n'.repeat(4981)}last\n`)
  expect(told.filter(each => (each as string[])[0] === 'began')).toHaveLength(20)
  expect(marks.close()).toHaveLength(19)
  expect(lines.at(-1)![2]).toBe(Array(19).fill('x').join(' / '))
})

it('an end without a beginning changes nothing', () => {
  expect(read('::endgroup::\nx\n')).toMatchObject({
    told: [],
    lines: [
      [1, '::endgroup::', undefined],
      [2, 'x', undefined],
    ],
  })
})
