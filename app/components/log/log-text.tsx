import { type CSSProperties, memo } from 'react'
import type { Colour } from '../../lib/ansi.ts'
import { linePieces, type Piece } from '../../lib/line-pieces.ts'
import classes from './log-text.module.css'

/** A message as colours, links and marks. Whatever it holds, it is only ever text. */
export const LogText = memo(function LogText({ text, pattern }: { text: string; pattern?: RegExp }) {
  const pieces = linePieces(text, pattern)
  if (pieces.length === 1 && pieces[0] && isPlain(pieces[0])) return <>{pieces[0].text}</>
  return pieces.map((piece, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text have no other name, and never move
    <PieceText key={at} piece={piece} />
  ))
})

function PieceText({ piece }: { piece: Piece }) {
  if (isPlain(piece)) return <>{piece.text}</>
  const props = { className: classOf(piece), style: styleOf(piece) }
  const content = piece.match ? <mark className={classes.match}>{piece.text}</mark> : piece.text
  if (!piece.href) return <span {...props}>{content}</span>
  return (
    <a
      {...props}
      href={piece.href}
      target="_blank"
      rel="noopener noreferrer nofollow"
      className={classes.link}
    >
      {content}
    </a>
  )
}

const isPlain = (piece: Piece): boolean =>
  !piece.fg && !piece.bg && !piece.href && !piece.match && !piece.control && piece.decorations.length === 0

function classOf(piece: Piece): string {
  const names = piece.decorations.map(name => classes[name])
  if (piece.control) names.push(classes.control)
  // Fixed colours are drawn as light or dark as the theme needs, unless the program chose the ground as well.
  if (piece.fg && 'rgb' in piece.fg && !piece.bg) names.push(classes.rgb)
  return names.filter(Boolean).join(' ')
}

function styleOf({ fg, bg }: Piece): CSSProperties | undefined {
  if (bg) {
    const ground = rgbOf(bg)
    return { backgroundColor: `rgb(${ground})`, color: `rgb(${readableOn(ground, fg && rgbOf(fg))})` }
  }
  if (!fg) return undefined
  return 'rgb' in fg ? ({ '--fg': `rgb(${fg.rgb})` } as CSSProperties) : { color: `var(--a${fg.palette})` }
}

const PALETTE = [
  '0 0 0',
  '187 0 0',
  '0 150 0',
  '187 150 0',
  '0 60 187',
  '150 0 150',
  '0 140 150',
  '200 200 200',
  '85 85 85',
  '255 85 85',
  '60 220 60',
  '255 235 85',
  '90 130 255',
  '255 100 255',
  '85 235 235',
  '255 255 255',
]

const rgbOf = (colour: Colour): string =>
  'rgb' in colour ? colour.rgb : (PALETTE[colour.palette] ?? '0 0 0')

/** The colour asked for where it can be read on this ground, else black or white. */
function readableOn(ground: string, wanted: string | undefined): string {
  if (wanted && contrast(ground, wanted) >= 3) return wanted
  return contrast(ground, '0 0 0') > contrast(ground, '255 255 255') ? '0 0 0' : '255 255 255'
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

function luminance(rgb: string): number {
  const [r = 0, g = 0, b = 0] = rgb.split(' ').map(part => {
    const value = Number(part) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
