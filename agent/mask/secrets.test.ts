import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secrets } from './secrets.ts'
import { MaskStream } from './stream.ts'
import { maskTransform } from './transform.ts'
import { secretVariables } from './variables.ts'

function secretsOf(...values: string[]): { secrets: Secrets; refused: string[] } {
  const refused: string[] = []
  const secrets = new Secrets(message => refused.push(message))
  for (const value of values) secrets.add(value, 'it')
  return { secrets, refused }
}

/** What a stream has given on, after each step. */
function streamOf(...values: string[]) {
  let shown = ''
  const stream = new MaskStream(secretsOf(...values).secrets, bytes => {
    shown += Buffer.from(bytes).toString()
  })
  const push = (chunk: string) => {
    stream.push(Buffer.from(chunk))
    return shown
  }
  const quiet = () => {
    stream.quiet()
    return shown
  }
  const end = () => {
    stream.end()
    return shown
  }
  return { stream, push, quiet, end }
}

describe('a form of a secret', () => {
  it.each([
    [
      'as base64 of any other data around it',
      (value: string, around: string) => Buffer.from(`${around}${value}${around}`).toString('base64'),
    ],
    [
      'as base64 for URLs',
      (value: string, around: string) => Buffer.from(`${around}${value}${around}`).toString('base64url'),
    ],
  ])('%s is found: three of four characters at least', (_what, encode) => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 40 }),
        fc.string({ maxLength: 7 }),
        (value, around) => {
          fc.pre(value.trim() === value)
          const { secrets } = secretsOf(value)
          const plain = encode(value, around)
          const [before = '', after = ''] = secrets.text(plain).split('***')
          const bytes = Buffer.byteLength(around)
          expect(secrets.text(plain)).toContain('***')
          expect(before.length).toBeLessThanOrEqual(Math.ceil((bytes * 4) / 3))
          expect(after.replace(/=/g, '').length).toBeLessThanOrEqual(Math.ceil((bytes * 4) / 3) + 1)
        },
      ),
    )
  })

  it('as URLs and JSON have it is found, whoever wrote them', () => {
    const value = `päss "w/örd" <&> it's 100%+~`
    const { secrets } = secretsOf(value)
    const strict = encodeURIComponent(value).replace(
      /[!'()*]/g,
      char => `%${char.charCodeAt(0).toString(16)}`,
    )
    for (const written of [
      value,
      encodeURIComponent(value),
      encodeURIComponent(value).toLowerCase().replace(/%20/g, '+'),
      new URLSearchParams({ value }).toString().slice(6),
      strict.replaceAll('%2F', '/'),
      JSON.stringify(value).slice(1, -1),
      JSON.stringify(value)
        .slice(1, -1)
        .replace(/[^ -~]/g, char => `\\u00${char.charCodeAt(0).toString(16)}`),
    ])
      expect(secrets.text(`a=${written}&`)).toBe('a=***&')
  })

  it('of a large value is found whole, as it is and as base64', () => {
    const large = Array.from({ length: 3000 }, (_, index) => `${index}`.padStart(5, 'v')).join('')
    const { secrets, refused } = secretsOf(large, 'x'.repeat(300_000))
    expect(secrets.text(`a ${large} b`)).toBe('a *** b')
    expect(secrets.text(`a ${Buffer.from(large).toString('base64')} b`)).toBe('a *** b')
    expect(refused).toEqual(['it has over 256 KiB and is not masked'])
  })

  it('does not need the spaces around a value, nor the markers of a key', () => {
    const { secrets } = secretsOf('  -----BEGIN KEY-----\n  abcdefgh  \nxyz\n-----END KEY-----\n')
    expect(secrets.text('-----BEGIN KEY----- abcdefgh xyz')).toBe('-----BEGIN KEY----- *** xyz')
  })
})

describe('what is held back', () => {
  it('is only what may be the beginning of a secret', () => {
    const { push } = streamOf('secret-value')
    expect(push('hello\nname: ')).toBe('hello\nname: ')
    expect(push('secret-')).toBe('hello\nname: ')
    expect(push('x')).toBe('hello\nname: secret-x')
  })

  it('shows in silence where it is less than four bytes, and is still a part of the secret then', () => {
    const { push, quiet, stream } = streamOf('secret-value')
    expect(push('a sec')).toBe('a ')
    expect(stream.waiting).toBe(true)
    expect(quiet()).toBe('a sec')
    expect(stream.waiting).toBe(false)
    expect(push('ret-value.')).toBe('a sec***.')
  })

  it('is held for as long as it takes where it is four bytes or more', () => {
    const { push, quiet, end, stream } = streamOf('secret-value')
    expect(push('a secr')).toBe('a ')
    expect(stream.waiting).toBe(false)
    expect(quiet()).toBe('a ')
    expect(push('et-value\n')).toBe('a ***\n')
    expect(push('secret')).toBe('a ***\n')
    expect(end()).toBe('a ***\nsecret')
  })

  it('is no closed line that ends with up to three bytes of one, and a longer one in silence', () => {
    const { push, quiet, stream } = streamOf('secret-value')
    expect(push('the sec\n')).toBe('the sec\n')
    expect(push('ret-value\n')).toBe('the sec\n***\n')
    expect(push('a secret-v\n')).toBe('the sec\n***\na ')
    expect(stream.waiting).toBe(true)
    expect(quiet()).toBe('the sec\n***\na secret-v\n')
    expect(push('alue\n')).toBe('the sec\n***\na secret-v\n***\n')
  })

  it('never shows more than three bytes of a secret that stands in one line, whatever the pauses', () => {
    const secret = 'abcabcabdabcab'
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean())),
        fc.constantFrom('', 'abc', 'ab\n', 'x'),
        (steps, before) => {
          const { push, quiet, end } = streamOf(secret)
          let rest = `${before}${secret}!`
          for (const [size, pause] of steps) {
            push(rest.slice(0, size))
            rest = rest.slice(size)
            if (pause) quiet()
          }
          push(rest)
          expect(end().slice(before.length)).toMatch(/^(a|ab|abc)?\*\*\*!$/)
        },
      ),
    )
  })
})

