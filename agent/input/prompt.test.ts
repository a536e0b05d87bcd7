import { describe, expect, it } from 'vitest'
import { asksForSecret, looksLikePrompt, OutputTail } from './prompt.ts'

function promptOf(...chunks: [0 | 1, string][]): string {
  const tail = new OutputTail()
  for (const [source, text] of chunks) tail.add(source, Buffer.from(text))
  return tail.prompt
}

describe('the prompt of an output', () => {
  it.each([
    ['Name: ', 'Name: '],
    ['many\nlines\nName: ', 'Name: '],
    ['Which colour?\n', 'Which colour?'],
    ['Which colour?\n\n', 'Which colour?'],
    ['Choose one:\n> ', 'Choose one:\n> '],
    ['\u001b[1G\u001b[0J\u001b[1mName\u001b[22m: \u001b[7G', 'Name: '],
    ['10 %\r20 %\rGo on? ', 'Go on? '],
    ['', ''],
    ['> ', '> '],
  ])('%j is %j', (output, prompt) => {
    expect(promptOf([0, output])).toBe(prompt)
  })

  it('is that of the source that has an open line, the later of two', () => {
    expect(promptOf([1, 'Password: '], [0, 'done\n'])).toBe('Password: ')
    expect(promptOf([1, 'Password: '], [0, 'Name: '])).toBe('Name: ')
  })

  it('is the end of what was too long, however it came', () => {
    expect(promptOf([0, `${'x'.repeat(100_000)}?`])).toBe(`${'x'.repeat(4095)}?`)
    const pieces = Array.from({ length: 5000 }, (_, index): [0, string] => [0, `${index} `])
    expect(promptOf(...pieces)).toMatch(/ 4998 4999 $/)
  })

  it('is nothing once it was answered', () => {
    const tail = new OutputTail()
    tail.add(0, Buffer.from('Name? '))
    tail.clear()
    expect([tail.prompt, tail.openLine]).toEqual(['', ''])
  })
})

describe('an open line', () => {
  it.each([
    'Name: ',
    'Do you want to continue? [Y/n] ',
    'rm: remove regular file x? ',
    'Are you sure (yes/no)?',
    'version: (1.0.0) ',
    'mysql> ',
    'user@host:~$ ',
    'お名前：',
    'パスワード',
    '[sudo] password for ann: ',
  ])('%j looks like a prompt', line => expect(looksLikePrompt(line)).toBe(true))

  it.each([
    '',
    'Working',
    'Downloading...',
    '50 % [=====>    ]',
    '[=====>    ]',
    'copied (3/10)',
    '12:30:01 up',
  ])('%j does not', line => expect(looksLikePrompt(line)).toBe(false))

  it('asks for a secret where its words say so', () => {
    expect(
      ['Password: ', 'Enter passphrase for key: ', 'PIN: ', 'API key? ', 'パスワード: '].every(asksForSecret),
    ).toBe(true)
    expect(['Name: ', 'Opinion: ', 'Passenger: '].some(asksForSecret)).toBe(false)
  })
})
