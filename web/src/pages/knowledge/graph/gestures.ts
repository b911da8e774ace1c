/**
 * Fingers, mouse and wheel on the map.
 *
 * @module web/pages/knowledge/graph/gestures
 */

/** All in CSS px from the upper left corner of the element. */
export interface Gestures {
  pan(x: number, y: number): void;
  zoom(factor: number, x: number, y: number): void;
  /** @param x null: nothing is pointed at any more */
  hover(x: number | null, y: number): void;
  choose(x: number, y: number, touch: boolean): void;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A press that goes farther than this moves the map and chooses nothing, px. */
const SLIP = 6;
const LINE_PX = 16;
const WHEEL = 0.0018;
/** A pinch on a touch pad comes as a wheel with Ctrl, in much smaller numbers. */
const PINCH = 0.011;

/** Listens until the returned function is called. */
export function followPointers(element: HTMLElement, to: Gestures): () => void {
  const down = new Map<number, Point>();
  let begin: Point | null = null;
  let slipped = false;

  const pointOf = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const middle = (): Point => {
    const all = [...down.values()];
    return {
      x: all.reduce((sum, { x }) => sum + x, 0) / all.length,
      y: all.reduce((sum, { y }) => sum + y, 0) / all.length,
    };
  };
  const spread = (): number => {
    const [a, b] = [...down.values()];
    return a === undefined || b === undefined ? 0 : Math.hypot(a.x - b.x, a.y - b.y);
  };

  const listeners = {
    pointerdown(event: PointerEvent) {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      down.set(event.pointerId, pointOf(event));
      if (down.size === 1) {
        begin = pointOf(event);
        slipped = false;
      } else slipped = true;
    },
    pointermove(event: PointerEvent) {
      const now = pointOf(event);
      if (!down.has(event.pointerId)) {
        if (event.pointerType !== 'touch') to.hover(now.x, now.y);
        return;
      }
      const before = middle();
      const apart = spread();
      const last = down.get(event.pointerId)!;
      if (!slipped && begin !== null && Math.hypot(now.x - begin.x, now.y - begin.y) <= SLIP) return;
      down.set(event.pointerId, now);
      if (!slipped) {
        slipped = true;
        element.classList.add('moving');
        to.hover(null, 0);
      }
      if (down.size === 1) to.pan(now.x - last.x, now.y - last.y);
      else {
        const after = middle();
        to.pan(after.x - before.x, after.y - before.y);
        if (apart > 0) to.zoom(spread() / apart, after.x, after.y);
      }
    },
    pointerup(event: PointerEvent) {
      if (!down.delete(event.pointerId) || down.size > 0) return;
      element.classList.remove('moving');
      if (slipped) return;
      const { x, y } = pointOf(event);
      to.choose(x, y, event.pointerType === 'touch');
    },
    pointercancel(event: PointerEvent) {
      down.delete(event.pointerId);
      element.classList.remove('moving');
    },
    pointerleave(event: PointerEvent) {
      if (!down.has(event.pointerId)) to.hover(null, 0);
    },
    wheel(event: WheelEvent) {
      event.preventDefault();
      const { x, y } = pointOf(event);
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
      const turn = Math.max(-240, Math.min(240, event.deltaY * lines));
      to.zoom(Math.exp(-turn * (event.ctrlKey ? PINCH : WHEEL)), x, y);
      to.hover(null, 0);
    },
  };
  for (const [name, listener] of Object.entries(listeners))
    element.addEventListener(name, listener as EventListener, { passive: false });
  return () => {
    for (const [name, listener] of Object.entries(listeners))
      element.removeEventListener(name, listener as EventListener);
  };
}
