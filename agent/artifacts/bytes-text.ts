const UNITS = ['bytes', 'KB', 'MB', 'GB']

/** A size as people say it: `512 bytes`, `1.5 MB`. */
export function bytesText(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, bytes < 1024 ? 0 : Math.floor(Math.log2(bytes) / 10))
  const shown = (bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1).replace(/\.0$/, '')
  return bytes === 1 ? '1 byte' : `${shown} ${UNITS[unit]}`
}
