/** What every chart has: a frame of one of two fixed widths, and labels that stand clear of one another. */
import type { PropsWithChildren } from 'hono/jsx'
import { px } from '../../../runner/words/scale.ts'

/** An SVG of which one width is shown at a time; `label` says in a sentence what it shows. */
export const Chart = ({
  width,
  height,
  label,
  children,
}: PropsWithChildren<{ width: 576 | 328; height: number; label: string }>) => (
  <svg
    class={`chart ${width === 328 ? 'narrow' : 'wide'}`}
    width={width}
    height={height}
    viewBox={`0 0 ${width} ${height}`}
    role="img"
    aria-label={label}
  >
    <g>{children}</g>
  </svg>
)

interface Box {
  left: number
  right: number
  y: number
}

/** Places labels beside their points and moves them in steps of 8 px until they overlap no other label or mark. */
function placed(points: { x: number; y: number; name: string }[], right: number, top: number, bottom: number) {
  const boxes: Box[] = points.map(({ x, y }) => ({ left: x - 7, right: x + 7, y }))
  return points.map(({ x, y, name }) => {
    const width = name.length * 7.2
    const fits = x + 12 + width <= right
    const [left, anchor] = fits ? [x + 12, 'start'] : [x - 12 - width, 'end']
    const own = { left: x - 7, y }
    const free = (at: number) =>
      at >= top &&
      at <= bottom &&
      boxes.every(
        (box) =>
          (box.left === own.left && box.y === own.y) ||
          Math.abs(box.y - at) >= 16 ||
          box.right < left ||
          box.left > left + width,
      )
    const shifts = [0, 8, -8, 16, -16, 24, -24, 32, -32, 40, -40, 48, -48, 56, -56]
    const at = y + (shifts.find((shift) => free(y + shift)) ?? 0)
    boxes.push({ left, right: left + width, y: at })
    return { x: fits ? x + 12 : x - 12, y: at, anchor, name, leader: Math.abs(at - y) > 8 ? { x, y } : null }
  })
}

/** A label beside each point, with a line to it where it had to move. */
export const Labels = ({
  points,
  right,
  top,
  bottom,
}: {
  points: { x: number; y: number; name: string }[]
  right: number
  top: number
  bottom: number
}) => (
  <>
    {placed(points, right, top, bottom).map(({ x, y, anchor, name, leader }) => (
      <>
        {leader && <line x1={px(leader.x)} y1={px(leader.y)} x2={px(x)} y2={px(y)} stroke="var(--border)" />}
        <text class="halo" x={px(x)} y={px(y + 5)} text-anchor={anchor}>
          {name}
        </text>
      </>
    ))}
  </>
)
