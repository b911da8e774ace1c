/**
 * The map on its canvas: what moves it, and what is chosen on it.
 *
 * @module web/pages/knowledge/graph/map
 */
import Maximize from 'lucide-solid/icons/maximize';
import Minus from 'lucide-solid/icons/minus';
import Plus from 'lucide-solid/icons/plus';
import { createEffect, createUniqueId, on, onCleanup, onMount } from 'solid-js';
import { IconButton } from '../../../base/icon-button.tsx';
import { preferences } from '../../../data/preferences.ts';
import { count } from '../../../i18n/index.ts';
import type { Atlas } from './atlas.ts';
import { type Camera, fit, flight, hold, toViewX, toViewY, zoom } from './camera.ts';
import { draw, outlinesOf } from './draw.ts';
import { followPointers } from './gestures.ts';
import { nodeAt } from './hits.ts';
import { type Ink, inkOf } from './ink.ts';
import { CLOSEST, type Placed } from './placed.ts';
import { g } from './words.ts';

export interface MapView {
  /** Brings a name into view, at a scale at which it is written. */
  goTo(node: number): void;
}

interface Props {
  readonly atlas: Atlas;
  readonly placed: Placed | null;
  readonly visible: Uint8Array;
  readonly selected: number;
  readonly select: (node: number) => void;
  readonly ready: (view: MapView) => void;
}

/** px around a mark that still mean it. */
const REACH = { mouse: 8, touch: 18 };
const MARGIN_X = 48;
const MARGIN_Y = 20;
const STEP = 1.5;
const MOVE = 90;
/** Small maps are not blown up. */
const FIRST_CLOSEST = 1.4;
const reduced = matchMedia('(prefers-reduced-motion: reduce)');

