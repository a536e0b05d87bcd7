const WIDTH = 120
const HEIGHT = 22
const PAD = 2

/** The course of a few numbers, at even distances. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const min = Math.min(...values)
  const range = Math.max(...values) - min || 1
  const points = values.map((value, at) => {
    const x = PAD + (at / (values.length - 1)) * (WIDTH - 2 * PAD)
    const y = HEIGHT - PAD - ((value - min) / range) * (HEIGHT - 2 * PAD)
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  return (
    <svg width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      <polyline points={points.join(' ')} fill="none" stroke="var(--k-accent)" strokeWidth={1.5} />
    </svg>
  )
}
