import { describe, expect, it } from 'vitest'
import { plainText, styledText } from './ansi.ts'

const ESC = '\u001b'

describe('styledText', () => {
  it('leaves text without control characters as one run', () => {
    expect(styledText('<script>alert(1)</script>\tok 日本 🎉')).toEqual([
      { text: '<script>alert(1)</script>\tok 日本 🎉', decorations: [] },
    ])
    expect(styledText('')).toEqual([])
  })

  it('reads the 16 colours and decorations', () => {
    const [red, plain, bright] = styledText(`${ESC}[1;31mfail${ESC}[0m then ${ESC}[92mok`)
    expect(red).toMatchObject({ text: 'fail', fg: { palette: 1 }, decorations: ['bold'] })
    expect(plain).toMatchObject({ text: ' then ', fg: undefined, decorations: [] })
    expect(bright).toMatchObject({ text: 'ok', fg: { palette: 10 } })
  })

  it('reads 256 colours and true colour, with semicolons and with colons', () => {
    expect(styledText(`${ESC}[38;5;196mx`)[0]).toMatchObject({ fg: { rgb: '255 0 0' } })
    expect(styledText(`${ESC}[48;5;244mx`)[0]).toMatchObject({ bg: { rgb: '128 128 128' } })
    expect(styledText(`${ESC}[38;2;1;2;3mx`)[0]).toMatchObject({ fg: { rgb: '1 2 3' } })
    expect(styledText(`${ESC}[38:2::1:2:3mx`)[0]).toMatchObject({ fg: { rgb: '1 2 3' } })
    expect(styledText(`${ESC}[38:5:196mx`)[0]).toMatchObject({ fg: { rgb: '255 0 0' } })
  })

  it('drops cursor movements, titles and hyperlink sequences, and keeps their text', () => {
    expect(plainText(`${ESC}[2J${ESC}[10;10Hhere${ESC}[K`)).toBe('here')
    expect(plainText(`${ESC}]0;evil title\u0007text`)).toBe('text')
    expect(plainText(`${ESC}]8;;http://x.test${ESC}\\label${ESC}]8;;${ESC}\\`)).toBe('label')
    expect(plainText(`${ESC}(Btext${ESC}=`)).toBe('text')
  })

  it('shows control and direction characters as symbols', () => {
    expect(styledText('a\u0000\u0007b')).toEqual([
      { text: 'a', decorations: [], fg: undefined, bg: undefined },
      { text: '␀␇', control: true, decorations: [], fg: undefined, bg: undefined },
      { text: 'b', decorations: [], fg: undefined, bg: undefined },
    ])
    expect(plainText('user\u202egnp.exe')).toBe('user⬚gnp.exe')
    expect(plainText('10%\r20%')).toBe('10%␍20%')
  })

  it('survives a line of nothing but colour changes', () => {
    const bomb = Array.from({ length: 1000 }, (_, i) => `${ESC}[${30 + (i % 8)};1m`).join('')
    expect(plainText(`${bomb}end`)).toBe('end')
  })
})