export function GraphMap(props: Props) {
  const keysId = createUniqueId();
  let box!: HTMLDivElement;
  let canvas!: HTMLCanvasElement;
  let camera: Camera = { x: 0, y: 0, scale: 1 };
  let view = { width: 1, height: 1 };
  let ink: Ink | null = null;
  let outlines: readonly Path2D[] = [];
  let hovered = -1;
  let cross = false;
  /** The reader has moved the map: it does not fit itself to the view any more. */
  let moved = false;
  let frame = 0;
  let flying = 0;

  const paint = () => {
    frame = 0;
    const { placed } = props;
    const pen = canvas.getContext('2d', { alpha: false });
    if (pen === null || placed === null) return;
    ink ??= inkOf(box);
    const { atlas, visible, selected } = props;
    const scene = { atlas, placed, visible, selected, hovered, cross };
    draw(pen, scene, { camera, view, ratio: canvas.width / view.width }, ink, outlines);
  };
  const soon = () => {
    frame ||= requestAnimationFrame(paint);
  };
  const whole = () =>
    fit(props.placed!.extent, view, Math.min(MARGIN_X, view.width / 8), MARGIN_Y, FIRST_CLOSEST);
  const least = () => Math.min(whole().scale * 0.7, 1);
  const look = (next: Camera) => {
    camera = props.placed === null ? next : hold(next, props.placed.extent);
    soon();
  };
  const stay = () => {
    cancelAnimationFrame(flying);
    moved = true;
  };
  const fly = (to: Camera) => {
    cancelAnimationFrame(flying);
    if (reduced.matches) return look(to);
    const way = flight(camera, to, view);
    const lasts = Math.max(180, Math.min(900, way.length * 420));
    const began = performance.now();
    const next = (now: number) => {
      const share = Math.min(1, (now - began) / lasts);
      // Slow at both ends.
      look(way.at(share * share * (3 - 2 * share)));
      if (share < 1) flying = requestAnimationFrame(next);
    };
    flying = requestAnimationFrame(next);
  };
  const zoomBy = (factor: number, x = view.width / 2, y = view.height / 2) => {
    if (props.placed === null) return;
    stay();
    look(zoom(camera, view, factor, x, y, least(), CLOSEST));
  };
  const moveBy = (x: number, y: number) => {
    stay();
    look({ x: camera.x - x / camera.scale, y: camera.y - y / camera.scale, scale: camera.scale });
  };
  const showAll = () => {
    if (props.placed === null) return;
    fly(whole());
    moved = false;
  };
  const at = (x: number, y: number, reach: number) =>
    props.placed === null
      ? -1
      : nodeAt(props.atlas, props.placed, props.visible, camera, view, { x, y }, reach);
  const hover = (node: number) => {
    if (node === hovered) return;
    hovered = node;
    canvas.classList.toggle('over', node >= 0);
    soon();
  };

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, () => void> = {
      '+': () => zoomBy(STEP),
      '=': () => zoomBy(STEP),
      '-': () => zoomBy(1 / STEP),
      '0': showAll,
      ArrowLeft: () => moveBy(MOVE, 0),
      ArrowRight: () => moveBy(-MOVE, 0),
      ArrowUp: () => moveBy(0, MOVE),
      ArrowDown: () => moveBy(0, -MOVE),
      Enter: () => {
        const node = at(view.width / 2, view.height / 2, 40);
        if (node >= 0) props.select(node);
      },
    };
    if (props.selected >= 0) steps.Escape = () => props.select(-1);
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    step();
    hover(at(view.width / 2, view.height / 2, 40));
  };
  const focusChanged = () => {
    cross = canvas.matches(':focus-visible');
    soon();
  };

  onMount(() => {
    const resize = () => {
      const { clientWidth: width, clientHeight: height } = box;
      if (width === 0 || height === 0) return;
      view = { width, height };
      const ratio = Math.min(3, devicePixelRatio || 1);
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      if (!moved && props.placed !== null) camera = whole();
      // At once: a canvas of another size is empty.
      cancelAnimationFrame(frame);
      paint();
    };
    const observer = new ResizeObserver(resize);
    observer.observe(box);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const forced = matchMedia('(forced-colors: active)');
    const other = () => {
      ink = null;
      soon();
    };
    dark.addEventListener('change', other);
    forced.addEventListener('change', other);
    createEffect(on(() => preferences.theme, other, { defer: true }));
    const end = followPointers(canvas, {
      pan: moveBy,
      zoom: zoomBy,
      hover: (x, y) => hover(x === null ? -1 : at(x, y, REACH.mouse)),
      choose: (x, y, touch) => props.select(at(x, y, touch ? REACH.touch : REACH.mouse)),
    });
    onCleanup(() => {
      end();
      observer.disconnect();
      dark.removeEventListener('change', other);
      forced.removeEventListener('change', other);
      cancelAnimationFrame(frame);
      cancelAnimationFrame(flying);
    });
  });
  createEffect(
    on(
      () => props.atlas,
      () => {
        hovered = -1;
        moved = false;
      },
    ),
  );
  createEffect(
    on(
      () => props.placed,
      (placed) => {
        if (placed === null) return;
        outlines = outlinesOf(placed);
        if (!moved) camera = whole();
        soon();
      },
    ),
  );
  createEffect(on([() => props.visible, () => props.selected], soon));
  props.ready({
    goTo(node) {
      const { placed } = props;
      if (placed === null) return;
      const x = toViewX(camera, view, placed.x[node]!);
      const y = toViewY(camera, view, placed.y[node]!);
      const readable = Math.min(
        CLOSEST,
        Math.max(0.55, placed.appears[node] === Infinity ? 1 : placed.appears[node]!),
      );
      const inside = x > 60 && y > 40 && x < view.width - 60 && y < view.height - 40;
      if (inside && camera.scale >= readable * 0.8) return;
      moved = true;
      fly({ x: placed.x[node]!, y: placed.y[node]!, scale: Math.max(camera.scale, readable) });
    },
  });
  return (
    <div class="graph-map" ref={box}>
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it takes keys of its own, which readers of screens have to let through */}
      <canvas
        ref={canvas}
        tabindex="0"
        role="application"
        aria-label={g('map', { names: count(props.atlas.nodes.length) })}
        aria-describedby={keysId}
        onKeyDown={onKey}
        onFocus={focusChanged}
        onBlur={focusChanged}
      />
      <p id={keysId} class="unseen">
        {g('mapKeys')}
      </p>
      <div class="graph-zoom">
        <IconButton label={g('closer')} onClick={() => zoomBy(STEP)}>
          <Plus size={18} aria-hidden="true" />
        </IconButton>
        <IconButton label={g('wider')} onClick={() => zoomBy(1 / STEP)}>
          <Minus size={18} aria-hidden="true" />
        </IconButton>
        <IconButton label={g('all')} onClick={showAll}>
          <Maximize size={17} aria-hidden="true" />
        </IconButton>
      </div>
    </div>
  );
}