describe('a value that becomes a secret while text comes', () => {
  it('is masked from the next line on, and what names it is not shown', () => {
    const { push, end } = streamOf()
    expect(push('tok-1234\n::add-')).toBe('tok-1234\n')
    expect(push('mask::tok-')).toBe('tok-1234\n')
    expect(push('1234\r\nhave tok-1234\n')).toBe('tok-1234\n::add-mask::***\r\nhave ***\n')
    push('::add-mask::no-end')
    expect(end()).toBe('tok-1234\n::add-mask::***\r\nhave ***\n::add-mask::***')
  })

  it('is one however slowly its line comes', () => {
    const { push, quiet } = streamOf()
    for (const byte of '::add-mask::slow-value') {
      push(byte)
      quiet()
    }
    expect(push('\nslow-value\n')).toBe('::add-mask::***\n***\n')
  })

  it('may have several lines, written as %0A', () => {
    const { push } = streamOf()
    expect(push('::add-mask::line-one%0Aline-two%25\nline-one line-two%\n')).toBe(
      '::add-mask::***\n*** ***\n',
    )
  })

  it('may be one of very many, without delay', () => {
    const { push } = streamOf()
    const values = Array.from({ length: 1500 }, (_, index) => `value-number-${index}`)
    const startedAt = performance.now()
    const shown = push(`${values.map(value => `::add-mask::${value}`).join('\n')}\n${values.at(-1)} x\n`)
    expect(shown.endsWith('::add-mask::***\n*** x\n')).toBe(true)
    expect(performance.now() - startedAt).toBeLessThan(5000)
  })

  it('is not one of a flood', () => {
    const { secrets, refused } = secretsOf()
    for (let index = 0; index < 2002; index++) secrets.add(`value-${index}`, `value ${index}`)
    expect(secrets.values).toHaveLength(2000)
    expect(refused).toEqual(['2000 values are masked: value 2000 and others are not'])
  })

  it('is found in what was held for another one', () => {
    const { secrets } = secretsOf('aaaa-bbbb-cccc')
    let shown = ''
    const stream = new MaskStream(secrets, bytes => {
      shown += bytes.toString()
    })
    stream.push(Buffer.from('x aaaa-bbbb'))
    secrets.add('bbbb-dddd', 'it')
    stream.push(Buffer.from('-dddd.'))
    expect(shown).toBe('x aaaa-***.')
  })
})

it('a body is masked in its texts, not in its ids', () => {
  const { secrets } = secretsOf('worker-1')
  const body = {
    agentId: 'worker-1',
    message: 'on worker-1',
    metadata: { host: 'worker-1', n: 5 },
    steps: [{ name: 'worker-1', status: 'RUNNING' }],
  }
  expect(secrets.report(body)).toEqual({
    agentId: 'worker-1',
    message: 'on ***',
    metadata: { host: '***', n: 5 },
    steps: [{ name: '***', status: 'RUNNING' }],
  })
})

it('a file is masked on its way', async () => {
  const { secrets } = secretsOf('file-secret')
  const masked = Readable.from([Buffer.from('a file-'), Buffer.from('secret b')]).pipe(maskTransform(secrets))
  expect(await text(masked)).toBe('a *** b')
})

it('short values are refused by name, once for each', () => {
  const { secrets, refused } = secretsOf()
  secrets.addVariables({ A_TOKEN: 'abc', B_SECRET: '', C_API_KEY: 'long-enough' })
  expect(secrets.add('\n x \n', 'the value of X')).toBe(false)
  expect(refused).toEqual([
    'the value of A_TOKEN has fewer than 4 bytes and is not masked',
    'the value of X has fewer than 4 bytes and is not masked',
  ])
})

it.each([
  ['GITHUB_TOKEN', 'ghp_1234', true],
  ['my_password', 'p', true],
  ['DbPasswd', '12345678', true],
  ['STRIPE_APIKEY', 'sk_1', true],
  ['SSH_PRIVATE_KEY', '/+abc/def', true],
  ['CREDENTIALS', '{"a":1}', true],
  ['TOKEN_FILE', 'secret-looking', false],
  ['KUBE_TOKEN_PATH', 'x/y', false],
  ['SECRET_DIR', 'abc', false],
  ['GOOGLE_APPLICATION_CREDENTIALS', '/etc/passwd', false],
  ['TOKEN_ENABLED', 'true', false],
  ['MAX_TOKENS', '4096', false],
  ['PASSWORD_MIN_LENGTH', '12', false],
  ['KEY', 'abcd', false],
])('%s=%s is a secret: %s', (name, value, expected) => {
  expect(secretVariables({ [name]: value })).toEqual(expected ? [{ name, value }] : [])
})

it('KERUTA_MASK has a value a line, or several in a line', () => {
  const values = (text: string) => secretVariables({ KERUTA_MASK: text }).map(({ value }) => value)
  expect(values('one,two,,three')).toEqual(['one', 'two', 'three'])
  expect(values('one,two\nthree\n')).toEqual(['one,two', 'three'])
})
