import { GIF } from 'image-size/types/gif'
import { JPG } from 'image-size/types/jpg'
import { PNG } from 'image-size/types/png'
import { WEBP } from 'image-size/types/webp'
import mime from 'mime'
import type { Artifact } from '#protocol/artifact.ts'

type Shown = Pick<Artifact, 'contentType' | 'preview'>

const UNKNOWN_TYPE = 'application/octet-stream'

/** Names that the registry gives to films: of what tasks leave behind, these are programs. */
const PROGRAMS = /\.[cm]?tsx?$/i

/** Formats whose size in pixels is read from the first bytes. */
const IMAGES = { 'image/png': PNG, 'image/jpeg': JPG, 'image/gif': GIF, 'image/webp': WEBP }
/** Others that browsers show. */
const OTHER_IMAGES = ['image/svg+xml', 'image/avif', 'image/bmp', 'image/vnd.microsoft.icon']

/** The media type that a file's name tells. */
export function typeOf(path: string): string {
  if (PROGRAMS.test(path)) return 'text/plain'
  // Of a name without a dot the library would take all for the extension.
  return (/[^/]\.[^./]+$/.test(path) && mime.getType(path)) || UNKNOWN_TYPE
}

/**
 * What a console can show of a file. What its bytes say counts more than its name and its sender.
 * @param head its first bytes
 */
export function shownAs(contentType: string, head: Buffer): Shown {
  for (const [type, format] of Object.entries(IMAGES))
    if (isOf(format, head)) return { contentType: type, preview: { kind: 'image', ...sizeOf(format, head) } }
  if (head.subarray(0, 5).toString('latin1') === '%PDF-')
    return { contentType: 'application/pdf', preview: { kind: 'pdf' } }
  const bare = contentType.split(';')[0]!.trim().toLowerCase()
  if (OTHER_IMAGES.includes(bare)) return { contentType, preview: { kind: 'image' } }
  if (!isText(head)) return { contentType, preview: { kind: 'none' } }
  return { contentType: bare === UNKNOWN_TYPE ? 'text/plain' : contentType, preview: { kind: 'text' } }
}

type Format = (typeof IMAGES)['image/png']

function isOf(format: Format, head: Buffer): boolean {
  try {
    return format.validate(head)
  } catch {
    return false
  }
}

function sizeOf(format: Format, head: Buffer): { width?: number; height?: number } {
  try {
    const { width, height, orientation = 1 } = format.calculate(head)
    // From the fifth on the picture lies on its side.
    return orientation < 5 ? { width, height } : { width: height, height: width }
  } catch {
    return {}
  }
}

function isText(head: Buffer): boolean {
  try {
    // The head may end within a letter.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these tell other bytes from text; colours begin with ESC, which is none of them
    return !/[\0-\x07\x0e-\x1a\x1c-\x1f]/.test(text)
  } catch {
    return false
  }
}
